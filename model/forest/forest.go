// Package forest is the Isolation Forest of Liu, Ting and Zhou (ICDM 2008) on
// plain numbers: grow.go grows the isolation trees, walk.go finds a row's path
// length and sliced.go those of many rows, length.go turns it into a score,
// attribute.go says which features made the path short or long, plain.go takes
// a forest apart for a file and checks one that came from there.
//
// The same rows and the same seed give the same forest and the same path
// lengths, bit for bit, on every CPU and with any number of workers.
package forest

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Forest is a grown Isolation Forest. It is immutable and safe for concurrent
// use.
type Forest struct {
	dim         int
	subsample   int
	heightLimit int
	average     Average
	trees       int

	// The nodes of all trees, in the order of shape.place. Node 0 belongs to no
	// tree: it is an external node of length 0 that fills the last group of
	// lanes.
	nodes  []node
	size   []uint32 // rows of the subsample that reached the node
	credit []int32  // what the edge to the node credits its parent's feature with, fixed point
	roots  []uint32 // of each tree, then zeros to a multiple of lanes
	steps  []int    // depth of the deepest tree of each group of lanes
	c      []uint32 // c(n), fixed point

	slice  sync.Once // makes sliced for the first batch; a sensor has none
	sliced *sliced   // nil where a tree is too large for it
}

// Dim returns the number of features of a row.
func (f *Forest) Dim() int { return f.dim }

// Average says how c(n) is computed.
func (f *Forest) Average() Average { return f.average }

// Trees returns the number of trees, t in the paper.
func (f *Forest) Trees() int { return f.trees }

// Subsample returns the number of rows that each tree was grown from, ψ in the
// paper: the number asked for, or of all rows where there were fewer.
func (f *Forest) Subsample() int { return f.subsample }

// HeightLimit returns the depth at which the growth of a tree ended.
func (f *Forest) HeightLimit() int { return f.heightLimit }

// AverageLength is c(ψ), the path length of a row that is as usual as the
// average one. Path lengths below it are unusual.
func (f *Forest) AverageLength() float64 { return edges(mean(int64(f.c[f.subsample]), 1)) }

// MeanPath returns E[h(x)], the mean over the trees of the path length of the
// row: the depth of the external node it ends in plus c(its size). It is a
// multiple of 2^-32, so sums of such lengths are exact in a float64.
//
// The row must have at least Dim numbers, else MeanPath panics; they should be
// finite (infinities are in order; a NaN counts as beyond the infinity of its
// sign). It does not allocate.
func (f *Forest) MeanPath(x []float32) float64 {
	var k keys
	k.set(x[:f.dim])
	return edges(mean(f.sum(&k), f.trees))
}

// Score returns the paper's anomaly score s(x, ψ) = 2^(−E[h(x)] / c(ψ)) of a
// mean path length, in (0, 1): near 1 for an anomaly, 0.5 for a row as usual
// as the average one.
func (f *Forest) Score(path float64) float64 { return exp2(-path / f.AverageLength()) }

// blockRows is the number of rows that a worker takes at a time: long enough
// to make the taking cheap, short enough to share the work evenly.
const blockRows = 1024

// MeanPaths writes MeanPath of each row of rows, n×Dim row-major, to dst,
// which has n entries; it panics where the lengths disagree. It uses as many
// workers as given, GOMAXPROCS for 0, and only the calling goroutine for 1.
func (f *Forest) MeanPaths(dst []float64, rows []float32, workers int) {
	if len(rows) != len(dst)*f.dim {
		panic("forest: MeanPaths: rows and dst differ in length")
	}
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	blocks := (len(dst) + blockRows - 1) / blockRows
	if workers = min(workers, blocks); workers <= 1 {
		f.meanPaths(dst, rows)
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				from := int(next.Add(1)-1) * blockRows
				if from >= len(dst) {
					return
				}
				to := min(from+blockRows, len(dst))
				f.meanPaths(dst[from:to], rows[from*f.dim:to*f.dim])
			}
		}()
	}
	wg.Wait()
}

func (f *Forest) meanPaths(dst []float64, rows []float32) {
	if len(dst) >= minSliced {
		f.slice.Do(func() { f.sliced = newSliced(f) })
		if f.sliced != nil {
			f.sliced.meanPaths(f, dst, rows)
			return
		}
	}
	for i := range dst {
		dst[i] = f.MeanPath(rows[i*f.dim : (i+1)*f.dim])
	}
}
