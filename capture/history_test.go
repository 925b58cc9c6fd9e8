package capture

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScaledLetters(t *testing.T) {
	var s scaled
	var at []int
	for i := 1; i <= 10001; i++ {
		if s.event() {
			at = append(at, i)
		}
	}
	require.Equal(t, []int{1, 10, 100, 1000, 10000}, at)
}

// At ten thousand million the count does not fit 32 bits; Zeek wraps, and so
// must not stop nor run wild.
func TestScaledLettersBeyond32Bits(t *testing.T) {
	s := scaled{count: 999_999_999, past: 100_000_000}
	require.True(t, s.event())
	wrapped := uint64(10_000_000_000) & 0xffffffff
	s.count = uint32(wrapped) - 1
	require.True(t, s.event())
	require.Zero(t, s.count, "the next threshold would wrap below this one")
}

func TestResetAfterSYNIsThePattern(t *testing.T) {
	pattern := regexp.MustCompile(`^\^?S[^HAFGIQ]*R.*$`) // scripts/base/protocols/conn/main.zeek
	letters := []byte("^SHAFRDr")
	var try func(prefix []byte, left int)
	try = func(prefix []byte, left int) {
		require.Equal(t, pattern.Match(prefix), resetAfterSYN(prefix), "%s", prefix)
		if left == 0 {
			return
		}
		for _, l := range letters {
			try(append(prefix, l), left-1)
		}
	}
	try(make([]byte, 0, 8), 5)
}

func TestHistoryIsBounded(t *testing.T) {
	var h history
	for range 2 * maxHistory {
		h.add('R')
	}
	require.Len(t, h.text, maxHistory)
}
