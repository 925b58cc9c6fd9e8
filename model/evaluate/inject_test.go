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

func TestLayWithoutHosts(t *testing.T) {
	rows := workday()
	for i := range rows {
		rows[i].Conn.LocalOrig = false
	}
	_, err := NewSite(rows)
	require.ErrorContains(t, err, "no host of the site's own")
}
