package forest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// integers has the same rows on every machine: no logarithm is in them.
func integers(n, dim int) []float32 {
	random := rand.New(rand.NewPCG(1, 1))
	rows := make([]float32, n*dim)
	for i := range rows {
		rows[i] = float32(random.Int32N(1<<20)) / 1024 * float32(random.Int32N(64))
	}
	return rows
}

func frozenForest(t testing.TB) *Forest {
	f, err := Grow(integers(1000, 6), 6, Options{Trees: 100, Subsample: 256, Seed: 1})
	require.NoError(t, err)
	return f
}

// A model file promises the same forest for the same rows and seed. These
// digests are that promise, on every CPU: where they change, so does the
// format's version.
func TestFrozenForest(t *testing.T) {
	f := frozenForest(t)
	h := sha256.New()
	p := f.Plain()
	for _, list := range []any{p.Nodes, p.Feature, p.Size, p.Threshold} {
		require.NoError(t, binary.Write(h, binary.LittleEndian, list))
	}
	assert.Equal(t, "5447030a2ad331a8984e0ee3", hex.EncodeToString(h.Sum(nil)[:12]), "forest")

	h.Reset()
	credits := make([]float64, 6)
	rows := integers(1000, 6)
	for i := range 1000 {
		path := f.Attribute(credits, rows[i*6:i*6+6])
		require.NoError(t, binary.Write(h, binary.LittleEndian, []float64{path, f.Score(path)}))
		require.NoError(t, binary.Write(h, binary.LittleEndian, credits))
	}
	assert.Equal(t, "fadc62de4e211362be56625f", hex.EncodeToString(h.Sum(nil)[:12]), "paths, scores and credits")
}

func TestWorkersChangeNothing(t *testing.T) {
	rows := integers(3000, 4)
	o := Options{Trees: 37, Subsample: 128, Seed: 5, Workers: 1}
	want, err := Grow(rows, 4, o)
	require.NoError(t, err)
	wantPaths := make([]float64, 3000)
	want.MeanPaths(wantPaths, rows, 1)
	for _, workers := range []int{0, 2, 3, 16, 100} {
		o.Workers = workers
		got, err := Grow(rows, 4, o)
		require.NoError(t, err)
		require.Equal(t, want.Plain(), got.Plain(), "%d workers", workers)
		paths := make([]float64, 3000)
		got.MeanPaths(paths, rows, workers)
		require.Equal(t, wantPaths, paths, "%d workers", workers)
	}
}

func TestOrderOfTreesChangesNoPath(t *testing.T) {
	rows := integers(500, 4)
	grow := func(order []int) *Forest {
		// tree number order[i] takes place i
		trees := make([][]growing, len(order))
		g, err := NewGrower(4, Options{Trees: len(order), Subsample: 64, Seed: 5})
		require.NoError(t, err)
		var s Sampler
		sample := make([]int32, 64)
		for place, tree := range order {
			s.Draw(sample, 500, 5, tree)
			require.NoError(t, g.GrowTree(tree, rows, sample))
			trees[place] = g.trees[tree]
		}
		g.trees = trees
		f, err := g.Forest()
		require.NoError(t, err)
		return f
	}
	random := rand.New(rand.NewPCG(3, 3))
	a, b := grow(random.Perm(21)), grow(random.Perm(21))
	require.NotEqual(t, a, b)
	credits, others := make([]float64, 4), make([]float64, 4)
	for i := range 500 {
		x := rows[i*4 : i*4+4]
		require.Equal(t, a.Attribute(credits, x), b.Attribute(others, x))
		require.Equal(t, credits, others)
	}
}

