package evaluate

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// workday is a day of connections of two hosts, one each minute.
func workday() (rows []Row) {
	for i := range 24 * 60 {
		c := conn.Conn{TS: conn.Micros(i) * 60 * second, Duration: second, Set: conn.Duration | conn.LocalOrig | conn.LocalResp, LocalOrig: true}
		c.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + i%2)}), 1000)
		c.Resp = netip.MustParseAddrPort("192.0.2.1:443")
		rows = append(rows, Row{Conn: c})
	}
	return rows
}

func TestLay(t *testing.T) {
	rows := workday()
	site, err := NewSite(rows)
	require.NoError(t, err)
	for _, a := range Attacks {
		require.NotEmpty(t, a.Source, a.Name)
		for seed := range uint64(20) {
			laid, err := site.Lay(a, rand.New(rand.NewPCG(seed, 0)))
			require.NoError(t, err)
			again, err := site.Lay(a, rand.New(rand.NewPCG(seed, 0)))
			require.NoError(t, err)
			require.Equal(t, laid, again, "the same place for the same numbers")

			attack, last, own := 0, conn.Micros(0), 0
			laid.Each(func(row *Row, is bool) {
				c := &row.Conn
				require.GreaterOrEqual(t, c.End(), last, "in the order of ends")
				last = c.End()
				if !is {
					require.Same(t, &rows[own], row)
					own++
					return
				}
				attack++
				require.True(t, c.Orig.Addr().IsPrivate(), "by a host of the site's own")
				require.True(t, c.Has(conn.LocalOrig|conn.LocalResp) && c.LocalOrig)
				require.Equal(t, !a.Outside, c.LocalResp)
				require.NotEqual(t, c.Orig.Addr(), c.Resp.Addr())
				require.GreaterOrEqual(t, c.TS, laid.Start)
			})
			require.Equal(t, len(rows), own)
			require.Equal(t, len(laid.Rows), attack)
		}
	}
}

// Where a site's VLANs use the same addresses, the attack is one host's of one
// VLAN, at a time when that one is at work, and stays in that VLAN.
func TestLayInContext(t *testing.T) {
	rows := workday()
	for i := range rows { // 10.0.0.1 and 10.0.0.2 of VLAN 10 before noon, 10.0.0.1 and 10.0.0.3 of VLAN 20 after it
		c := &rows[i].Conn
		c.Context = "vlan=10"
		if i >= len(rows)/2 {
			c.Context = "vlan=20"
			if i%2 == 1 {
				c.Orig = netip.MustParseAddrPort("10.0.0.3:1000")
			}
		}
	}
	site, err := NewSite(rows)
	require.NoError(t, err)
	seen := map[conn.Host]bool{}
	for _, a := range Attacks {
		for seed := range uint64(20) {
			laid, err := site.Lay(a, rand.New(rand.NewPCG(seed, 0)))
			require.NoError(t, err)
			for i := range laid.Rows {
				c := &laid.Rows[i].Conn
				seen[c.OrigHost()] = true
				require.NotEmpty(t, site.work[c.OrigHost()], "the site has no %v", c.OrigHost())
				require.Equal(t, laid.Start >= 12*3600*second, c.Context == "vlan=20", "%v is not at work", c.OrigHost())
				if c.LocalResp {
					require.Contains(t, site.peers, c.RespHost())
				}
			}
		}
	}
	require.Len(t, seen, 4)
}

func TestLayWithoutHosts(t *testing.T) {
	rows := workday()
	for i := range rows {
		rows[i].Conn.LocalOrig = false
	}
	_, err := NewSite(rows)
	require.ErrorContains(t, err, "no host of the site's own")
}
