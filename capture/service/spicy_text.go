package service

// runeVerdict is what Spicy makes of the bytes that begin a character when it
// decodes UTF-8 (auxil/spicy/hilti/runtime/src/types/bytes.cc).
type runeVerdict uint8

const (
	runeGood runeVerdict = iota // a character, or one byte that fits nowhere
	runeCut                     // the end is missing: an error, if there is no more
	runeBad                     // a code point that does not exist: an error
)

// spicyRune looks at the first character of b, which is not empty, and returns
// its size.
func spicyRune(b []byte) (int, runeVerdict) {
	size, least := 1, rune(0)
	switch c := b[0]; {
	case c>>5 == 0x6:
		size, least = 2, 0x80
	case c>>4 == 0xe:
		size, least = 3, 0x800
	case c>>3 == 0x1e:
		size, least = 4, 0x10000
	}
	point := rune(b[0]) & (0xff >> size)
	for i := 1; i < size; i++ {
		switch {
		case i == len(b):
			return i, runeCut
		case b[i]>>6 != 2:
			return 1, runeGood
		}
		point = point<<6 | rune(b[i]&0x3f)
	}
	switch {
	case size > 1 && (point > 0x10ffff || 0xd800 <= point && point < 0xe000):
		return size, runeBad
	case point < least:
		return 1, runeGood
	}
	return size, runeGood
}

// spicyRunes counts the characters of b; false is an error.
func spicyRunes(b []byte) (n int, ok bool) {
	for ; len(b) > 0; n++ {
		size, verdict := spicyRune(b)
		if verdict != runeGood {
			return n, false
		}
		b = b[size:]
	}
	return n, true
}
