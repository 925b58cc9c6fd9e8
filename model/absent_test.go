package model_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// set gives a connection some value of a field, or none.
var set = map[conn.Fields]func(c *conn.Conn, n uint64){
	conn.Service:     func(c *conn.Conn, n uint64) { c.Service = []string{"", "ssh", "never met"}[n%3] },
	conn.Duration:    func(c *conn.Conn, n uint64) { c.Duration = conn.Micros(n % 1e6) },
	conn.OrigBytes:   func(c *conn.Conn, n uint64) { c.OrigBytes = n },
	conn.RespBytes:   func(c *conn.Conn, n uint64) { c.RespBytes = n },
	conn.MissedBytes: func(c *conn.Conn, n uint64) { c.MissedBytes = n },
	conn.OrigPkts:    func(c *conn.Conn, n uint64) { c.OrigPkts = n },
	conn.OrigIPBytes: func(c *conn.Conn, n uint64) { c.OrigIPBytes = n },
	conn.RespPkts:    func(c *conn.Conn, n uint64) { c.RespPkts = n },
	conn.RespIPBytes: func(c *conn.Conn, n uint64) { c.RespIPBytes = n },
}

// A field that a log has no column for does not count, whatever stands in its
// place, and no reason names what is made of it.
func TestAbsentFieldsSayNothing(t *testing.T) {
	m := goldenModel(t)
	random := rand.New(rand.NewPCG(1, 2))
	for trial := range 30 {
		absent := conn.Fields(0)
		for bit := range set {
			if trial == 0 || random.IntN(2) == 0 {
				absent |= bit
			}
		}
		features := feature.Absent(absent)
		rows := goldenConns()
		zero, other := feature.NewHosts(100), feature.NewHosts(100)
		zeros, others := stream.Stream{Model: m}, stream.Stream{Model: m}
		ofZeros, ofOthers := stream.NewConns(zero), stream.NewConns(other)
		for i := range rows {
			plain, random2 := rows[i], rows[i]
			for bit, put := range set {
				if absent&bit != 0 {
					put(&plain, 0)
					put(&random2, random.Uint64N(1<<40))
					plain.Set &^= bit
				}
			}
			plain.Absent, random2.Absent = absent, absent
			random2.Duration = plain.Duration // windows end with it
			random2.Set = random2.Set&^conn.Duration | plain.Set&conn.Duration
			a, err := zeros.Next(ofZeros.Of(&plain))
			require.NoError(t, err)
			b, err := others.Next(ofOthers.Of(&random2))
			require.NoError(t, err)
			require.Equal(t, a.Score, b.Score)

			why := a.Explain(0)
			reason := string(a.AppendReason(nil))
			require.Equal(t, reason, model.ReasonText(feature.Conn, why))
			require.NotContains(t, reason, "no column")
			for _, r := range why {
				require.Equal(t, features>>r.Feature&1 != 0, r.Absent)
				require.Equal(t, r.Absent, r.Value == "no column")
				require.False(t, r.Absent && r.Unusual)
				if r.Absent {
					for part := range strings.SplitSeq(strings.TrimPrefix(reason, "rare together: "), "; ") {
						require.False(t, strings.HasPrefix(part, r.Name+" "), reason)
					}
				}
			}
		}
	}
}

// Similar connections and changes are found for rows that lack columns, also
// among such that have them.
func TestAbsentFieldsChange(t *testing.T) {
	m := goldenModel(t)
	rows, windows, usual := observed(m)
	tried := 0
	for i := range rows {
		c := rows[i]
		c.Absent, c.OrigPkts, c.OrigIPBytes = conn.OrigPkts|conn.OrigIPBytes, 0, 0
		if usual[i] || m.Rank(inWindow(m, &c, windows[i]).Path) >= ordinary || i%5 != 0 {
			continue
		}
		s := m.NewSimilar(&c, windows[i], 3, ordinary)
		for j := range rows {
			s.Offer(&rows[j], windows[j])
		}
		got, ok := m.SmallestChange(&c, windows[i], s.Others(), ordinary)
		require.True(t, ok)
		require.GreaterOrEqual(t, m.Rank(got.Score.Path), ordinary)
		require.False(t, slices.ContainsFunc(got.Fields, func(f model.ChangedField) bool { return f.To == "no column" }))
		tried++
	}
	require.Greater(t, tried, 5)
}
