package forest

import (
	"bufio"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The rows of every benchmark: 16 features, log-normal, heavy-tailed like a
// log's byte counts. testdata/sklearn_bench.py times scikit-learn on the same:
//
//	go test ./model/forest -run TestWriteBenchRows -rows=/tmp/rows.csv
var rowsFile = flag.String("rows", "", "write the benchmark's rows to this CSV file")

const benchDim = 16

func benchRows(n int) []float32 {
	random := rand.New(rand.NewPCG(2008, 16))
	rows := make([]float32, n*benchDim)
	for i := range rows {
		rows[i] = float32(math.Exp(random.NormFloat64()))
	}
	return rows
}

var benchOptions = Options{Trees: 100, Subsample: 256, Seed: 1, Workers: 1}

func benchForest(b *testing.B, rows []float32) *Forest {
	f, err := Grow(rows, benchDim, benchOptions)
	require.NoError(b, err)
	return f
}

func TestWriteBenchRows(t *testing.T) {
	if *rowsFile == "" {
		t.Skip("only with -rows FILE")
	}
	file, err := os.Create(*rowsFile)
	require.NoError(t, err)
	w := bufio.NewWriter(file)
	for i, v := range benchRows(100_000) {
		end := ","
		if i%benchDim == benchDim-1 {
			end = "\n"
		}
		fmt.Fprint(w, v, end)
	}
	require.NoError(t, w.Flush())
	require.NoError(t, file.Close())
}

func reportPerRow(b *testing.B, rows int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}

// BenchmarkScore is what the sensor does: one row after the other, on one core.
func BenchmarkScore(b *testing.B) {
	rows := benchRows(20_000)
	f := benchForest(b, rows)
	b.ReportAllocs()
	b.ResetTimer()
	n := len(rows) / benchDim
	sum, at := 0.0, 0
	for range b.N {
		sum += f.Score(f.MeanPath(rows[at*benchDim : (at+1)*benchDim]))
		if at++; at == n {
			at = 0
		}
	}
	reportPerRow(b, b.N)
	require.NotZero(b, sum)
}

// BenchmarkMeanPaths is the offline way: many rows at once, on 1 and all cores.
func BenchmarkMeanPaths(b *testing.B) {
	rows := benchRows(100_000)
	f := benchForest(b, rows)
	paths := make([]float64, len(rows)/benchDim)
	for _, workers := range []int{1, 0} {
		name := "workers=all"
		if workers == 1 {
			name = "workers=1"
		}
		b.Run(name, func(b *testing.B) {
			for range b.N {
				f.MeanPaths(paths, rows, workers)
			}
			reportPerRow(b, b.N*len(paths))
		})
	}
}

func BenchmarkAttribute(b *testing.B) {
	rows := benchRows(1000)
	f := benchForest(b, rows)
	credits := make([]float64, benchDim)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		at := i % 1000 * benchDim
		f.Attribute(credits, rows[at:at+benchDim])
	}
	reportPerRow(b, b.N)
}

// BenchmarkGrow fits 100 trees to 100,000 rows on one core; checking that each
// number is finite is a part of it.
func BenchmarkGrow(b *testing.B) {
	rows := benchRows(100_000)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		_, err := Grow(rows, benchDim, benchOptions)
		require.NoError(b, err)
	}
}

// BenchmarkGrowTree is the sensor's slice of a rebuild: one tree.
func BenchmarkGrowTree(b *testing.B) {
	rows := benchRows(10_000)
	g, err := NewGrower(benchDim, benchOptions)
	require.NoError(b, err)
	var s Sampler
	sample := make([]int32, benchOptions.Subsample)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		s.Draw(sample, 10_000, 1, i%100)
		require.NoError(b, g.GrowTree(i%100, rows, sample))
	}
}