// Trees grown one by one, in any order, with a reused Grower, are Grow's.
func TestGrowerGrowsTheSameForest(t *testing.T) {
	rows := integers(1000, 6)
	o := Options{Trees: 11, Subsample: 100, Seed: 9}
	want, err := Grow(rows, 6, o)
	require.NoError(t, err)

	g, err := NewGrower(6, Options{Trees: 30, Subsample: 300, Seed: 1})
	require.NoError(t, err)
	require.NoError(t, g.GrowTree(3, rows, make([]int32, 300)))
	require.NoError(t, g.Reset(o))
	var s Sampler
	sample := make([]int32, 100)
	for i := range 11 {
		tree := i * 4 % 11
		_, err := g.Forest()
		require.ErrorContains(t, err, "is not grown")
		s.Draw(sample, 1000, 9, tree)
		rand.New(rand.NewPCG(1, 1)).Shuffle(100, func(i, j int) { sample[i], sample[j] = sample[j], sample[i] })
		require.NoError(t, g.GrowTree(tree, rows, sample))
	}
	got, err := g.Forest()
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestEqualRowsEndAtTheRoot(t *testing.T) {
	rows := make([]float32, 300*2)
	rows[7] = float32(math.Copysign(0, -1)) // equals 0
	f, err := Grow(rows, 2, Options{Trees: 5, Subsample: 256, Seed: 1})
	require.NoError(t, err)
	assert.Equal(t, f.AverageLength(), f.MeanPath(rows[:2]))
	assert.Equal(t, 0.5, f.Score(f.MeanPath(rows[:2])))
}

// Only the feature that is not constant is drawn, so a lone row is cut off at once.
func TestConstantFeaturesCostNoDepth(t *testing.T) {
	rows := make([]float32, 256*20)
	rows[20*255+13] = 1
	f, err := Grow(rows, 20, Options{Trees: 50, Subsample: 256, Seed: 1})
	require.NoError(t, err)
	assert.Equal(t, 1.0, f.MeanPath(rows[20*255:]))
	for tree := range 50 {
		way := f.Trace(tree, rows)
		require.Len(t, way, 2)
		assert.Equal(t, 13, way[0].Feature)
		assert.Equal(t, 255, way[1].Size)
	}
}

func TestGrowRefuses(t *testing.T) {
	good := Options{Trees: 2, Subsample: 4, Seed: 1}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	tests := []struct {
		name string
		rows []float32
		dim  int
		o    Options
		want string
	}{
		{"no row", nil, 2, good, "forest: 0 rows: an isolation forest needs at least two rows"},
		{"one row", []float32{1, 2}, 2, good, "forest: 1 rows: an isolation forest needs at least two rows"},
		{"half a row", []float32{1, 2, 3}, 2, good, "forest: 3 numbers are not whole rows of 2 features"},
		{"no features", nil, 0, good, "forest: 0 features, want 1 to 255"},
		{"too many features", nil, 256, good, "forest: 256 features, want 1 to 255"},
		{"no trees", []float32{1, 2}, 1, Options{Subsample: 2}, "forest: 0 trees, want 1 to 4096"},
		{"subsample of one", []float32{1, 2}, 1, Options{Trees: 1, Subsample: 1}, "forest: subsample of 1 rows, want 2 to 1048576"},
		{"too deep", []float32{1, 2}, 1, Options{Trees: 1, Subsample: 2, MaxDepth: 513}, "forest: depth limit 513, want 1 to 512, or 0 for ⌈log2 subsample⌉"},
		{"NaN", []float32{1, 2, 3, nan}, 2, good, "forest: row 1, feature 1 is NaN, want a finite number"},
		{"infinity", []float32{1, 2, inf, 3}, 2, good, "forest: row 1, feature 0 is -Inf, want a finite number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Grow(tt.rows, tt.dim, tt.o)
			require.EqualError(t, err, tt.want)
		})
	}
	_, err := Grow([]float32{1}, 1, good)
	require.ErrorIs(t, err, ErrTooFewRows)
}

func TestGrowTreeRefuses(t *testing.T) {
	g, err := NewGrower(2, Options{Trees: 2, Subsample: 2})
	require.NoError(t, err)
	rows := []float32{1, 2, 3, float32(math.NaN())}
	assert.EqualError(t, g.GrowTree(2, rows, []int32{0, 0}), "forest: tree 2 of 2")
	assert.EqualError(t, g.GrowTree(0, rows, []int32{0}), "forest: tree 0: sample of 1 rows, want 2")
	assert.EqualError(t, g.GrowTree(0, rows, []int32{0, 2}), "forest: tree 0: sample holds row 2 of 2")
	assert.EqualError(t, g.GrowTree(0, rows, []int32{0, -1}), "forest: tree 0: sample holds row -1 of 2")
	assert.EqualError(t, g.GrowTree(1, rows, []int32{0, 1}), "forest: tree 1: row 1, feature 1 is NaN, want a finite number")
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	rows := integers(1000, 6)
	f := frozenForest(t)
	paths, credits := make([]float64, 100), make([]float64, 6)
	var g *Grower
	var s Sampler
	sample := make([]int32, 256)
	g, err := NewGrower(6, Options{Trees: 1, Subsample: 256, Seed: 1})
	require.NoError(t, err)
	hot := map[string]func(){
		"MeanPath":  func() { f.MeanPath(rows) },
		"Score":     func() { f.Score(7) },
		"MeanPaths": func() { f.MeanPaths(paths, rows[:600], 1) },
		"Attribute": func() { f.Attribute(credits, rows) },
		"Draw":      func() { s.Draw(sample, 1000, 1, 0) },
		"GrowTree":  func() { _ = g.GrowTree(0, rows, sample) },
	}
	for name, call := range hot {
		assert.Zero(t, testing.AllocsPerRun(100, call), name)
	}
}

// Whatever a row holds, a walk ends and stays inside.
func TestNumbersThatAreNone(t *testing.T) {
	f := frozenForest(t)
	inf := float32(math.Inf(1))
	odd := []float32{inf, -inf, float32(math.NaN()), math.Float32frombits(0xffffffff), math.Float32frombits(0x7fffffff), math.MaxFloat32}
	for i := range odd {
		odd[0], odd[i] = odd[i], odd[0]
		path := f.MeanPath(odd)
		assert.True(t, path >= 1 && path <= 8+f.AverageLength(), "path %v", path)
		assert.Equal(t, []float64{path}, slicedPaths(f, odd))
	}
	assert.Panics(t, func() { f.MeanPath(odd[:5:5]) })
	assert.Panics(t, func() { f.MeanPaths(make([]float64, 2), odd, 1) })
}
