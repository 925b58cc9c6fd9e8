package evaluate

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// The attacks of the other logs lie among a host's own rows, in order, and lack
// what the log has no column for.
func TestLayOtherLogs(t *testing.T) {
	resolver := netip.MustParseAddrPort("10.0.0.53:53")
	for name, test := range map[string]struct {
		own     any
		attacks []Attack
		absent  uint64
	}{
		"dns":  {&dnslog.Query{Absent: dnslog.TTLs}, DNSAttacks, uint64(dnslog.TTLs)},
		"http": {&httplog.Request{Absent: httplog.RequestType}, HTTPAttacks, uint64(httplog.RequestType)},
		"ssl":  {&ssllog.Handshake{}, SSLAttacks, 0},
	} {
		rows := workday()
		for i := range rows {
			rows[i].Conn = conn.Conn{TS: rows[i].Conn.TS, Orig: rows[i].Conn.Orig, Resp: resolver}
			rows[i].Value = test.own
		}
		site, err := NewSite(rows)
		require.NoError(t, err)
		for _, a := range test.attacks {
			require.NotEmpty(t, a.Source, a.Name)
			laid, err := site.Lay(a, rand.New(rand.NewPCG(1, 0)))
			require.NoError(t, err, a.Name)
			last, own, seen := conn.Micros(0), 0, map[string]bool{}
			laid.Each(func(row *Row, attack bool) {
				require.GreaterOrEqual(t, row.Conn.TS, last, a.Name)
				last = row.Conn.TS
				require.IsType(t, test.own, row.Value)
				require.Equal(t, test.absent, row.absent(), a.Name)
				if !attack {
					own++
					return
				}
				require.True(t, row.Conn.Orig.Addr().IsPrivate())
				require.Equal(t, a.Outside, row.Conn.Resp.Addr() == outside, a.Name)
				require.Equal(t, a.Resolver, row.Conn.Resp == resolver, a.Name)
				if q, ok := row.Value.(*dnslog.Query); ok {
					require.NoError(t, q.Check())
					require.False(t, q.Has(dnslog.TTLs))
					seen[q.Query] = true
				}
			})
			require.Equal(t, len(rows), own)
			if name == "dns" { // each query is a name of its own, but for short ones
				require.Greater(t, len(seen), len(laid.Rows)*9/10, a.Name)
			}
		}
	}
}

func TestMadeUpDomain(t *testing.T) {
	assert.Equal(t, "intgmxdeadnxuyla.com", madeUp(2014, 1, 7))
	assert.Equal(t, "axwscwsslmiagfah.com", madeUp(2014, 1, 8))
	assert.Equal(t, "rldywxlplsyiodfb.com", madeUp(2020, 12, 30))
}
