package zeeklog

import (
	"math/bits"
	"strings"
)

// appendSeparators appends the positions of sep in line.
func appendSeparators(at []int, line, sep string) []int {
	if len(sep) == 1 {
		return appendByte(at, line, sep[0])
	}
	for i := 0; ; i += len(sep) {
		n := strings.Index(line[i:], sep)
		if n < 0 {
			return at
		}
		i += n
		at = append(at, i)
	}
}

// appendByte appends the positions of a byte in line. Fields are short, so
// looking at eight bytes at once beats a call of IndexByte for each field.
func appendByte(at []int, line string, b byte) []int {
	pattern := uint64(b) * 0x0101010101010101
	i := 0
	for ; i+8 <= len(line); i += 8 {
		for m := zeroBytes(load8(line[i:]) ^ pattern); m != 0; m &= m - 1 {
			at = append(at, i+bits.TrailingZeros64(m)/8)
		}
	}
	for ; i < len(line); i++ {
		if line[i] == b {
			at = append(at, i)
		}
	}
	return at
}

// load8 returns the first eight bytes of s, the first one lowest. The compiler
// makes one load of it.
func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// zeroBytes sets the high bit of each byte of x that is zero, and no other bit.
func zeroBytes(x uint64) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	return ^((x&low + low) | x | low)
}
