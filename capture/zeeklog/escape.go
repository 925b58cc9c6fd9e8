package zeeklog

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendPrintable appends s as Zeek's json_escape_utf8 does (src/util.cc):
// printable ASCII and sound UTF-8 as they are; one byte that is neither, and
// every byte outside ASCII becomes \xNN. With controls, \b \f \n \r \t stay.
func appendPrintable(dst []byte, s string, controls bool) []byte {
	if isPrintable(s, controls) {
		return append(dst, s...)
	}
	for i := 0; i < len(s); i++ {
		if b := s[i]; b >= ' ' && b < 0x7f || controls && isShortControl(b) {
			dst = append(dst, b)
		} else {
			dst = append(dst, '\\', 'x', hexDigits[b>>4], hexDigits[b&15])
		}
	}
	return dst
}

func isPrintable(s string, controls bool) bool {
	for i := 0; i < len(s); {
		b := s[i]
		if b >= ' ' && b < 0x7f || controls && isShortControl(b) {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError, // itself in Zeek's list of special characters
			r < 0xa0,                   // control characters
			0xe000 <= r && r <= 0xf8ff, // private use
			0xfff0 <= r && r <= 0xffff: // specials
			return false
		}
		i += size
	}
	return true
}

func isShortControl(b byte) bool {
	return b == '\b' || b == '\f' || b == '\n' || b == '\r' || b == '\t'
}

// appendEscaped appends s as a TSV writer does whose ODesc escapes backslashes
// and the given separators (src/Desc.cc, ODesc::AddBytes).
func appendEscaped(dst []byte, s string, separators ...string) []byte {
	start := firstEscape(s, separators)
	dst = appendPrintable(dst, s[:start], false)
	for i := start; i < len(s); {
		n := escapeAt(s[i:], separators)
		if n == 0 {
			i++
			continue
		}
		dst = appendPrintable(dst, s[start:i], false)
		for _, b := range []byte(s[i : i+n]) {
			if b == '\\' {
				dst = append(dst, `\\`...)
			} else {
				dst = append(dst, '\\', 'x', hexDigits[b>>4], hexDigits[b&15])
			}
		}
		i += n
		start = i
	}
	return appendPrintable(dst, s[start:], false)
}

// firstEscape returns the position of the first byte that has to be escaped,
// len(s) when there is none.
func firstEscape(s string, separators []string) int {
	first := len(s)
	if i := strings.IndexByte(s, '\\'); i >= 0 {
		first = i
	}
	for _, sep := range separators {
		if i := strings.Index(s[:first], sep); i >= 0 {
			first = i
		}
	}
	return first
}

// escapeAt returns how many bytes at the start of s have to be escaped.
func escapeAt(s string, separators []string) int {
	if s[0] == '\\' {
		return 1
	}
	for _, sep := range separators {
		if strings.HasPrefix(s, sep) {
			return len(sep)
		}
	}
	return 0
}

// appendQuoted appends s as a JSON string as Zeek does: json_escape_utf8, then
// what JSON asks for.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := len(dst)
	dst = appendPrintable(dst, s, true)
	if !bytes.ContainsAny(dst[start:], "\"\\\b\f\n\r\t") {
		return append(dst, '"')
	}
	plain := string(dst[start:])
	dst = dst[:start]
	for i := 0; i < len(plain); i++ {
		switch b := plain[i]; b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
