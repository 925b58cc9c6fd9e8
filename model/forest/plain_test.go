package forest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small has one tree of five nodes: 8 rows into 3 and 5, the 3 into 1 and 2.
func small() *Plain {
	return &Plain{
		Dim:         2,
		Subsample:   8,
		HeightLimit: 3,
		Nodes:       []uint32{5},
		Feature:     []uint8{1, 0, External, External, External},
		Size:        []uint32{8, 3, 5, 1, 2},
		Threshold:   []float32{1.5, -2},
	}
}

func TestPlainForest(t *testing.T) {
	f, err := small().Forest()
	require.NoError(t, err)
	assert.Equal(t, small(), f.Plain())
	assert.Equal(t, []int{2, 1, 8, 3}, []int{f.Dim(), f.Trees(), f.Subsample(), f.HeightLimit()})
	assert.Equal(t, 2.0, f.MeanPath([]float32{-3, 1}))
	assert.Equal(t, 3.0, f.MeanPath([]float32{-2, 1}), "2 + c(2)")
	assert.InDelta(t, 1+slowC(5), f.MeanPath([]float32{-3, 1.5}), 1e-6)
	assert.Equal(t, []Visit{
		{Depth: 0, Size: 8, Expected: f.AverageLength(), Feature: 1, Threshold: 1.5, Value: 1},
		{Depth: 1, Size: 3, Expected: 1 + float64(f.c[3])/(1<<fraction), Feature: 0, Threshold: -2, Value: -2, Right: true},
		{Depth: 2, Size: 2, Expected: 3, External: true},
	}, f.Trace(0, []float32{-2, 1}))
}

func TestPlainRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(p *Plain)
		want   string
	}{
		{"no trees", func(p *Plain) { p.Nodes = nil }, "forest: 0 trees, want 1 to 4096"},
		{"no features", func(p *Plain) { p.Dim = 0 }, "forest: 0 features, want 1 to 255"},
		{"huge subsample", func(p *Plain) { p.Subsample = 1 << 40 }, "forest: subsample of 1099511627776 rows, want 2 to 1048576"},
		{"no depth", func(p *Plain) { p.HeightLimit = 0 }, "forest: depth limit 0, want 1 to 512"},
		{"negative depth", func(p *Plain) { p.HeightLimit = -1 }, "forest: depth limit -1, want 1 to 512, or 0 for ⌈log2 subsample⌉"},
		{"too deep", func(p *Plain) { p.HeightLimit = 1 }, "forest: tree 0, node 1: a split at depth 1, the limit"},
		{"too many nodes", func(p *Plain) { p.Nodes[0] = math.MaxUint32 }, "forest: more than 16777215 nodes at tree 0; grow fewer trees or smaller subsamples"},
		{"nodes missing", func(p *Plain) { p.Nodes[0] = 7 }, "forest: 5 features and 5 sizes for 7 nodes"},
		{"sizes missing", func(p *Plain) { p.Size = p.Size[:4] }, "forest: 5 features and 4 sizes for 5 nodes"},
		{"empty tree", func(p *Plain) { p.Nodes = []uint32{0, 5} }, "forest: tree 0, node 0: missing"},
		{"wrong root", func(p *Plain) { p.Subsample = 9 }, "forest: tree 0, node 0: 8 rows at the root, want 9"},
		{"sizes do not add up", func(p *Plain) { p.Size[4] = 3 }, "forest: tree 0, node 1: 3 rows split into 1 and 3"},
		{"sizes overflow", func(p *Plain) { p.Size[3], p.Size[4] = math.MaxUint32, 4 }, "forest: tree 0, node 1: 3 rows split into 4294967295 and 4"},
		{"empty child", func(p *Plain) { p.Size[3], p.Size[4] = 0, 3 }, "forest: tree 0, node 1: 3 rows split into 0 and 3"},
		{"node without parent", func(p *Plain) { p.Feature[0] = External }, "forest: tree 0, node 1: no split leads to it"},
		{"children missing", func(p *Plain) { p.Feature[4] = 0 }, "forest: tree 0, node 4: a split whose children are missing"},
		{"unknown feature", func(p *Plain) { p.Feature[1] = 2 }, "forest: tree 0, node 1: splits by feature 2 of 2"},
		{"threshold missing", func(p *Plain) { p.Threshold = p.Threshold[:1] }, "forest: tree 0, node 1: a split without threshold"},
		{"threshold too many", func(p *Plain) { p.Threshold = append(p.Threshold, 1) }, "forest: 1 thresholds more than splits"},
		{"infinite threshold", func(p *Plain) { p.Threshold[1] = float32(math.Inf(1)) }, "forest: tree 0, node 1: threshold +Inf, want a finite number"},
		{"NaN threshold", func(p *Plain) { p.Threshold[0] = float32(math.NaN()) }, "forest: tree 0, node 0: threshold NaN, want a finite number"},
		{"negative zero", func(p *Plain) { p.Threshold[0] = float32(math.Copysign(0, -1)) }, "forest: tree 0, node 0: threshold −0, want 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := small()
			tt.change(p)
			_, err := p.Forest()
			require.EqualError(t, err, tt.want)
		})
	}
}

// FuzzPlain: what is accepted can be walked, explained, and written again.
func FuzzPlain(f *testing.F) {
	f.Add(2, 8, 3, []byte{5}, small().Feature, []byte{8, 3, 5, 1, 2}, []byte{1, 200})
	f.Add(1, 2, 1, []byte{1, 3}, []byte{External, 0, External, External}, []byte{2, 2, 1, 1}, []byte{0})
	f.Fuzz(func(t *testing.T, dim, subsample, height int, nodes, feature, size, thresholds []byte) {
		p := &Plain{Dim: dim, Subsample: subsample, HeightLimit: height, Feature: feature, Threshold: []float32{}}
		for _, n := range nodes {
			p.Nodes = append(p.Nodes, uint32(n))
		}
		for _, n := range size {
			p.Size = append(p.Size, uint32(n))
		}
		for _, v := range thresholds {
			p.Threshold = append(p.Threshold, float32(int8(v)))
		}
		forest, err := p.Forest()
		if err != nil {
			return
		}
		require.Equal(t, p, forest.Plain())
		x, credits := make([]float32, dim), make([]float64, dim)
		for i := range x {
			x[i] = float32(i) - 1
		}
		path := forest.MeanPath(x)
		require.Equal(t, path, forest.Attribute(credits, x))
		for tree := range forest.Trees() {
			forest.Trace(tree, x)
		}
	})
}
