package sensor

import (
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
)

// requestValues are values of a row of http.log.
func requestValues(ts float64, uri string) []Value {
	text := func(s string) Value { return Value{Set: s != "", Text: s} }
	count := func(n uint64) Value { return Value{Set: true, Number: n} }
	return []Value{
		{Set: true, Real: ts}, {Set: true, Address: netip.MustParseAddr("10.0.0.1").As16()}, count(40000),
		{Set: true, Address: netip.MustParseAddr("192.0.2.1").As16()}, count(80),
		text("POST"), text("www.example.com"), text(uri), text("curl/8.5.0"), count(200), count(0), count(300),
		{}, {Set: true, Texts: []string{"text/html", "text/plain"}}, text("vlan=10"),
	}
}

func TestRequestOfValues(t *testing.T) {
	k := newHTTPKind(10)
	require.Len(t, requestValues(1, ""), len(k.Fields()))
	want := httplog.Request{
		Seen:   conn.Seen{TS: 1e6, Orig: netip.MustParseAddrPort("10.0.0.1:40000"), Resp: netip.MustParseAddrPort("192.0.2.1:80"), Context: "vlan=10"},
		Method: "POST", Host: "www.example.com", URI: "/a", UserAgent: "curl/8.5.0", StatusCode: 200, ResponseLength: 300, ResponseType: "text/html",
		Set: httplog.StatusCode | httplog.RequestLength | httplog.ResponseLength,
	}
	require.NoError(t, k.Read(requestValues(1.0000004, "/a")))
	require.Equal(t, want, k.Request)
	require.Equal(t, conn.TCP, k.Subject().Proto)
	var live, direct feature.Row
	k.Observe()
	k.Encode(&live)
	httplog.NewRows(10).Observe(&want, &direct)
	require.Equal(t, direct, live)
	require.EqualError(t, k.Read(requestValues(math.NaN(), "")), "ts is not a time: NaN")

	long := requestValues(2, strings.Repeat("x", 1<<16))
	for i := range long {
		if long[i].Text != "" {
			long[i].Text = strings.Repeat(`\xff`, 1<<14)
		}
	}
	long[12] = Value{Set: true, Texts: []string{strings.Repeat(`\xff`, 1<<14)}}
	long[13] = long[12]
	require.NoError(t, k.Read(long))
	require.Equal(t, strings.Repeat(`\xff`, 1024), k.Request.ResponseType, "the last text has room, too")
	k.Observe()
	k.Encode(&live)
	require.Equal(t, uint64(feature.LongCode), live.Codes[httplog.MethodCode])
}

// A sensor of http.log learns, scores, says why, and goes on after a restart.
func TestSensorOfRequests(t *testing.T) {
	s, err := Open("http", 100)
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, s.Learn(Learning{Seed: 1, Warmup: 200, Dir: dir}))
	scored := 0
	for i := range 1000 {
		v := requestValues(float64(i)*3, []string{"/", "/index.html", "/a/b.png?c"}[i%3])
		v[1].Address[15] = byte(i * 7 % 50)
		if i%40 != 0 {
			v[5].Text = "GET"
		}
		if _, err := s.ScoreValues(v); err == nil {
			scored++
		}
	}
	require.Equal(t, 1000, scored+int(s.Statistics().Calls[NoModel]))
	require.Greater(t, scored, 500)
	odd := requestValues(3001, "/q7zk2xw9v4")
	odd[5].Text, odd[8].Text = "PROPFIND", "sqlmap/1.7"
	result, err := s.ScoreValues(odd)
	require.NoError(t, err)
	require.NotZero(t, result.Rank)
	what, name := s.kind.Novel(s.Model().Encoder(), s.stream.Row())
	require.Equal(t, "a method PROPFIND", what+" "+name)
	odd[8].Text = strings.Repeat("x", 10) // Zeek's memory, used anew
	require.NotEmpty(t, s.Reason())
	require.NotContains(t, string(s.Reason()), "xxxx")
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.ScoreValues(odd) }))
	require.NoError(t, s.Finish())

	again, err := Open("http", 100)
	require.NoError(t, err)
	require.NoError(t, again.Learn(Learning{Seed: 1, Dir: dir}))
	require.Equal(t, s.Model().Fingerprint(), again.Model().Fingerprint())
	require.Zero(t, again.News())
	require.NoError(t, again.Finish())
}
