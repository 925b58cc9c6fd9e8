package alerts

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// stream feeds a policy with rows whose scores are given.
type stream struct {
	*Policy
	ts   conn.Micros
	told []Incident
}

// afterADay is a policy of perDay lines after a quiet day.
func afterADay(t *testing.T, perDay float64) *stream {
	t.Helper()
	s := &stream{Policy: New(perDay), ts: 1e15}
	for range 24 * 60 {
		s.ts += 60e6
		require.Equal(t, Suppressed, s.own("10.0.0.1", "192.0.2.1:443", 0.4))
	}
	return s
}

// see is what becomes of a row; Suppressed also where it is ordinary.
func (s *stream) see(r Row) Verdict {
	r.TS = s.ts
	s.Incidents(false, func(i *Incident) { s.told = append(s.told, *i) })
	if !s.Unusual(&r) {
		return Suppressed
	}
	return s.Raise(&r)
}

func (s *stream) own(orig, resp string, score float64) Verdict {
	return s.see(Row{Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 1024), Resp: netip.MustParseAddrPort(resp), Own: true, Score: score})
}

func (s *stream) inbound(orig, resp string, score float64) Verdict {
	return s.see(Row{Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 1024), Resp: netip.MustParseAddrPort(resp), Score: score})
}

func (s *stream) end() []Incident {
	s.Incidents(true, func(i *Incident) { s.told = append(s.told, *i) })
	return s.told
}

func TestAScanIsOneIncident(t *testing.T) {
	s := afterADay(t, 20)
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.9:1", 0.65))
	for i := range 499 {
		s.ts += 1e5
		require.Equal(t, Folded, s.own("10.0.0.2", netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), uint16(i+2)).String(), 0.65+float64(i)/1e5))
	}
	require.Equal(t, Raise, s.own("10.0.0.3", "192.0.2.2:22", 0.7), "a scan leaves room for others")
	require.Len(t, s.told, 2, "told at ten and at a hundred")
	require.False(t, s.told[1].Over)
	s.ts += quiet
	s.own("10.0.0.1", "192.0.2.1:443", 0.4)
	s.ts += minute
	s.own("10.0.0.1", "192.0.2.1:443", 0.4)
	require.Len(t, s.told, 3, "and when it is over")
	over := s.told[2]
	require.True(t, over.Over)
	require.EqualValues(t, 499, over.Count)
	require.Equal(t, netip.MustParseAddr("10.0.0.2"), over.Host.Addr)
	require.Equal(t, netip.MustParseAddrPort("192.0.2.9:500"), over.Resp, "the strangest")
	require.True(t, over.OneOrig)
	require.False(t, over.OneResp)
	require.EqualValues(t, 5, s.Raised)
	require.Len(t, s.end(), 3, "one connection alone is no incident")
}

// What a thousand others do to one host of the site is one incident, and apart
// from what that host does itself.
func TestAttackedHostIsOneIncident(t *testing.T) {
	s := afterADay(t, 20)
	raised := 0
	for i := range 1000 {
		s.ts += 1e5
		if s.inbound(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}).String(), "10.0.0.9:22", 0.65) == Raise {
			raised++
		}
	}
	require.Equal(t, 1, raised)
	require.Equal(t, Raise, s.own("10.0.0.9", "192.0.2.2:4444", 0.65))
	told := s.end()
	last := told[len(told)-1]
	require.True(t, last.Inbound)
	require.False(t, last.OneOrig)
	require.True(t, last.OneResp)
	require.Equal(t, netip.MustParseAddr("10.0.0.9"), last.Host.Addr)
}

func TestStrangerThanItsIncident(t *testing.T) {
	s := afterADay(t, 20)
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.9:1", 0.6))
	require.Equal(t, Folded, s.own("10.0.0.2", "192.0.2.9:2", 0.61))
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.9:3", 0.66))
	require.Equal(t, Folded, s.own("10.0.0.2", "192.0.2.9:4", 0.66))
}

// A host that is strange every day leaves the alerts to others.
func TestRepeatsCostMore(t *testing.T) {
	s := afterADay(t, 20)
	raised := map[string]int{}
	for range 22 {
		for n, host := range []string{"10.0.0.2", "10.0.0.3", "10.0.0.4"} {
			if s.own(host, "192.0.2.9:22", 0.65-float64(n)*0.03) == Raise {
				raised[host]++
			}
		}
		s.ts += hour + minute
	}
	require.Equal(t, map[string]int{"10.0.0.2": 6, "10.0.0.3": 4, "10.0.0.4": 3}, raised, "until they are below 0.55")
}

