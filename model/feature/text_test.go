package feature

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestAppendValue(t *testing.T) {
	e, err := NewEncoder(Conn, tablesOf(100000,
		[]CodeCount{{uint64(conn.TCP), 99999}},
		[]CodeCount{{CodeOf("ssl"), 8333}},
		[]CodeCount{{uint64(conn.SF), 60000}, {uint64(conn.RSTRH), 18}},
		[]CodeCount{{port(conn.TCP, 443), 250}}))
	require.NoError(t, err)
	c := full()
	c.OrigBytes, c.OrigPkts = 4_200_000_000, 1_234_567
	w := Window{Connections: 1000, Failures: 999, Responders: 212, Ports: 23,
		Memory: Memory{RespFailures: 1234, PairBytes: 8_400_000_000, PairSeconds: 7300, PortUses: 3, Uses: maxUses}}
	texts := func(c conn.Conn) (got []string) {
		for i := range Conn.Features {
			got = append(got, string(e.AppendConn([]byte("x"), i, &c, w))[1:])
		}
		return got
	}
	require.Equal(t, []string{
		"1.1 s", "4.2 GB", "4.0 kB", "1,234,567", "16", "1.0 kB", "1.2 kB", "5.1 kB",
		"tcp, over 99 % of connections", "ssl, 1 in 12 connections", "SF, 60 % of connections", "443/tcp, 1 in 400 connections",
		"1,000", "over 99 %", "about 210", "23", "999",
		"1,234", "8.4 GB", "2.0 h", "443/tcp, 3 of its 256 or more connections",
	}, texts(c))

	w = Window{Connections: 1}
	c = conn.Conn{State: conn.RSTRH, Resp: c.Resp}
	require.Equal(t, []string{
		"unset", "unset", "unset", "0", "0", "0 B", "0 B", "0 B",
		"unknown_transport, never seen", "unset, never seen", "RSTRH, 1 in 5,400 connections", "443/unknown_transport, never seen",
		"1", "0 %", "0", "0", "0",
		"0", "0 B", "0 µs", "443/unknown_transport, 0 of its 0 connections",
	}, texts(c))
}

func TestAppendUsual(t *testing.T) {
	count := func(n ...uint64) (r Range) {
		for i := range r {
			r[i] = LogCount(n[i])
		}
		return r
	}
	for _, tc := range []struct {
		feature int
		r       Range
		x       float32
		want    string
	}{
		{origBytes, count(0, 10, 100, 1000, 10000, 31e6, 31e7), LogCount(4.2e9), "under 31 MB"},
		{origBytes, count(0, 10, 100, 1000, 10000, 31e6, 31e7), LogCount(9), "over 10 B"},
		{origBytes, count(0, 10, 100, 1000, 10000, 31e6, 31e7), Unset, "over 10 B"},
		{origBytes, count(0, 10, 100, 1000, 10000, 31e6, 31e7), LogCount(5000), "10 B to 31 MB"},
		{origBytes, Range{Unset, Unset, Unset, Unset, Unset, Unset, 3}, LogCount(5000), "unset"},
		{origBytes, Range{Unset, Unset, Unset, Unset, 1, LogCount(8), 3}, LogCount(5000), "under 9 B"},
		{origPkts, count(1, 1, 1, 2, 3, 4, 5), LogCount(5), "under 5"},
		{missedBytes, count(0, 0, 0, 0, 0, 0, 9), LogCount(5), "0 B"},
		{duration, Range{Unset, LogSeconds(0), 0, 0, 0, LogSeconds(3 * 3600e6), 9}, LogSeconds(86400e6), "under 3.0 h"},
		{origBytes, Range{Unset, Unset, Unset, 1, 1, LogCount(8), 9}, Unset, "unset or up to 8 B"},
		{duration, Range{Unset, LogSeconds(10), 0, 0, 0, LogSeconds(119e6), 9}, LogSeconds(86400), "10 µs to 119 s"},
		{responders, count(1, 1, 2, 3, 5, 9, 20), LogCount(212), "3"},
		{failedShare, Range{0, 0, 0, 0.25, 1, 1, 1}, 1, "25 %"},
		{portRarity, Range{0, 0, 0, 0, 0, rarity(50, 10000), 9}, 3, "1 in 200 connections or more"},
	} {
		require.Equal(t, tc.want, string(Conn.AppendUsual(nil, tc.feature, &tc.r, tc.x)), "%s %v", Conn.Features[tc.feature].Name, tc.r)
	}
}

func TestUnits(t *testing.T) {
	for x, want := range map[float64]string{
		-1: "0 B", 0: "0 B", 999: "999 B", 1000: "1.0 kB", 9949: "9.9 kB", 9951: "10 kB", 999499: "999 kB", 999500: "1.0 MB",
		1 << 63: "9.2 EB", 1e22: "10000 EB",
	} {
		require.Equal(t, want, string(AppendBytes(nil, x)), x)
	}
	for x, want := range map[float64]string{
		-1: "0 µs", 0: "0 µs", 1e-6: "1 µs", 0.000999: "999 µs", 0.0009999: "1.0 ms", 0.012: "12 ms", 0.99951: "1.0 s",
		61: "61 s", 120: "2.0 min", 3600: "60 min", 7200: "2.0 h", 86400 * 2: "2.0 days", 86400 * 400: "400 days",
	} {
		require.Equal(t, want, string(AppendSeconds(nil, x)), x)
	}
	for x, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", 999.6: "1,000"} {
		require.Equal(t, want, string(AppendCount(nil, x)), x)
	}
	for x, want := range map[float64]string{0: "0 %", 1: "100 %", 0.004: "under 1 %", 0.996: "over 99 %", 0.5: "50 %"} {
		require.Equal(t, want, string(AppendPercent(nil, x)), x)
	}
}
