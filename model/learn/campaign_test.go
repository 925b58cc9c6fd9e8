package learn_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// live scores and learns as a sensor does, row after row. Rows before the first
// model have no score: a path of zero.
func live(t testing.TB, l *learn.Learner, rows []labelled, each func(i int, s model.Score)) (refused int) {
	t.Helper()
	hosts := feature.NewHosts(model.DefaultHosts)
	for i := range rows {
		c := &rows[i].Conn
		w := hosts.Observe(c)
		var s model.Score
		if m := l.Model(); m != nil {
			s = m.ScoreRow(rowOf(c, w))
		}
		l.Observe(rowOf(c, w), s)
		_, err := l.Step()
		var r *learn.Refused
		if errors.As(err, &r) {
			t.Logf("row %d: %v", i, r)
			refused++
		} else {
			require.NoError(t, err)
		}
		each(i, s)
	}
	return refused
}

// A sensor learns a day of ordinary traffic, then a day on which two thirds are
// attacks: they must not become ordinary by evening.
func TestCampaign(t *testing.T) {
	calm := where(readLog(t, "zeek-labelled", "ctu-mixed-008.conn.log.labeled.gz"), benign)
	rows := slices.Concat(calm, readLog(t, "zeek-labelled", "ctu-mixed-010.conn.log.labeled.gz"))
	for _, every := range []int{1000, model.DefaultRebuildEvery} {
		for _, sampling := range []learn.Sampling{learn.Balanced, learn.Uniform} {
			var first, last spread
			for seed := range uint64(10) {
				l := learn.NewLearner(learn.Options{Seed: seed, Sampling: sampling, RebuildEvery: every})
				paths := make([]float64, len(rows))
				live(t, l, rows, func(i int, s model.Score) { paths[i] = -s.Path })
				quarter := (len(rows) - len(calm)) / 4
				at := func(from, to int) float64 {
					kept := where(rows[from:to], benign, external)
					var of []float64
					for i := from; i < to; i++ {
						if !background(rows[i]) {
							of = append(of, paths[i])
						}
					}
					n, p := split(kept, of)
					return tpr(n, p, 0.01)
				}
				first = append(first, at(len(calm), len(calm)+quarter))
				last = append(last, at(len(rows)-quarter, len(rows)))
			}
			t.Logf("%-8s rebuilt at least every %d: TPR at 1 %% FPR in the first quarter %.3f ± %.3f, in the last %.3f ± %.3f",
				sampling, every, first.mean(), first.sd(), last.mean(), last.sd())
			if sampling == learn.Balanced {
				require.GreaterOrEqual(t, last.mean(), 0.8*first.mean())
			}
		}
	}
}

// The sensor's model is the one that train makes of the same rows.
func TestFitAsSensorIsTheLearner(t *testing.T) {
	o := learn.Options{Seed: 5, AsSensor: true, Warmup: 700, RebuildEvery: 1500}
	next := office(8, 12_345)
	var rows []labelled
	for c := (conn.Conn{}); next(&c) == nil; {
		rows = append(rows, labelled{Conn: c})
	}
	l := learn.NewLearner(o)
	live(t, l, rows, func(int, model.Score) {})
	require.Greater(t, l.Stats().Promoted, 3)
	require.Equal(t, file(t, fit(t, rows, o)), file(t, l.Model()))

	_, _, err := learn.Fit(office(8, 700), o)
	require.ErrorIs(t, err, learn.ErrNoModelYet)
}
