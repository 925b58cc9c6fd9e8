package capture

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMostlyBadChecksums(t *testing.T) {
	s := Stats{Packets: 100, BadChecksums: 20}
	require.False(t, s.MostlyBadChecksums())
	s.Skipped[SkipIPChecksum] = 6
	require.True(t, s.MostlyBadChecksums())
	require.False(t, new(Stats).MostlyBadChecksums())
}

// Each limit has a line; one that was not hit has none.
func TestLimits(t *testing.T) {
	require.Empty(t, new(Stats).Limits())
	s := Stats{Evicted: 1, Unbuffered: 2, FragmentsDropped: 3, TunnelsForgotten: 4}
	s.Packets = 9
	func() {
		defer s.recoverPanic()
		panic("index out of range")
	}()
	require.Equal(t, 5, strings.Count(s.Limits(), "\n"))
	require.Contains(t, s.Limits(), "index out of range (packet 9)")
}

func TestSkipsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for reason := range NumSkips {
		require.NotEmpty(t, reason.String())
		require.False(t, seen[reason.String()])
		seen[reason.String()] = true
	}
	require.Equal(t, "unknown", NumSkips.String())
}

// A panic in the decoder costs its packet; the next is read.
func TestPanicCostsOnePacket(t *testing.T) {
	w := newWire()
	w.udp(dgram{at: 0, from: client, to: server, data: "a"})
	w.udp(dgram{at: 1, from: client, to: server, data: "b"})
	w.udp(dgram{at: 2, from: client, to: server, data: "c"})
	r, err := NewReader(strings.NewReader(w.buf.String()), Options{})
	require.NoError(t, err)
	r.step()
	table := r.decoder.table
	r.decoder.table = nil
	r.step()
	r.decoder.table = table
	r.step()
	s := r.Stats()
	require.Equal(t, uint64(1), s.Panics)
	require.Contains(t, s.FirstPanic, "packet 2")
	table.drain()
	c := table.next()
	require.Equal(t, uint64(2), c.sides[0].pkts)
}
