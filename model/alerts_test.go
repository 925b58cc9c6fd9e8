package model

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// alertStream feeds Alerts with connections whose paths are given.
type alertStream struct {
	*Alerts
	ts conn.Micros
}

// strict is so many alerts a day after a quiet day of ordinary connections.
func strict(t *testing.T, perDay float64) *alertStream {
	t.Helper()
	s := &alertStream{Alerts: NewAlerts(perDay)}
	s.width, s.budget, s.model = 0x1p-8, calibrate.NewBudget(perDay, 0x1p-8), &Model{}
	for i := range 20_000 {
		s.ts += 24 * repeatAfter / 20_000
		require.False(t, s.see("10.0.0.1", "192.0.2.1:443", 9+float64(i%200)/100) == Raise && i < 1000)
	}
	s.Raised, s.Repeated, s.Suppressed, s.storms = 0, 0, 0, s.storms[:0]
	s.ts += 25 * repeatAfter / 24
	return s
}

// see is what becomes of a connection; Suppressed also where it is ordinary.
func (s *alertStream) see(orig, resp string, path float64) Verdict {
	c := conn.Conn{TS: s.ts, Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 1024), Resp: netip.MustParseAddrPort(resp)}
	score := Score{Value: 1 - path/20, Path: path}
	if !s.Unusual(&c, score, s.model) {
		return Suppressed
	}
	return s.Raise(&c, score)
}

func (s *alertStream) over(all bool) (storms []Storm) {
	s.Storms(all, func(t Storm) { storms = append(storms, t) })
	return storms
}

func TestAlertsSayAThingOnce(t *testing.T) {
	s := strict(t, 60)
	require.Equal(t, Raise, s.see("10.0.0.2", "192.0.2.2:22", 3))
	for range 50 {
		s.ts += 1e6
		require.Equal(t, Repeated, s.see("10.0.0.2", "192.0.2.2:22", 3))
	}
	require.Equal(t, uint64(50), s.Repeated)
	require.Equal(t, Raise, s.see("10.0.0.3", "192.0.2.2:22", 3), "another originator; repeats cost nothing")
	s.ts += repeatAfter
	require.Equal(t, Raise, s.see("10.0.0.2", "192.0.2.2:22", 3), "an hour later")
	require.Empty(t, s.over(true))
}

func TestStormIsOneAlert(t *testing.T) {
	s := strict(t, 60)
	raised := 0
	for i := range 300 {
		s.ts += 1e5
		if s.see("10.0.0.2", netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 9}), uint16(i+1)).String(), 3-float64(i)/1000) == Raise {
			raised++
		}
	}
	require.Equal(t, ownAlerts, raised)
	require.Empty(t, s.over(false))
	require.Equal(t, Raise, s.see("10.0.0.3", "192.0.2.2:22", 2), "a storm leaves room for others")
	s.ts += stormOver
	s.see("10.0.0.1", "192.0.2.1:443", 10)
	storms := s.over(false)
	require.Len(t, storms, 1)
	require.Equal(t, uint64(298), storms[0].Count)
	require.Equal(t, netip.MustParseAddr("10.0.0.2"), storms[0].Orig)
	require.Equal(t, netip.MustParseAddrPort("192.0.2.9:300"), storms[0].Resp, "the strangest")
	require.True(t, storms[0].Distinct)
	require.Empty(t, s.over(true))
	require.Equal(t, uint64(4), s.Raised)
}

// From a thousand originators, each strange once: the hour's sixth, and one line
// for the rest.
func TestHourlyLimitHolds(t *testing.T) {
	s := strict(t, 60)
	raised := 0
	for i := range 1000 {
		s.ts += 1e4
		if s.see(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}).String(), "192.0.2.9:22", 3) == Raise {
			raised++
		}
	}
	require.Equal(t, 10, raised)
	storms := s.over(true)
	require.Len(t, storms, 1)
	require.False(t, storms[0].Orig.IsValid())
	require.Equal(t, uint64(990), storms[0].Count)
}

func TestNothingIsRaised(t *testing.T) {
	c := conn.Conn{Orig: netip.MustParseAddrPort("10.0.0.9:1"), Resp: netip.MustParseAddrPort("192.0.2.9:22")}
	s := strict(t, 60)
	c.TS = s.ts
	require.False(t, s.Unusual(&c, Score{Path: 1, Cold: true}, s.model), "while the window is cold")
	s.SetPerDay(0)
	require.False(t, s.Unusual(&c, Score{Path: 1}, s.model), "with a budget of 0")
	s.SetPerDay(60)
	require.True(t, s.Unusual(&c, Score{Path: 1}, s.model))

	s.fresh = freshRows
	for range freshRows {
		require.False(t, s.Unusual(&c, Score{Path: 9}, s.model), "while the model is new")
	}
	require.True(t, s.Unusual(&c, Score{Path: 1}, s.model))
}

// What a site vetoes costs nothing.
func TestVetoCostsNothing(t *testing.T) {
	s := strict(t, 60)
	c := conn.Conn{TS: s.ts, Orig: netip.MustParseAddrPort("10.0.0.9:1"), Resp: netip.MustParseAddrPort("192.0.2.9:22")}
	for range 1000 {
		require.True(t, s.Unusual(&c, Score{Path: 1}, s.model))
	}
	require.Equal(t, Raise, s.see("10.0.0.2", "192.0.2.2:22", 3))
}

func TestAlertsDoNotAllocate(t *testing.T) {
	s := strict(t, 60)
	i := 0
	require.Zero(t, testing.AllocsPerRun(2000, func() {
		s.ts += 1e6
		c := conn.Conn{TS: s.ts, Orig: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 1), Resp: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 22)}
		if score := (Score{Path: 3 + float64(i%10)}); s.Unusual(&c, score, s.model) {
			s.Raise(&c, score)
		}
		i++
	}))
}
