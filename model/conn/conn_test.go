package conn

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFromSeconds(t *testing.T) {
	for _, tc := range []struct {
		seconds float64
		want    Micros
	}{
		{0, 0},
		{1e-6, 1},
		{0.0000005, 1}, // exactly one half after scaling, fraction zero: up
		{1.0000004, 1000000},
		{0.9999996, 1000000},
		{1427325411.001122, 1427325411001122},
		{-0.25, -250000},
		{-1.5, -1500000},
		{2147483647.25, 2147483647250000},
		{math.NaN(), 0},
		{math.Inf(1), maxMicros},
		{math.Inf(-1), minMicros},
		{1e300, maxMicros},
	} {
		require.Equal(t, tc.want, FromSeconds(tc.seconds), "%v", tc.seconds)
	}
}

// A double that came from microseconds goes back to the same microseconds, and
// so does the text that Zeek prints of it.
func TestFromSecondsRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		want := Micros(r.Int64N(4e15))
		require.Equal(t, want, FromSeconds(want.Seconds()))
		text := strconv.FormatFloat(want.Seconds(), 'f', 6, 64)
		parsed, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		require.Equal(t, want, FromSeconds(parsed))
	}
}

// Zeek's duration is the difference of two doubles; its error stays far below
// half a microsecond.
func TestFromSecondsDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200000 {
		start, length := Micros(1e15+r.Int64N(1e15)), Micros(r.Int64N(1e11))
		require.Equal(t, length, FromSeconds((start+length).Seconds()-start.Seconds()))
	}
}

func TestCodesRoundTrip(t *testing.T) {
	for p := range NumProto {
		got, ok := ParseProto(p.String())
		require.True(t, ok)
		require.Equal(t, p, got)
	}
	for s := range NumState {
		got, ok := ParseState(s.String())
		require.True(t, ok)
		require.Equal(t, s, got)
	}
	_, ok := ParseState("XX")
	require.False(t, ok)
}

func TestEveryStateIsEstablishedOrFailed(t *testing.T) {
	require.False(t, NoState.Failed() || NoState.Established())
	for s := S0; s < NumState; s++ {
		require.NotEqual(t, s.Established(), s.Failed(), s)
	}
}
