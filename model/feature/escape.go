package feature

import "strings"

// NextByte returns the first byte of a text as Zeek logs it, and how many bytes
// it takes there: \xNN is one byte. The text is not empty.
func NextByte(text string) (b byte, n int) {
	if text[0] != '\\' || len(text) < 4 || text[1] != 'x' {
		return text[0], 1
	}
	high, ok := hexDigit(text[2])
	low, also := hexDigit(text[3])
	if !ok || !also {
		return text[0], 1
	}
	return high<<4 | low, 4
}

func hexDigit(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// AppendText appends a text as it counts: \xNN as the byte that it stands for,
// the first most bytes of it.
func AppendText(dst []byte, text string, most int) []byte {
	if strings.IndexByte(text, '\\') < 0 {
		return append(dst, text[:min(len(text), most)]...)
	}
	for end := len(dst) + most; len(text) > 0 && len(dst) < end; {
		b, n := NextByte(text)
		dst, text = append(dst, b), text[n:]
	}
	return dst
}

// Lower makes letters small.
func Lower(text []byte) {
	for i, b := range text {
		if 'A' <= b && b <= 'Z' {
			text[i] = b + 'a' - 'A'
		}
	}
}

// shown is how much of a text is said.
const shown = 60

// AppendPrintable appends a text as it counts, shortened, with \xNN for what is
// not printable; "unset" for none.
func AppendPrintable(dst []byte, text string) []byte {
	if text == "" {
		return append(dst, "unset"...)
	}
	for end := len(dst) + shown; len(text) > 0; {
		if len(dst) >= end {
			return append(dst, "…"...)
		}
		c, n := NextByte(text)
		if text = text[n:]; c >= ' ' && c < 0x7f {
			dst = append(dst, c)
		} else {
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
