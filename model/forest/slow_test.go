package forest

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// slowNode is the forest written down as the paper has it: pointers, rows as
// slices, float64. It is the oracle for the packed one.
type slowNode struct {
	feature     int
	threshold   float32
	left, right *slowNode
	size, depth int
}

// slowC is c(n) of the paper's equation 1, with exact harmonic numbers.
func slowC(n int) float64 {
	if n < 2 {
		return 0
	}
	h := 0.0
	for i := 1; i < n; i++ {
		h += 1 / float64(i)
	}
	return 2*h - 2*float64(n-1)/float64(n)
}

// slowTree grows the tree of those rows. The draws are the fast one's, in the
// same order (breadth first, features before threshold).
func slowTree(rows [][]float32, height int, seed, tree uint64) *slowNode {
	type task struct {
		n    *slowNode
		rows [][]float32
	}
	var random stream
	random.seed(seed, tree)
	features := make([]int, len(rows[0]))
	for i := range features {
		features[i] = i
	}
	root := &slowNode{}
	queue := []task{{root, rows}}
	for len(queue) > 0 {
		n, rows := queue[0].n, queue[0].rows
		queue = queue[1:]
		n.size = len(rows)
		if n.depth >= height || len(rows) <= 1 {
			continue
		}
		for k := range features {
			j := k + random.below(len(features)-k)
			features[k], features[j] = features[j], features[k]
			q := features[k]
			lo, hi := rows[0][q], rows[0][q]
			for _, row := range rows {
				lo, hi = min(lo, row[q]), max(hi, row[q])
			}
			if lo == hi {
				continue
			}
			p := float32(float64(lo) + float64(random.unit()*(float64(hi)-float64(lo))))
			if p == lo {
				p = math.Nextafter32(lo, float32(math.Inf(1)))
			}
			var left, right [][]float32
			for _, row := range rows {
				if row[q] < p {
					left = append(left, row)
				} else {
					right = append(right, row)
				}
			}
			n.feature, n.threshold = q, p
			n.left, n.right = &slowNode{depth: n.depth + 1}, &slowNode{depth: n.depth + 1}
			queue = append(queue, task{n.left, left}, task{n.right, right})
			break
		}
	}
	return root
}

func (n *slowNode) path(x []float32) float64 {
	switch {
	case n.left == nil:
		return float64(n.depth) + slowC(n.size)
	case x[n.feature] < n.threshold:
		return n.left.path(x)
	default:
		return n.right.path(x)
	}
}

// credit follows the definition in Attribute's comment.
func (n *slowNode) credit(credits []float64, x []float32) {
	if n.left == nil {
		return
	}
	child := n.right
	if x[n.feature] < n.threshold {
		child = n.left
	}
	credits[n.feature] += slowC(n.size) - 1 - slowC(child.size)
	child.credit(credits, x)
}

// pick gives the rows of a sample.
func pick(rows []float32, dim int, sample []int32) [][]float32 {
	picked := make([][]float32, len(sample))
	for i, r := range sample {
		picked[i] = rows[int(r)*dim : int(r)*dim+dim]
	}
	return picked
}

// slicedPaths sends all rows through the sliced trees, also those that are the
// same and those that are too few.
func slicedPaths(f *Forest, rows []float32) (paths []float64) {
	f.slice.Do(func() { f.sliced = newSliced(f) })
	s := f.sliced
	for ; len(rows) > 0; rows = rows[min(len(rows), sliceRows*f.dim):] {
		some := rows[:min(len(rows), sliceRows*f.dim)]
		if s == nil {
			for ; len(some) > 0; some = some[f.dim:] {
				paths = append(paths, f.MeanPath(some))
			}
			continue
		}
		w := s.worker()
		s.rank(w, some)
		w.ranked = append(w.ranked[:0], w.packed[:len(some)/f.dim*s.words]...)
		s.sum(w)
		for _, sum := range w.sums[:len(some)/f.dim] {
			paths = append(paths, edges(mean(int64(sum), f.trees)))
		}
	}
	return paths
}

