package httplog_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/rowtest"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	. "github.com/zeek-iforest/zeek-iforest/model/httplog"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// site are n requests of a site; of them the last is odd.
func site(n int) []Request {
	r := rand.New(rand.NewPCG(4, 4))
	names := rand.NewZipf(r, 1.3, 1, 400)
	rows := make([]Request, n)
	for i := range rows {
		rows[i] = Request{
			Seen: conn.Seen{
				TS:   conn.Micros(i) * 2e6,
				Orig: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(20))}), uint16(40000+i%20000)), Resp: netip.MustParseAddrPort("192.0.2.1:80"),
			},
			Method: "GET", Host: []string{"www", "img", "static"}[r.IntN(3)] + fmt.Sprintf(".example%d.com", names.Uint64()),
			URI:        []string{"/", "/index.html", "/news/today/picture.png", "/search?q=weather"}[r.IntN(4)],
			UserAgent:  []string{"Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0", "Microsoft-CryptoAPI/10.0"}[r.IntN(2)],
			StatusCode: 200, ResponseLength: uint64(r.IntN(50000)), ResponseType: []string{"text/html", "image/png"}[r.IntN(2)],
			Set: StatusCode | RequestLength | ResponseLength,
		}
		if i%40 == 0 { // what a site has of old devices
			rows[i].UserAgent, rows[i].Method, rows[i].RequestLength = "", "POST", 300
			rows[i].Resp = netip.MustParseAddrPort("192.0.2.7:8080")
		}
	}
	last := &rows[n-1]
	last.Host, last.URI, last.UserAgent, last.ResponseType = "203.0.113.9:8082", "/lib/%2e%2e/%2e%2e/q7zk2xw9v4.png", "WinHTTP loader/1.0", "application/x-dosexec"
	last.Resp = netip.MustParseAddrPort("203.0.113.9:8082")
	return rows
}

func TestModelOfRequests(t *testing.T) {
	rows := site(3000) // beside old devices
	m, s := rowtest.OddLast(t, Set, rows, func() *Rows { return NewRows(100) })
	q := &Record{Request: rows[len(rows)-1], Rows: s}
	of := stream.Stream{Model: m}
	scored, err := of.Peek(q)
	require.NoError(t, err)
	require.NotEmpty(t, string(scored.AppendReason(nil)))
	all := ""
	for i := range Set.Features {
		all += string(q.AppendValue(append([]byte(Set.Features[i].Name), ": "...), m.Encoder(), i)) + "\n"
	}
	for _, want := range []string{
		"domain of host: 203.0.113.9, never seen\n", "user_agent: WinHTTP loader/1.0, never seen\n", "resp_port: 8082, never seen\n",
		"resp_mime_types: application/x-dosexec behind .png, never seen\n", "host is an address: 1\n", "depth of the uri: 4\n", "request_body_len: 0 B\n",
		"status_code: 200, over 99 % of requests\n", "orig_mime_types: unset, over 99 % of requests\n", "method: GET, 97 % of requests\n",
	} {
		require.Contains(t, all, want)
	}
	text := make([]byte, 0, 4096)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		scored, _ = of.Next(q)
		text = scored.AppendReason(text[:0])
	}))
}

// What five minutes, and the days before, make of a request.
func TestWindowOfRequests(t *testing.T) {
	s := NewRows(100)
	var r feature.Row
	near := func(n float64, name string) {
		t.Helper()
		require.InDelta(t, n, feature.Exp(float64(r.Vector[Set.Find(name)]))-1, n/8, name)
	}
	for i := range 100 {
		q := site(1)[0]
		q.TS, q.Host = conn.Micros(i)*1e6, "a.example.com"
		q.URI, q.StatusCode, q.UserAgent, q.RequestLength = fmt.Sprintf("/%09d", i), 404, "sqlmap/1.7", 990
		if i == 99 {
			q.UserAgent = "curl/8"
		}
		s.Observe(&q, &r)
	}
	near(100, "requests")
	near(100, "errors")
	near(100, "errors at the host")
	near(100, "uris")
	near(1, "hosts")
	near(100_000, "sent to the host")
	require.EqualValues(t, 1, r.Vector[Set.Find("error share")])
	require.Greater(t, r.Vector[Set.Find("user_agent for this originator")], float32(4))
	q := site(1)[0]
	q.TS, q.Host, q.Orig, q.StatusCode = 100e6, "A.Example.com:80", netip.MustParseAddrPort("10.9.9.9:1"), 401
	s.Observe(&q, &r)
	near(101, "errors at the host")
	near(1, "errors")
	require.Zero(t, r.Vector[Set.Find("host is an address")])
}

// The same row in its ways of being logged, and with what does not count.
func TestRowDoesNotDependOnHowItIsLogged(t *testing.T) {
	of := func(change func(*Request)) (r feature.Row) {
		q := site(2)[1]
		change(&q)
		NewRows(10).Observe(&q, &r)
		return r
	}
	for name, two := range map[string][2]func(*Request){
		"escapes":     {func(q *Request) { q.URI, q.Method, q.ResponseType = "/a\xffb?\x00", "\x16\x03", "\xfe" }, func(q *Request) { q.URI, q.Method, q.ResponseType = `/a\xffb?\x00`, `\x16\x03`, `\xfe` }},
		"host":        {func(q *Request) { q.Host = "WWW.Example.com.:8080" }, func(q *Request) { q.Host = "www.example.com" }},
		"agent":       {func(q *Request) { q.UserAgent = "Chrome/70.0.2228.0 (iPhone OS 12_1)" }, func(q *Request) { q.UserAgent = "Chrome/121 (iPhone OS 9)" }},
		"a uri's end": {func(q *Request) { q.URI = strings.Repeat("x", 60000) }, func(q *Request) { q.URI = strings.Repeat("x", MaxText) }},
		"long values": {func(q *Request) { q.ResponseType, q.Method = strings.Repeat("x", 60000), strings.Repeat("y", 300) }, func(q *Request) { q.ResponseType, q.Method = strings.Repeat("x", MaxText), strings.Repeat("z", 400) }},
		"extension":   {func(q *Request) { q.URI = "/a.PNG" }, func(q *Request) { q.URI = "/a.png" }},
		"statuses":    {func(q *Request) { q.StatusCode = 1 << 40 }, func(q *Request) { q.StatusCode = 1000 }},
	} {
		a, b := of(two[0]), of(two[1])
		a.Text, b.Text = feature.Text{}, feature.Text{} // capitals surprise
		require.Equal(t, a, b, name)
	}
	none := of(func(q *Request) { q.Set, q.URI = 0, "" })
	for _, name := range []string{"length of the uri", "depth of the uri", "request_body_len", "response_body_len"} {
		require.EqualValues(t, feature.Unset, none.Vector[Set.Find(name)], name)
	}
	lacking := of(func(q *Request) { q.Absent, q.Set, q.UserAgent = StatusCode|UserAgent, 0, "" })
	var want uint32
	for _, name := range []string{"user_agent", "user_agent for this originator", "status_code", "errors", "error share", "errors at the host"} {
		want |= 1 << Set.Find(name)
	}
	require.Equal(t, want, lacking.Absent)
}

func BenchmarkObserve(b *testing.B) {
	s, rows := NewRows(65536), site(4096)
	var r feature.Row
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Observe(&rows[i%len(rows)], &r)
	}
}