// From a thousand hosts, each strange once: the hour's sixth, and one line for
// the rest.
func TestHourlyLimitHolds(t *testing.T) {
	for perHour, want := range map[int]int{0: 10, 3: 3} {
		s := afterADay(t, 60)
		s.SetPerHour(perHour)
		raised := 0
		for i := range 1000 {
			s.ts += 1e4
			if s.own(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}).String(), "192.0.2.9:22", 0.65) == Raise {
				raised++
			}
		}
		require.Equal(t, want, raised)
		told := s.end()
		require.Len(t, told, 1)
		require.False(t, told[0].Host.IsValid())
		require.EqualValues(t, 1000-want, told[0].Count)
	}
}

// However much is strange, a day has no more alerts than the budget.
func TestTheBudgetIsAMaximum(t *testing.T) {
	for _, perDay := range []float64{0.5, 1, 5, 20, 100} {
		s := afterADay(t, perDay)
		raised := 0
		for i := range 4 * 24 * 60 {
			s.ts += minute
			if s.own(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String(), "192.0.2.9:22", 0.6+float64(i%300)/1000) == Raise {
				raised++
			}
		}
		require.LessOrEqual(t, float64(raised), 4*perDay+1, "%v a day", perDay)
		require.GreaterOrEqual(t, float64(raised), 2*perDay, "%v a day", perDay)
	}
}

func TestNothingIsRaised(t *testing.T) {
	r := Row{Orig: netip.MustParseAddrPort("10.0.0.9:1"), Resp: netip.MustParseAddrPort("192.0.2.9:22"), Own: true, Score: 0.8}
	s := afterADay(t, 60)
	r.TS = s.ts
	cold := r
	cold.Cold = true
	require.False(t, s.Unusual(&cold), "while the window is cold")
	s.SetPerDay(0)
	require.False(t, s.Unusual(&r), "with a budget of 0")
	s.SetPerDay(60)
	require.True(t, s.Unusual(&r))
	low := r
	low.Score = 0.5499
	require.False(t, s.Unusual(&low), "below the least score")

	r.Model = "a"
	require.True(t, s.Unusual(&r), "the first model is not a new one")
	r.Model = "b"
	for range freshRows {
		require.False(t, s.Unusual(&r), "while the model is new")
	}
	require.True(t, s.Unusual(&r))

	begun := &stream{Policy: New(60), ts: 1e15}
	for range openingRows {
		require.Equal(t, Suppressed, begun.own("10.0.0.9", "192.0.2.9:22", 0.8))
	}
	begun.ts += opening - 1
	require.Equal(t, Suppressed, begun.own("10.0.0.9", "192.0.2.9:22", 0.8), "in the first five minutes")
	begun.ts++
	require.Equal(t, Raise, begun.own("10.0.0.9", "192.0.2.9:22", 0.8))
}

// What a site vetoes costs nothing.
func TestVetoCostsNothing(t *testing.T) {
	s := afterADay(t, 20)
	r := Row{Orig: netip.MustParseAddrPort("10.0.0.9:1"), Resp: netip.MustParseAddrPort("192.0.2.9:22"), Own: true, Score: 0.8}
	for i := range 1000 {
		r.TS, r.Orig = s.ts, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}), 1)
		require.True(t, s.Unusual(&r))
	}
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.2:22", 0.6))
}

// More hosts than fit: the one that was unusual longest ago goes, its incident
// is told, and no count is lost.
func TestMoreHostsThanFit(t *testing.T) {
	s := afterADay(t, 1e6)
	s.own("10.0.0.2", "192.0.2.9:1", 0.65)
	for range 5 {
		s.own("10.0.0.2", "192.0.2.9:2", 0.65)
	}
	for i := range maxHosts {
		s.ts += 1e3
		s.own(netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}).String(), "192.0.2.9:22", 0.58)
	}
	s.own("10.0.0.1", "192.0.2.1:443", 0.4)
	require.Len(t, s.told, 1)
	require.True(t, s.told[0].Over)
	require.EqualValues(t, 5, s.told[0].Count)
	kept := uint32(0)
	for _, n := range s.logs[0].best {
		kept += n
	}
	require.EqualValues(t, maxHosts, kept)
}

