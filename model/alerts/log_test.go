package alerts

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func (s *stream) of(log, orig string, name uint64, score float64) Verdict {
	return s.see(Row{Log: log, Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 1024), Resp: netip.MustParseAddrPort("192.0.2.53:53"), Own: true, Score: score, Name: name})
}

// A log in which everything looks strange, from many hosts all day long, takes
// no alert from the others; by itself it would have the whole budget.
func TestANoisyLogEatsNothing(t *testing.T) {
	play := func(logs ...string) (raised map[string]int) {
		s := afterADay(t, 12)
		raised = map[string]int{}
		for i := range 2 * 24 * 60 {
			s.ts += minute
			for _, log := range logs {
				host, score := fmt.Sprintf("10.1.0.%d", i%200), 0.6+float64(i%83)/1000
				if log != "dns" { // once in two hours, and less strange
					if i%120 != 7 {
						continue
					}
					host, score = fmt.Sprintf("10.2.0.%d", i/120), 0.57
				}
				if s.of(log, host, 0, score) == Raise {
					raised[log]++
				}
			}
		}
		return raised
	}
	alone, both := play(""), play("", "dns")
	require.GreaterOrEqual(t, alone[""], 16, "of 24")
	require.GreaterOrEqual(t, both[""], 10, "its half of the budget of two days, and no more is left")
	require.LessOrEqual(t, both[""]+both["dns"], 24)
	require.Greater(t, play("dns")["dns"], both["dns"], "what the others do not need goes to the noisy log")
}

// The threshold of a log does not follow from the scores of another.
func TestEachLogHasItsOwnThreshold(t *testing.T) {
	s := afterADay(t, 4)
	for i := range 24 * 60 {
		s.ts += minute
		s.of("ssl", fmt.Sprintf("10.1.0.%d", i%200), 0, 0.8)
	}
	require.Greater(t, s.logs[1].limit, s.logs[0].limit)
	require.Equal(t, leastBin, s.logs[0].limit, "conn.log had nothing to tell")
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.9:1", 0.6), "and now it has")
}

// A client has one incident. A domain that nobody was told of is an alert of
// its own, as far as the day goes: each alert of a host makes the next harder.
func TestAnotherDomainIsAnAlertOfItsOwn(t *testing.T) {
	s := afterADay(t, 20)
	require.Equal(t, Raise, s.of("dns", "10.0.0.2", 1, 0.65))
	require.Equal(t, Folded, s.of("dns", "10.0.0.2", 1, 0.65), "the same")
	require.Equal(t, Raise, s.of("dns", "10.0.0.2", 2, 0.65))
	require.Equal(t, Folded, s.of("dns", "10.0.0.2", 1, 0.65), "both were told")
	require.Equal(t, Folded, s.of("dns", "10.0.0.2", 2, 0.65))
	require.Equal(t, Folded, s.of("ssl", "10.0.0.2", 0, 0.65), "what has no name belongs to the client")

	raised := 0
	for i := range 3000 { // made-up names: each has a domain of its own
		s.ts += 1e6
		if s.of("dns", "10.0.0.2", uint64(100+i), 0.65) == Raise {
			raised++
		}
	}
	require.LessOrEqual(t, raised, maxNames-2)
	require.Equal(t, Raise, s.own("10.0.0.3", "192.0.2.2:22", 0.7), "and leaves room for others")
}

// An incident says of which log its strangest row is, by how far it lies beyond
// its log's threshold.
func TestIncidentOfSeveralLogs(t *testing.T) {
	s := afterADay(t, 20)
	for i := range 24 * 60 { // scores of ssl.log are high by nature
		s.ts += minute
		s.of("ssl", fmt.Sprintf("10.1.0.%d", i%200), 0, 0.75)
	}
	s.end()
	s.told = nil
	require.Equal(t, Raise, s.own("10.0.0.2", "192.0.2.9:1", 0.65))
	for range 12 {
		s.ts += 1e6
		s.of("ssl", "10.0.0.2", 0, 0.76)
	}
	for range 12 {
		s.ts += 1e6
		s.of("dns", "10.0.0.2", 0, 0.64)
	}
	told := s.end()
	i := told[len(told)-1]
	require.Equal(t, netip.MustParseAddr("10.0.0.2"), i.Host.Addr)
	require.Empty(t, i.Log)
	require.False(t, i.OneLog)
	require.InDelta(t, 0.65, i.Score, 1e-9)
}

func TestWhoseARowOfAnotherLogIs(t *testing.T) {
	for _, c := range []struct {
		orig, resp string
		own        bool
	}{
		{"10.0.0.2:1", "192.0.2.53:53", true},
		{"10.0.0.2:1", "10.0.0.53:53", true},
		{"198.51.100.9:1", "10.0.0.9:443", false},
		{"[2001:db8::1]:1", "[2001:db8:1::53]:53", true},
	} {
		r := RowOfLog("dns", &conn.Conn{Orig: netip.MustParseAddrPort(c.orig), Resp: netip.MustParseAddrPort(c.resp)}, 0, 0.6, false, "")
		require.Equal(t, c.own, r.Own, "%s → %s", c.orig, c.resp)
		require.False(t, r.Calls)
	}
}

// A name for each row of a capture: no more than maxLogs are kept.
func TestMoreLogsThanFit(t *testing.T) {
	s := afterADay(t, 20)
	for i := range 3 * maxLogs {
		s.of(fmt.Sprintf("log%d", i), "10.0.0.2", 0, 0.7)
	}
	require.Len(t, s.logs, maxLogs)
	require.Equal(t, Suppressed, s.of("another", "10.0.0.7", 0, 0.9))
	require.Equal(t, Raise, s.own("10.0.0.3", "192.0.2.2:22", 0.7))
}

// One log alone has the whole budget: with fewer hours than lines all of them
// pass, with as many the weakest of them is the threshold.
func TestShares(t *testing.T) {
	for _, tt := range []struct{ hours, want []uint32 }{
		{[]uint32{0}, []uint32{10}},
		{[]uint32{19}, []uint32{20}},
		{[]uint32{20}, []uint32{20}},
		{[]uint32{500}, []uint32{20}},
		{[]uint32{500, 500}, []uint32{10, 10}},
		{[]uint32{500, 2}, []uint32{15, 5}},
		{[]uint32{500, 7}, []uint32{13, 8}},
	} {
		got := make([]uint32, len(tt.hours))
		shares(20, tt.hours, got)
		require.Equal(t, tt.want, got, "%v", tt.hours)
	}
	l := logDay{best: make([]uint32, bins)}
	for i := range 20 {
		l.best[leastBin+100+i] = 1
	}
	l.settle(20, 20)
	require.Equal(t, leastBin+100, l.limit)
	l.settle(20, 21)
	require.Equal(t, leastBin, l.limit)
}
