package feature

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

func TestColdnessInAPartitionIsTheHostsOwn(t *testing.T) {
	const day = 86400
	cold := func(h *Hosts, second int64, orig string) bool {
		c := row(second, orig, "192.0.2.1", 22, conn.SF)
		return h.Observe(&c).Cold
	}
	h := NewPartition(2)
	require.True(t, cold(h, 3*day, "10.0.0.1"), "what it did before is not known")
	require.True(t, cold(h, 3*day+299, "10.0.0.1"))
	require.False(t, cold(h, 3*day+300, "10.0.0.1"))

	h = NewPartition(2)
	h.BeginAt(conn.Micros(day * 1e6))
	require.Equal(t, conn.Micros(day*1e6), h.Opening())
	for i := range 4 { // one after the other, more than there is room for, and the third day before the first
		orig := fmt.Sprintf("10.0.0.%d", i)
		require.False(t, cold(h, 3*day, orig), orig)
		require.False(t, cold(h, 3*day+10, orig), orig)
		orig = fmt.Sprintf("10.0.1.%d", i)
		require.True(t, cold(h, day+299, orig), orig)
		require.False(t, cold(h, day+300, orig), orig)
	}
	require.True(t, cold(h, 3*day+299, "10.0.0.1"), "it had to make room, and its connections with it")
	require.False(t, cold(h, 3*day+310, "10.0.0.1"))
}

func TestFailuresInAPartitionAreTheOriginatorsOwn(t *testing.T) {
	h, all := NewPartition(10), NewResponders(10)
	for _, tc := range []struct {
		second   int64
		orig     string
		state    conn.State
		own, any uint32
	}{
		{6000, "10.0.0.1", conn.S0, 1, 1},
		{6001, "10.0.0.2", conn.REJ, 1, 2},
		{6002, "10.0.0.1", conn.S0, 2, 3},
		{6003, "10.0.0.3", conn.SF, 0, 3},
		{6300, "10.0.0.2", conn.SF, 0, 0},
	} {
		c := row(tc.second, tc.orig, "192.0.2.1", 22, tc.state)
		require.Equal(t, tc.own, h.Observe(&c).RespFailures, "%+v", tc)
		require.Equal(t, tc.any, all.Observe(&c), "%+v", tc)
	}
}

func TestOrder(t *testing.T) {
	o := NewOrder(2)
	a, b := [16]byte{1}, [16]byte{2}
	for _, tc := range []struct {
		key [16]byte
		n   int64
		ok  bool
	}{{a, -5, true}, {b, 7, true}, {a, 3, true}, {b, 7, false}, {b, 6, false}, {b, 8, true}, {a, 4, true}} {
		_, ok := o.Follows(tc.key, tc.n)
		require.Equal(t, tc.ok, ok, "%+v", tc)
	}
}
