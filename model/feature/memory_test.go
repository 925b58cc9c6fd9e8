package feature

import (
	"math"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestMemoryOfAPair(t *testing.T) {
	const day = 86400
	h := NewHosts(10)
	sent := func(second int64, bytes uint64, seconds int64) Memory {
		c := row(second, "10.0.0.1", "192.0.2.1", 4444, conn.SF)
		c.OrigIPBytes, c.Duration, c.Set = bytes, conn.Micros(seconds*1e6), conn.Duration
		return h.Observe(&c).Memory
	}
	require.Equal(t, Memory{PairBytes: 1000, PairSeconds: 10, PortUses: 1, Uses: 1}, sent(100*day, 1000, 10))
	require.Equal(t, Memory{PairBytes: 3000, PairSeconds: 40, PortUses: 2, Uses: 2}, sent(100*day+60, 2000, 30))
	w := sent(101*day+60, 0, 0)
	require.InDelta(t, 1500, float64(w.PairBytes), 15, "halved in a day")
	require.InDelta(t, 20, float64(w.PairSeconds), 1)
	require.Equal(t, w.PairBytes, sent(101*day-3600, 0, 0).PairBytes, "an older row does not decay it")
	require.Zero(t, sent(300*day, 0, 0).PairBytes)

	other := row(300*day, "10.0.0.1", "192.0.2.2", 4444, conn.SF)
	require.Equal(t, uint64(0), h.Observe(&other).PairBytes, "another responder is another pair")
}

func TestMemoryOfAResponder(t *testing.T) {
	h := NewHosts(10)
	fails := func(second int64, orig string, state conn.State) uint32 {
		c := row(second, orig, "192.0.2.1", 22, state)
		return h.Observe(&c).RespFailures
	}
	require.Equal(t, uint32(1), fails(6000, "10.0.0.1", conn.S0))
	require.Equal(t, uint32(2), fails(6060, "10.0.0.2", conn.REJ), "of another originator")
	require.Equal(t, uint32(2), fails(6061, "10.0.0.3", conn.SF), "a success counts none")
	require.Equal(t, uint32(1), fails(6300, "10.0.0.3", conn.SF), "the first minute is forgotten")
	require.Equal(t, uint32(0), fails(9000, "10.0.0.3", conn.SF))
}

func TestMemoryOfAnOriginatorsPorts(t *testing.T) {
	h := NewHosts(10)
	var s Sample
	use := func(port uint16) float32 {
		c := row(6000, "10.0.0.1", "192.0.2.1", port, conn.SF)
		s.SetConn(&c, h.Observe(&c), nil)
		return s.Vector[originatorPort]
	}
	for range 99 {
		use(443)
	}
	require.InDelta(t, math.Log(102/1.5), use(4444), 0.02, "the first of a hundred")
	require.Less(t, use(443), float32(0.05))
	for range 2 * maxUses {
		use(443)
	}
	require.InDelta(t, 0, use(443), 0.01, "counted no further, and no share above one")
}

// What is forgotten is what was used longest ago.
func TestMemoryIsBounded(t *testing.T) {
	h := NewHosts(2)
	met := func(i byte) uint64 {
		c := row(6000, "10.0.0.1", netip.AddrFrom4([4]byte{192, 0, 2, i}).String(), 80, conn.SF)
		c.OrigIPBytes = 10
		return h.Observe(&c).PairBytes
	}
	for i := range byte(2 * pairsPerHost) {
		require.Equal(t, uint64(10), met(i))
	}
	require.Equal(t, uint64(20), met(0), "still there")
	met(200)
	require.Equal(t, uint64(10), met(1), "forgotten for 200")
	require.Equal(t, uint64(30), met(0), "used lately")
	require.Equal(t, pairsPerHost*2, h.memory.pairs.keys.Len())
}

func TestMemoryOfAMillionPairs(t *testing.T) {
	const most = 64e6
	perPair := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newTable[pair](1 << 20)
		}
	}).AllocedBytesPerOp()
	require.LessOrEqual(t, perPair, int64(most))
}

func TestOneWay(t *testing.T) {
	for _, tc := range []struct {
		name       string
		proto      conn.Proto
		orig, resp string
		want       bool
	}{
		{"echo", conn.ICMP, "10.0.0.1:8", "10.0.0.2:0", false},
		{"unreachable", conn.ICMP, "10.0.0.1:3", "10.0.0.2:4", true},
		{"neighbour solicitation", conn.ICMP, "[fe80::1]:135", "[fe80::2]:136", true},
		{"echo, IPv6", conn.ICMP, "[fe80::1]:128", "[fe80::2]:129", false},
		{"mDNS", conn.UDP, "10.0.0.1:5353", "224.0.0.251:5353", true},
		{"mDNS, IPv6", conn.UDP, "[fe80::1]:5353", "[ff02::fb]:5353", true},
		{"SSDP", conn.UDP, "10.0.0.1:50000", "239.255.255.250:1900", true},
		{"DHCP", conn.UDP, "0.0.0.0:68", "255.255.255.255:67", true},
		{"DHCP's answer", conn.UDP, "10.0.0.3:68", "10.0.0.2:67", true},
		{"NetBIOS", conn.UDP, "10.0.0.1:137", "10.0.0.255:137", true},
		{"DNS", conn.UDP, "10.0.0.1:40000", "10.0.0.2:53", false},
		{"a scan of .255", conn.TCP, "10.0.0.1:40000", "10.0.0.255:80", false},
	} {
		c := conn.Conn{Proto: tc.proto, State: conn.S0, Orig: netip.MustParseAddrPort(tc.orig), Resp: netip.MustParseAddrPort(tc.resp)}
		w := NewHosts(1).Observe(&c)
		require.Equal(t, tc.want, w.OneWay, tc.name)
		failures := uint32(1)
		if tc.want {
			failures = 0
		}
		require.Equal(t, failures, w.Failures, tc.name)
		require.Equal(t, failures, w.RespFailures, tc.name)
	}
}
