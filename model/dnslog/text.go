package dnslog

import "strings"

// appendText appends a text as it counts: \xNN as the byte that it stands for,
// small letters, the first MaxText bytes of it.
func appendText(dst []byte, text string) []byte {
	end := len(dst) + MaxText
	for len(text) > 0 && len(dst) < end {
		b, n := nextByte(text)
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst, text = append(dst, b), text[n:]
	}
	return dst
}

// textLength is the length of a text as it counts.
func textLength(text string) (length uint32) {
	if strings.IndexByte(text, '\\') < 0 {
		return uint32(min(len(text), MaxText))
	}
	for len(text) > 0 && length < MaxText {
		_, n := nextByte(text)
		text = text[n:]
		length++
	}
	return length
}

// nextByte is the first byte of a text, and how many bytes it takes there.
func nextByte(text string) (b byte, n int) {
	if text[0] != '\\' || len(text) < 4 || text[1] != 'x' {
		return text[0], 1
	}
	high, ok := digit(text[2])
	low, also := digit(text[3])
	if !ok || !also {
		return text[0], 1
	}
	return high<<4 | low, 4
}

func digit(c byte) (value byte, ok bool) {
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
