package alerts

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

// look is a look at a connection of a host of the site that goes on.
func (s *stream) look(orig, resp string, score float64) Verdict {
	r := s.long(orig, resp, score)
	r.Open = true
	return s.verdict(&r)
}

// long is a connection that began long ago.
func (s *stream) long(orig, resp string, score float64) Row {
	return Row{TS: 1e15 - 3*day, Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 7), Resp: netip.MustParseAddrPort(resp), Own: true, Score: score}
}

func (s *stream) verdict(r *Row) Verdict {
	if !s.Unusual(r) {
		return Suppressed
	}
	return s.Raise(r)
}

func TestLongConnectionIsToldOnce(t *testing.T) {
	s := afterADay(t, 20)
	now, best := s.now, s.logs[0].best
	require.Equal(t, Raise, s.look("10.0.0.2", "192.0.2.9:443", 0.65))
	require.Equal(t, now, s.now, "its start does not set the clock back")
	require.Equal(t, best, s.logs[0].best, "nor does it count in the threshold")
	for range 70 {
		s.ts += hour
		s.own("10.0.0.1", "192.0.2.1:443", 0.4)
		require.Equal(t, Suppressed, s.look("10.0.0.2", "192.0.2.9:443", 0.66), "at each hour")
	}
	require.Equal(t, Raise, s.look("10.0.0.2", "192.0.2.9:443", 0.7), "much stranger than it was")
	end := s.long("10.0.0.2", "192.0.2.9:443", 0.7)
	end.End = s.ts
	require.Equal(t, Folded, s.verdict(&end), "at its end")
	require.Nil(t, s.Incident())
	require.EqualValues(t, 2, s.Raised)
	require.Empty(t, s.end(), "looks are no connections of an incident")
}

// What has no room, or belongs to what was told of its host, is looked at again.
func TestLookWithoutRoom(t *testing.T) {
	s := afterADay(t, 20)
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.9:1", 0.65))
	for range 20 {
		require.Equal(t, Folded, s.look("10.0.0.2", "192.0.2.9:443", 0.65))
	}
	require.EqualValues(t, 1, s.Raised)
	require.Zero(t, s.Folded)
	s.ts += 2 * hour
	s.own("10.0.0.1", "192.0.2.1:443", 0.4)
	require.Equal(t, Raise, s.look("10.0.0.2", "192.0.2.9:443", 0.65))

	s.SetPerHour(1)
	require.Equal(t, Suppressed, s.look("10.0.0.3", "192.0.2.9:443", 0.65))
	require.Zero(t, s.Suppressed)
	require.Empty(t, s.end())
}

func TestLookRaisesNothing(t *testing.T) {
	s := &stream{Policy: New(20), ts: 1e15}
	require.Equal(t, Suppressed, s.look("10.0.0.2", "192.0.2.9:443", 0.9), "before any row")
	s = afterADay(t, 20)
	r := s.long("10.0.0.2", "192.0.2.9:443", 0.9)
	r.Open, r.Cold = true, true
	require.False(t, s.Unusual(&r), "while the window is cold")
	r.Cold, r.Model = false, "other"
	require.False(t, s.Unusual(&r), "by a model that no row had")
	r.Model, r.Score = "", leastScore-0.001
	require.False(t, s.Unusual(&r), "below the least score")
	r.Score = 0.9
	require.True(t, s.Unusual(&r))
}
