package httplog_test

import (
	"net/netip"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	. "github.com/zeek-iforest/zeek-iforest/model/httplog"
)

// Whatever a request's texts are, its row is one that a model takes, and what is
// said of it can be printed.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "www.example.com:80", "/a.png?b=c", "curl/8.5.0", "text/html", uint64(200), int64(1), uint16(80), uint16(0))
	f.Add("\\x", "[::1]:", "\xff?/.", "1.2_3", "", uint64(1<<63), int64(-1), uint16(0), uint16(0xffff))
	e := rowtest.Encoder(f, Set)
	f.Fuzz(func(t *testing.T, method, host, uri, agent, mime string, n uint64, ts int64, port, fields uint16) {
		q := Request{
			Seen:   conn.Seen{TS: conn.Micros(ts), Orig: netip.AddrPortFrom(netip.IPv6Unspecified(), port), Resp: netip.AddrPortFrom(netip.IPv4Unspecified(), port)},
			Method: method, Host: host, URI: uri, UserAgent: agent, RequestType: mime, ResponseType: mime,
			StatusCode: n, RequestLength: n, ResponseLength: n, Set: Fields(fields), Absent: Fields(fields>>2) & (ResponseType<<1 - 1),
		}
		var r feature.Row
		rows := NewRows(2)
		w := rows.Observe(&q, &r)
		require.NoError(t, Set.CheckSample(&r.Sample))
		require.NotZero(t, r.Host)
		for i := range Set.Features {
			require.True(t, utf8.Valid(Append(nil, e, i, &q, &w)))
		}
		_, _ = q.Site(), q.StatusName()
	})
}
