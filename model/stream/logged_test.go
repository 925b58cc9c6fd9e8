package stream_test

import (
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Whose score a row carries says anomaly_model; where there is none, the score.
func TestLoggedScores(t *testing.T) {
	m, err := seed.Model()
	require.NoError(t, err)
	c := conn.Conn{
		TS: 1e15, Orig: netip.MustParseAddrPort("10.0.0.1:40000"), Resp: netip.MustParseAddrPort("192.0.2.1:31337"),
		Proto: conn.TCP, State: conn.SF, OrigBytes: 5 << 30, RespBytes: 7, Duration: 1e9, Set: conn.OrigBytes | conn.RespBytes | conn.Duration,
	}
	record := func() *stream.Conn { return stream.NewConns(feature.NewHosts(10)).Of(&c) }
	own := stream.Stream{Model: m}
	scored, err := own.Next(record())
	require.NoError(t, err)
	score, rank, reason := strconv.FormatFloat(scored.Value, 'f', -1, 64), scored.OneIn(), string(scored.AppendReason(nil))
	require.Equal(t, seed.Name(m), scored.By())
	require.NotEmpty(t, reason)
	require.True(t, scored.IsCold())

	for name, test := range map[string]struct {
		columns map[string]string
		score   string
		by      string
		rank    uint64
		reason  string
		cold    bool
	}{
		"no score":                 {map[string]string{}, score, seed.Name(m), rank, reason, true},
		"the model's, unnamed":     {map[string]string{"anomaly_score": score}, score, "", rank, reason, true},
		"the model's, named":       {map[string]string{"anomaly_score": score, "anomaly_model": seed.Name(m)}, score, seed.Name(m), rank, reason, true},
		"another's, the same":      {map[string]string{"anomaly_score": score, "anomaly_model": "0123456789ab"}, score, "0123456789ab", 0, "", false},
		"another's":                {map[string]string{"anomaly_score": "0.25"}, "0.25", "", 0, "", false},
		"the model's in a window":  {map[string]string{"anomaly_score": "0.25", "anomaly_model": seed.Name(m)}, "0.25", seed.Name(m), 0, "", false},
		"with its rank and reason": {map[string]string{"anomaly_score": "0.25", "anomaly_rank": "12", "anomaly_reason": "odd"}, "0.25", "", 12, "odd", false},
	} {
		s := stream.Stream{Model: m}
		got, err := s.NextLogged(record(), func(column string) (string, bool) {
			text, ok := test.columns[column]
			return text, ok
		})
		require.NoError(t, err, name)
		require.Equal(t, test.score, strconv.FormatFloat(got.Value, 'f', -1, 64), name)
		require.Equal(t, test.columns["anomaly_score"] != "", got.Logged, name)
		require.Equal(t, test.by, got.By(), name)
		require.Equal(t, test.rank, got.OneIn(), name)
		require.Equal(t, test.reason, string(got.AppendReason(nil)), name)
		require.Equal(t, test.cold, got.IsCold(), name)
		require.Equal(t, got.Logged || !test.cold, !got.Alert().Cold, name)
		require.Equal(t, test.rank > 0 && test.reason != "odd", len(got.Explain(3)) == 3, name)
	}
}

// A row without a score, or with none that can be, is observed all the same: its
// host has done it. One that no log can hold is not.
func TestRowsWithoutAScore(t *testing.T) {
	hosts := feature.NewHosts(10)
	c := conn.Conn{TS: 1e15, Orig: netip.MustParseAddrPort("10.0.0.1:40000"), Resp: netip.MustParseAddrPort("192.0.2.1:80"), Proto: conn.TCP}
	var s stream.Stream
	column := func(text string, ok bool) stream.Values { return func(string) (string, bool) { return text, ok } }
	_, err := s.NextLogged(stream.NewConns(hosts).Of(&c), column("", false))
	require.Equal(t, stream.ErrUnscored, err)
	require.Equal(t, 1, hosts.Len())
	for _, text := range []string{"", "x", "0", "1", "-0.5", "NaN", "Inf"} {
		_, err = s.NextLogged(stream.NewConns(hosts).Of(&c), column(text, true))
		require.EqualError(t, err, "anomaly_score "+strconv.Quote(text)+" is not a number between 0 and 1")
	}
	c.Orig, c.Duration = netip.MustParseAddrPort("10.0.0.2:40000"), -1
	_, err = s.NextLogged(stream.NewConns(hosts).Of(&c), column("0.5", true))
	require.EqualError(t, err, "duration is negative: -0.000001 s")
	_, err = s.Next(stream.NewConns(hosts).Of(&c))
	require.ErrorContains(t, err, "duration")
	require.Equal(t, 1, hosts.Len())
}
