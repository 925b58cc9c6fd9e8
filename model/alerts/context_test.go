package alerts

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// The same addresses in two VLANs are two hosts, with an incident each that says
// which one it is, also after a restart.
func TestEachContextHasItsIncident(t *testing.T) {
	s := afterADay(t, 20)
	row := func(context string) Verdict {
		return s.see(Row{Orig: netip.MustParseAddrPort("10.0.0.2:1024"), Resp: netip.MustParseAddrPort("192.0.2.9:1"), In: context, Own: true, Score: 0.65})
	}
	for _, context := range []string{"", "vlan=10", "vlan=11"} {
		require.Equal(t, Raise, row(context), context)
		require.Equal(t, Folded, row(context), context)
	}
	again := New(20)
	require.NoError(t, again.RestoreState(s.AppendState(nil)))
	s.Policy = again
	for range 3 {
		require.Equal(t, Folded, row("vlan=10"))
	}
	for _, i := range s.end() {
		require.Equal(t, "10.0.0.2 (vlan=10)", i.Host.String(), "the only one of three")
		require.EqualValues(t, 4, i.Count)
	}
	require.Len(t, s.told, 1)
}

// Beacons are of one context, too: what is steady in one is not broken by what
// the same addresses do in another.
func TestBeaconInAContext(t *testing.T) {
	s := afterADay(t, 20)
	var told []conn.Host
	for i := range 40 {
		s.ts += 60e6
		for _, context := range []string{"vlan=10", "vlan=11"} {
			if context == "vlan=11" && i%3 > 0 {
				continue
			}
			s.see(Row{Orig: netip.MustParseAddrPort("10.0.0.2:1024"), Resp: netip.MustParseAddrPort("192.0.2.9:443"), In: context, Own: true, Calls: true, Score: 0.4})
			s.ts += 6e6
		}
	}
	for _, i := range s.end() {
		if i.Period > 0 {
			told = append(told, i.Host)
		}
	}
	require.Equal(t, []conn.Host{{Addr: netip.MustParseAddr("10.0.0.2"), Context: "vlan=10"}}, told[:1])
	require.NotContains(t, told, conn.Host{Addr: netip.MustParseAddr("10.0.0.2")})
}

// A connection of one context that goes on is not one of another.
func TestLookInAContext(t *testing.T) {
	a := Row{TS: 1e15, Orig: netip.MustParseAddrPort("10.0.0.2:1024"), Resp: netip.MustParseAddrPort("192.0.2.9:1"), In: "vlan=10", Score: 0.7}
	l := newToldLong()
	l.add(&a)
	require.True(t, l.before(&a))
	a.In = "vlan=11"
	require.False(t, l.before(&a))
}
