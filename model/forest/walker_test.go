package forest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// scan makes n rows as a scan's: all alike, but for a count that rises.
func scan(row []float32, n int) (rows []float32) {
	for i := range n {
		rows = append(rows, row...)
		rows[len(rows)-1] = float32(math.Log1p(float64(i)))
	}
	return rows
}

// The paths are MeanPath's, whatever comes in whatever order.
func TestWalkerIsMeanPath(t *testing.T) {
	const dim = 5
	r := rand.New(rand.NewPCG(1, 1))
	var rows []float32
	for range 3000 {
		for range dim {
			rows = append(rows, float32(r.IntN(12))/4) // many alike, many on a threshold
		}
	}
	f, err := Grow(rows, dim, Options{Trees: 30, Subsample: 64, Seed: 3})
	require.NoError(t, err)
	other, err := Grow(rows, dim, Options{Trees: 11, Subsample: 8, Seed: 4})
	require.NoError(t, err)

	for _, threshold := range f.Plain().Threshold { // rows whose values are thresholds, and just below
		rows = append(rows, threshold, 1, math.Nextafter32(threshold, -9), threshold, 2)
	}
	rows = append(rows, scan(rows[:dim], 2000)...)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	rows = append(rows, nan, -inf, inf, -nan, 0, nan, nan, nan, nan, nan)
	var w Walker
	for range 20_000 {
		at := r.IntN(len(rows)/dim) * dim
		for range 1 + r.IntN(4) {
			require.Equal(t, f.MeanPath(rows[at:at+dim]), w.MeanPath(f, rows[at:at+dim]), rows[at:at+dim])
			at = min(at+r.IntN(2)*dim, len(rows)-dim)
		}
		if r.IntN(2000) == 0 {
			require.Equal(t, other.MeanPath(rows[at:at+dim]), w.MeanPath(other, rows[at:at+dim]))
		}
	}
}

// Of a scan amid other rows, few are walked.
func TestWalkerRemembersAScan(t *testing.T) {
	rows := benchRows(20_000)
	f, err := Grow(rows, benchDim, benchOptions)
	require.NoError(t, err)
	flood := scan(rows[:benchDim], 20_000)
	var w Walker
	walked := 0
	for at := 0; at < len(rows); at += benchDim {
		w.MeanPath(f, rows[at:at+benchDim])
		x := flood[at : at+benchDim]
		if w.sorted == f.dim {
			w.rank(x)
			if place, found := w.met.find(w.packed); !found {
				w.met.paths[place] = f.MeanPath(x)
				walked++
			}
		}
		require.Equal(t, f.MeanPath(x), w.MeanPath(f, x))
	}
	require.Positive(t, walked)
	require.Less(t, walked, 1000)
	at := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		w.MeanPath(f, rows[at:at+benchDim])
		at += benchDim
	}))
}

// BenchmarkWalker is the sensor's: rows that differ, and a scan's.
func BenchmarkWalker(b *testing.B) {
	rows := benchRows(20_000)
	f := benchForest(b, rows)
	for name, rows := range map[string][]float32{"different": rows, "scan": scan(rows[:benchDim], 20_000)} {
		b.Run(name, func(b *testing.B) {
			var w Walker
			at := 0
			for range b.N {
				w.MeanPath(f, rows[at:at+benchDim])
				if at += benchDim; at == len(rows) {
					at = 0
				}
			}
			reportPerRow(b, b.N)
		})
	}
}