// beaconing calls a responder at a steady pace, jitter drawn below it.
func (s *stream) beaconing(orig, resp string, period conn.Micros, jitter float64, calls int) (told []Incident) {
	random := rand.New(rand.NewPCG(1, 2))
	for range calls {
		s.ts += period - conn.Micros(jitter*float64(period)*random.Float64())
		r := Row{TS: s.ts, Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 1024), Resp: netip.MustParseAddrPort(resp), Own: true, Score: 0.4, Calls: true}
		if s.Unusual(&r) {
			s.Raise(&r)
		}
		s.Incidents(false, func(i *Incident) { told = append(told, *i) })
	}
	return told
}

func TestBeacon(t *testing.T) {
	for _, c := range []struct {
		period conn.Micros
		jitter float64
		found  bool
	}{{60e6, 0, true}, {20e6, 0.1, true}, {3600e6, 0.3, true}, {200e6, 0.4, true}, {200e6, 0.9, false}} {
		s := afterADay(t, 20)
		told := s.beaconing("10.0.0.2", "192.0.2.9:443", c.period, c.jitter, 30)
		if !c.found {
			require.Empty(t, told, "%v", c)
			continue
		}
		require.Len(t, told, 1, "%v: a pair is told once", c)
		require.GreaterOrEqual(t, told[0].Count, uint64(beaconGaps+1))
		require.InEpsilon(t, float64(c.period)*(1-c.jitter/2), float64(told[0].Period), 0.15)
		require.Equal(t, netip.MustParseAddr("10.0.0.2"), told[0].Host.Addr)
		require.EqualValues(t, 1, told[0].Pairs)
	}
}

// A service that three hosts of the site use is none, a host with many is told
// at its first and its tenth, and a state remembers what was told.
func TestBeaconsOfASite(t *testing.T) {
	s := afterADay(t, 20)
	for _, host := range []string{"10.0.0.2", "10.0.0.3", "10.0.0.4"} {
		s.beaconing(host, "192.0.2.9:443", 60e6, 0, 1)
	}
	require.Empty(t, s.beaconing("10.0.0.2", "192.0.2.9:443", 60e6, 0, 30))

	// What belongs to a beacon alone is in no other incident, told or not.
	var in []*Incident
	for _, resp := range []string{"192.0.2.10:443", "192.0.2.11:443"} {
		r := Row{Orig: netip.MustParseAddrPort("10.0.0.6:1"), Resp: netip.MustParseAddrPort(resp), Own: true, Score: 0.4, Calls: true}
		for met := false; !met; {
			s.ts += 60e6
			if r.TS = s.ts; s.Unusual(&r) {
				require.Equal(t, Folded, s.Raise(&r))
				require.Nil(t, s.Incident())
				in, met = append(in, s.Beacon()), true
			}
		}
	}
	require.NotNil(t, in[0])
	require.Nil(t, in[1], "the second of its host is not told")
	s.end()
	s.told = nil

	told := 0
	for i := range 12 {
		told += len(s.beaconing("10.0.0.2", fmt.Sprintf("192.0.2.%d:443", 20+i), 60e6, 0.1, 12))
	}
	require.Equal(t, 2, told)
	again := &stream{Policy: New(20), ts: s.ts}
	require.NoError(t, again.RestoreState(s.AppendState(nil)))
	require.Empty(t, again.beaconing("10.0.0.2", "192.0.2.25:443", 60e6, 0, 30))
	require.Len(t, again.beaconing("10.0.0.5", "192.0.2.25:443", 60e6, 0, 30), 1)
	require.Empty(t, s.end())
}

// A clock that jumps and comes back stops nothing.
func TestClockJump(t *testing.T) {
	s := afterADay(t, 20)
	before := s.ts
	s.ts += 365 * day
	require.Equal(t, Suppressed, s.own("10.0.0.2", "192.0.2.9:1", 0.8), "the log begins anew")
	s.ts = before
	for range 2 * openingRows {
		s.ts += minute
		s.own("10.0.0.1", "192.0.2.1:443", 0.4)
	}
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.9:1", 0.8))
}

