package feature

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// in is the connection in a context.
func in(context string, c conn.Conn) *conn.Conn {
	c.Context = context
	return &c
}

// The same addresses in two VLANs are two originators, two responders and two
// pairs, as those of other addresses are: each counts as it would alone.
func TestContextsAreOtherHosts(t *testing.T) {
	rows := []conn.Conn{
		row(60000, "10.0.0.1", "10.1.0.1", 80, conn.S0),
		row(60001, "10.0.0.1", "10.1.0.2", 81, conn.REJ),
		row(60002, "10.0.0.1", "10.1.0.1", 80, conn.SF),
		row(60003, "fe80::1", "fe80::2", 80, conn.S0),
		row(60004, "fe80::1", "fe80::2", 80, conn.S0),
	}
	alone, mixed := NewHosts(20), NewHosts(20)
	for i := range rows {
		c := &rows[i]
		want := alone.Observe(c)
		for _, context := range []string{"", "vlan=10", "inner_vlan=3,vlan=10", "vlan=11"} {
			require.Equal(t, want, mixed.Observe(in(context, *c)), "%s, row %d", context, i)
		}
	}
	require.Equal(t, 2, alone.Len())
	require.Equal(t, 8, mixed.Len())

	byResponder := NewResponders(20)
	require.EqualValues(t, 1, byResponder.Observe(&rows[0]))
	require.EqualValues(t, 1, byResponder.Observe(in("vlan=10", rows[0])))
	require.EqualValues(t, 2, byResponder.Observe(in("vlan=10", rows[0])))
}

// A learner, too, takes them for two.
func TestContextsAreOtherHostsToALearner(t *testing.T) {
	c := row(60000, "10.0.0.1", "10.1.0.1", 80, conn.SF)
	host, chance := connKeys(&c)
	other, others := connKeys(in("vlan=10", c))
	require.NotEqual(t, host, other)
	require.NotEqual(t, chance, others)
}

// Without a context a host is its address, so that nothing changes where Zeek
// goes by addresses and ports alone; in one, no two addresses are the same.
func TestHostKey(t *testing.T) {
	a := netip.MustParseAddr("10.0.0.1")
	require.Equal(t, a.As16(), HostKey(conn.Host{Addr: a}))
	_, hash := hostHash(conn.Host{Addr: a})
	require.Equal(t, addressHash(a.As16()), hash)

	seen := map[[16]byte]string{}
	for _, context := range []string{"", "vlan=1", "vlan=2", "vlan=10", "vxlan_vni=1"} {
		a := netip.MustParseAddr("10.0.0.0")
		for range 4096 {
			h := conn.Host{Addr: a, Context: context}
			require.Empty(t, seen[HostKey(h)], "%v", h)
			seen[HostKey(h)] = h.String()
			a = a.Next()
		}
	}
}

func BenchmarkObserveInContext(b *testing.B) {
	h := NewHosts(1000)
	c := row(60000, "10.0.0.1", "10.1.0.1", 80, conn.SF)
	for _, context := range []string{"", "vlan=10"} {
		b.Run(context, func(b *testing.B) {
			c.Context = context
			for b.Loop() {
				h.Observe(&c)
			}
		})
	}
}

func TestObserveInContextDoesNotAllocate(t *testing.T) {
	h := NewHosts(1000)
	c := row(60000, "10.0.0.1", "10.1.0.1", 80, conn.SF)
	c.Context = "inner_vlan=20,vlan=10"
	require.Zero(t, testing.AllocsPerRun(100, func() { h.Observe(&c) }))
}
