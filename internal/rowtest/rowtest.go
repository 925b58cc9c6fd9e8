// Package rowtest is what tests of each log's rows have in common.
package rowtest

import (
	"io"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// Rows makes rows of a log, whose values are R, with what they are counted in, W.
type Rows[R, W any] interface {
	Observe(*R, *feature.Row) W
	Peek(*R, *feature.Row) W
}

// OddLast learns from all values but the last, and requires that peeking gives what
// observing gives, that a model can take each row, and that the last is among the
// strangest 3 %. It returns the model, and what has seen all rows.
func OddLast[S Rows[R, W], R, W any](t *testing.T, set *feature.Set, values []R, begin func() S) (*model.Model, S) {
	t.Helper()
	require.Same(t, set, model.SetOf(set.Log))
	s, n := begin(), 0
	m, _, err := learn.FitRows(func(r *feature.Row) error {
		if n == len(values)-1 {
			return io.EOF
		}
		s.Observe(&values[n], r)
		n++
		return nil
	}, learn.Options{Set: set, Seed: 2})
	require.NoError(t, err)

	var r, p feature.Row
	s = begin()
	var scores []float64
	for i := range values {
		peeked := s.Peek(&values[i], &p)
		require.Equal(t, peeked, s.Observe(&values[i], &r))
		require.Equal(t, p, r)
		require.NoError(t, set.CheckSample(&r.Sample))
		scores = append(scores, m.ScoreRow(&r).Value)
	}
	last := scores[len(scores)-1]
	slices.Sort(scores)
	require.Greater(t, last, scores[len(scores)*97/100])
	return m, s
}

// Encoder returns that of a model which has counted nothing.
func Encoder(t testing.TB, set *feature.Set) *feature.Encoder {
	t.Helper()
	e, err := feature.NewEncoder(set, feature.Tables{Codes: make([][]feature.CodeCount, len(set.Codes)), Bigrams: make([]uint32, feature.Bigrams)})
	require.NoError(t, err)
	return e
}

// Each returns what sets one value after the other, then io.EOF: what learn.Fit and
// learn.FitRows read.
func Each[T any](values []T) func(*T) error {
	return func(v *T) error {
		if len(values) == 0 {
			return io.EOF
		}
		*v, values = values[0], values[1:]
		return nil
	}
}