// A policy that was kept in a state goes on as if nothing had happened.
func TestStateGoesOn(t *testing.T) {
	play := func(s *stream, from, to int) (verdicts []Verdict) {
		for i := from; i < to; i++ {
			s.ts += 7e6
			host := netip.AddrFrom4([4]byte{10, 3, byte(i % 7), byte(i % 31)}).String()
			if i%5 == 1 {
				verdicts = append(verdicts, s.of([]string{"dns", "ssl"}[i%2], host, uint64(i%40), 0.5+float64(i*i%991)/4000))
			} else if i%3 == 0 {
				verdicts = append(verdicts, s.inbound("198.51.100.7", netip.AddrPortFrom(netip.MustParseAddr(host), 22).String(), 0.5+float64(i*i%1000)/4000))
			} else {
				verdicts = append(verdicts, s.own(host, "192.0.2.9:22", 0.5+float64(i*i%997)/4000))
			}
		}
		return verdicts
	}
	whole := afterADay(t, 100)
	want := play(whole, 0, 40000)
	halves := afterADay(t, 100)
	got := play(halves, 0, 20000)
	state := halves.AppendState(nil)
	again := &stream{Policy: New(100), ts: halves.ts, told: halves.told}
	require.NoError(t, again.RestoreState(state))
	require.Equal(t, state, again.AppendState(nil))
	got = append(got, play(again, 20000, 40000)...)
	require.Equal(t, want, got)
	require.Equal(t, whole.end(), again.end())
	require.Contains(t, want, Raise)
	require.Contains(t, want, Folded)
	require.Contains(t, want, Suppressed)

	for cut := 1; cut < len(state); cut += len(state) / 50 {
		fresh := New(100)
		require.ErrorContains(t, fresh.RestoreState(state[:cut]), "damaged")
		require.Equal(t, New(100).begun, fresh.begun, "nothing has changed")
	}
	require.NoError(t, New(1).RestoreState(nil))
	require.NoError(t, New(1).RestoreState([]byte{1, 2, 3}), "an older version begins a new day")
}

func FuzzState(f *testing.F) {
	s := &stream{Policy: New(100), ts: 1e15}
	for i := range 200 {
		s.ts += 60e6
		s.own("10.0.0.2", netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), uint16(i)).String(), 0.65)
	}
	f.Add(s.AppendState(nil))
	f.Fuzz(func(t *testing.T, state []byte) {
		s := &stream{Policy: New(100), ts: 1e15}
		if s.RestoreState(state) != nil {
			return
		}
		for range 50 {
			s.ts += 600e6
			s.own("10.0.0.2", "192.0.2.9:1", 0.7)
			s.inbound("198.51.100.7", "10.0.0.3:22", 0.7)
		}
		s.end()
	})
}

func TestDoesNotAllocate(t *testing.T) {
	s := afterADay(t, 60)
	each, logs := func(*Incident) {}, []string{"", "dns", "ssl"}
	for _, log := range logs {
		s.of(log, "10.0.0.2", 0, 0.4)
	}
	i := 0
	require.Zero(t, testing.AllocsPerRun(20_000, func() {
		s.ts += 1e6
		r := Row{TS: s.ts, Calls: i%2 == 0, Orig: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 12), byte(i >> 4)}), 1),
			Resp: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), uint16(i)), Own: true, Score: 0.4 + float64(i%50)/100,
			Log: logs[i%3], Name: uint64(i % 9)}
		s.Incidents(false, each)
		if s.Unusual(&r) {
			s.Raise(&r)
		}
		i++
	}))
}

// BenchmarkPolicy is what an ordinary row costs, and one of a scan.
func BenchmarkPolicy(b *testing.B) {
	for name, score := range map[string]float64{"ordinary": 0.4, "scan": 0.65, "ordinary and outbound": 0.401} {
		b.Run(name, func(b *testing.B) {
			p := New(20)
			r := Row{TS: 1e15, Orig: netip.MustParseAddrPort("10.0.0.9:1"), Resp: netip.MustParseAddrPort("192.0.2.9:22"), Own: true, Score: score, Calls: score == 0.401}
			each := func(*Incident) {}
			for b.Loop() {
				r.TS += 1e4
				p.Incidents(false, each)
				if p.Unusual(&r) {
					p.Raise(&r)
				}
			}
		})
	}
}
