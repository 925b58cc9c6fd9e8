package learn_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// lacking yields the rows of next with fields that some of them lack.
func lacking(next func(*conn.Conn) error, absent conn.Fields, lacks func(i int) bool) func(*conn.Conn) error {
	i := 0
	return func(c *conn.Conn) error {
		err := next(c)
		if err == nil && lacks(i) {
			c.Absent, c.Set = absent, c.Set&^absent
			c.OrigPkts, c.OrigIPBytes, c.Service, c.RespBytes = 0, 0, "", 0
		}
		i++
		return err
	}
}

// A model of logs without some columns does not look at them: what stands there
// changes no score. One of logs of which some lack them has learnt them from
// the others, and finds rows without them as ordinary as rows with them.
func TestLearnWithoutColumns(t *testing.T) {
	const absent = conn.OrigPkts | conn.OrigIPBytes | conn.Service | conn.RespBytes
	const rows = 4000
	all, none := func(int) bool { return true }, func(int) bool { return false }
	some := func(i int) bool { return i%3 == 0 }
	for _, sampling := range []learn.Sampling{learn.Balanced, learn.Uniform} {
		for _, asSensor := range []bool{false, true} {
			o := learn.Options{Seed: 1, Sampling: sampling, AsSensor: asSensor, Trees: 100}
			without, _, err := learn.Fit(lacking(office(1, rows), absent, all), o)
			require.NoError(t, err)
			mixed, _, err := learn.Fit(lacking(office(1, rows), absent, some), o)
			require.NoError(t, err)

			each := func(m *model.Model, absent conn.Fields, lacks func(int) bool) (ranks []float64) {
				next, hosts := lacking(office(2, rows), absent, lacks), feature.NewHosts(1000)
				for {
					var c conn.Conn
					err := next(&c)
					if err == io.EOF {
						return ranks
					}
					require.NoError(t, err)
					ranks = append(ranks, m.Rank(m.ScoreRow(rowOf(&c, hosts.Observe(&c))).Path))
				}
			}
			require.Equal(t, each(without, absent, all), each(without, 0, none))
			for _, lacks := range []func(int) bool{all, some, none} {
				strange := 0
				for _, rank := range each(mixed, absent, lacks) {
					if rank < 0.01 {
						strange++
					}
				}
				require.Less(t, strange, rows/30)
			}
		}
	}
}
