package feature

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
