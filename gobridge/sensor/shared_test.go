package sensor

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// dnsModel is a model of n of dnsValues.
func dnsModel(t *testing.T, n int) *model.Model {
	k, i := newDNSKind(100), 0
	m, _, err := learn.FitRows(func(r *feature.Row) error {
		if i == n {
			return io.EOF
		}
		i++
		if err := k.Read(dnsValues(i)); err != nil {
			return err
		}
		k.Observe()
		k.Encode(r)
		return nil
	}, learn.Options{Set: k.Set(), Seed: 1})
	require.NoError(t, err)
	return m
}

// withUID is a row with its connection's uid.
func withUID(values []Value, uid string) []Value { return append(values, Value{Set: true, Text: uid}) }

// tunnel makes a strange query of the i-th.
func tunnel(v []Value, i int) []Value {
	v[6].Text = fmt.Sprintf("x%dq7zk2xw9v4x0x1qqzwfh7o4bqk3.%dkq.evil.example", i, i*i)
	v[7].Number = 16
	return v
}

// Two sensors share one budget: what dns.log had is not conn.log's any more.
// Only the latest row of both can be raised.
func TestSensorsShareABudget(t *testing.T) {
	rs := records(3000)
	s := New(1000)
	require.NoError(t, s.LoadBytes(trained(t, rs, 1).Bytes()))
	s.SetAlerts(4)
	dns, err := Open("dns", 100)
	require.NoError(t, err)
	dns.Beside(s)
	require.NoError(t, dns.LoadBytes(dnsModel(t, 2000).Bytes()))

	raised := map[string]int{}
	odd := 0
	for i := range 20_000 {
		r := rs[i%len(rs)]
		r.TS = 1.7e9 + float64(i)*10
		if i > 5000 && i%200 == 0 {
			odd++
			r.RespPort, r.OrigBytes, r.OrigPkts, r.Duration, r.OrigHost[15] = 4444, 1e9, 1e6, 3600, byte(odd)
		}
		c, err := s.Score(&r)
		require.NoError(t, err)
		v := dnsValues(i)
		v[0].Real = r.TS
		v[1].Address[14] = 1 // other hosts
		if i > 5000 && i%200 == 0 {
			tunnel(v, i)
		}
		d, err := dns.ScoreValues(v)
		require.NoError(t, err)
		if c.Unusual {
			require.Equal(t, alerts.Suppressed, s.Raise(), "not the latest row")
		}
		if d.Unusual && dns.Raise() == alerts.Raise {
			raised["dns"]++
		}
		if r.RespPort == 4444 { // once more, as a row of its own
			if c, err = s.Score(&r); err == nil && c.Unusual && s.Raise() == alerts.Raise {
				raised["conn"]++
			}
		}
	}
	require.Positive(t, raised["dns"])
	require.Positive(t, raised["conn"])
	require.LessOrEqual(t, raised["dns"]+raised["conn"], 4*3, "of 2.3 days")
	require.Equal(t, s.Statistics().Raised, dns.Statistics().Raised)
	require.Nil(t, dns.day(), "conn.log's sensor keeps the day")
	require.Same(t, s.shared.Policy, s.day())
}

// A connection whose other rows are rare is told by all of them; one without
// others has its own score.
func TestCaseOfAConnection(t *testing.T) {
	rs := records(3000)
	s := New(1000)
	require.NoError(t, s.LoadBytes(trained(t, rs, 1).Bytes()))
	dns, err := Open("dns", 100)
	require.NoError(t, err)
	dns.Beside(s)
	require.NoError(t, dns.LoadBytes(dnsModel(t, 2000).Bytes()))
	for i := range 100 {
		_, _ = dns.ScoreValues(dnsValues(i))
	}

	r := rs[0]
	before, err := s.Score(&r)
	require.NoError(t, err)
	require.Zero(t, before.Case, "cases are not asked for")
	s.UseCases(true)
	r.UID = "Calone"
	alone, err := s.Score(&r)
	require.NoError(t, err)
	require.Equal(t, alone.Score, alone.Case)
	require.Empty(t, s.Case().Strangest())

	d, err := dns.ScoreValues(withUID(tunnel(dnsValues(3000), 1), "Ctunnel"))
	require.NoError(t, err)
	require.Greater(t, d.Rank, 20.0)
	_, err = dns.ScoreValues(withUID(dnsValues(3001), "Ctunnel"))
	require.NoError(t, err)
	r.UID = "Ctunnel"
	both, err := s.Score(&r)
	require.NoError(t, err)
	require.Greater(t, both.Case, both.Score)
	rows := s.Case().Strangest()
	require.Len(t, rows, 1)
	require.Equal(t, d.Score, rows[0].Score)
	require.Contains(t, rows[0].Reason, "surprise of the query")
	again, err := s.Score(&r)
	require.NoError(t, err)
	require.Equal(t, again.Score, again.Case, "its rows were taken")
}