// compare holds the forest and its oracle equal on every row of probes.
func compare(t *testing.T, rows []float32, dim int, o Options, probes []float32) {
	t.Helper()
	f, err := Grow(rows, dim, o)
	require.NoError(t, err)
	require.Equal(t, min(o.Subsample, len(rows)/dim), f.Subsample())

	slow := make([]*slowNode, o.Trees)
	sample := make([]int32, f.Subsample())
	for i := range slow {
		new(Sampler).Draw(sample, len(rows)/dim, o.Seed, i)
		slow[i] = slowTree(pick(rows, dim, sample), f.HeightLimit(), o.Seed, uint64(i))
	}

	again, err := f.Plain().Forest()
	require.NoError(t, err)
	require.Equal(t, f, again)

	n := len(probes) / dim
	const most = 2*sliceRows + minSliced + 1 // slices, and a few rows that are too few for one
	batch := make([]float64, max(n, most))
	again.MeanPaths(batch, slices.Repeat(probes[:n*dim], most/n+1)[:len(batch)*dim], 2)
	for i, path := range batch[n:] {
		require.Equal(t, batch[i], path)
	}
	sliced := slicedPaths(again, probes[:n*dim])
	credits := make([]float64, dim)
	for i := range n {
		x := probes[i*dim : (i+1)*dim]
		want, wantCredits := 0.0, make([]float64, dim)
		traced := 0.0
		for tree, root := range slow {
			want += root.path(x) / float64(o.Trees)
			root.credit(wantCredits, x)
			at := root
			for _, v := range f.Trace(tree, x) {
				require.Equal(t, at.size, v.Size)
				require.Equal(t, at.depth, v.Depth)
				require.Equal(t, at.left == nil, v.External)
				if v.External {
					traced += v.Expected
					break
				}
				require.Equal(t, at.feature, v.Feature)
				require.Equal(t, at.threshold, v.Threshold)
				require.Equal(t, x[v.Feature] >= at.threshold, v.Right)
				if v.Right {
					at = at.right
				} else {
					at = at.left
				}
			}
		}
		path := f.MeanPath(x)
		require.InDelta(t, want, path, 1e-6)
		require.InDelta(t, traced/float64(o.Trees), path, 1e-9)
		require.Equal(t, path, batch[i])
		require.Equal(t, path, sliced[i])
		require.InDelta(t, math.Exp2(-want/slowC(f.Subsample())), f.Score(path), 1e-6)

		require.Equal(t, path, f.Attribute(credits, x))
		sum := 0.0
		for q, c := range credits {
			require.InDelta(t, wantCredits[q]/float64(o.Trees), c, 1e-6)
			sum += c
		}
		require.Equal(t, f.AverageLength()-path, sum)
	}
}

func TestForestEqualsThePlainOne(t *testing.T) {
	tests := []struct {
		name   string
		n, dim int
		o      Options
	}{
		{"paper", 1000, 5, Options{Trees: 100, Subsample: 256, Seed: 1}},
		{"fewer rows than a subsample", 100, 3, Options{Trees: 20, Subsample: 256, Seed: 2}},
		{"two rows", 2, 1, Options{Trees: 9, Subsample: 256, Seed: 3}},
		{"one tree", 50, 2, Options{Trees: 1, Subsample: 16, Seed: 4}},
		{"subsample no power of two", 300, 4, Options{Trees: 7, Subsample: 100, Seed: 5}},
		{"shallow", 300, 4, Options{Trees: 8, Subsample: 128, MaxDepth: 2, Seed: 6}},
		{"grown out", 300, 4, Options{Trees: 17, Subsample: 128, MaxDepth: 127, Seed: 7}},
		{"too large to slice", 1000, 4, Options{Trees: 3, Subsample: 600, MaxDepth: 30, Seed: 9}},
		{"many features", 300, 255, Options{Trees: 10, Subsample: 64, Seed: 8}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(tt.o.Seed, 99))
			rows := make([]float32, tt.n*tt.dim)
			for i := range rows {
				rows[i] = float32(math.Exp(2 * random.NormFloat64()))
				if i%3 == 0 {
					rows[i] = float32(random.IntN(4)) // ties
				}
			}
			compare(t, rows, tt.dim, tt.o, rows[:min(len(rows), 100*tt.dim)])
		})
	}
}

// FuzzForest takes any finite numbers as rows.
func FuzzForest(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(2), uint8(16), uint8(0), []byte("some rows of numbers, as they come; forty-eight bytes"))
	f.Add(uint64(2), uint8(9), uint8(1), uint8(255), uint8(9), make([]byte, 64))
	ties := []byte{0, 0, 0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0x80, 1, 0, 0, 0, 0xff, 0xff, 0x7f, 0x7f, 0xff, 0xff, 0x7f, 0xff}
	f.Add(uint64(3), uint8(20), uint8(1), uint8(6), uint8(30), ties) // ±0, ±smallest, ±largest
	f.Fuzz(func(t *testing.T, seed uint64, trees, dim, subsample, depth uint8, data []byte) {
		if trees == 0 || trees > 32 || dim == 0 || dim > maxDim || subsample < 2 {
			return
		}
		rows := make([]float32, 0, len(data)/4)
		for ; len(data) >= 4; data = data[4:] {
			v := math.Float32frombits(binary.LittleEndian.Uint32(data))
			if !finite(v) {
				v = 0
			}
			rows = append(rows, v)
		}
		rows = rows[:len(rows)/int(dim)*int(dim)]
		if len(rows) < 2*int(dim) {
			return
		}
		o := Options{Trees: int(trees), Subsample: int(subsample), MaxDepth: int(depth), Seed: seed}
		compare(t, rows, int(dim), o, rows)
	})
}
