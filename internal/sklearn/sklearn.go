// Package sklearn reads an IsolationForest that was trained with scikit-learn,
// from the JSON that export.py writes.
package sklearn

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Script is the Python that writes a forest for Read.
//
//go:embed export.py
var Script string

// Forest is a forest of scikit-learn.
type Forest struct {
	Features   []string `json:"features"`    // names, where it was trained on a table that has them
	Width      int      `json:"n_features"`  // features of a row
	MaxSamples int      `json:"max_samples"` // rows that each tree was grown from
	Offset     float64  `json:"offset"`      // score_samples below it are called anomalies
	Trees      []Tree   `json:"trees"`
}

// Tree is a tree as sklearn.tree has it: node 0 is the root, −1 is no child.
type Tree struct {
	Feature   []int     `json:"feature"`
	Threshold []float64 `json:"threshold"` // of splits: rows with a value of at most this go left
	Left      []int     `json:"left"`
	Right     []int     `json:"right"`
	Samples   []int     `json:"samples"` // rows that came to the node
}

// maxFile is more than any forest that this program takes.
const maxFile = 1 << 30

// Read reads a forest. Forest.Plain checks the trees.
func Read(r io.Reader) (*Forest, error) {
	var f Forest
	dec := json.NewDecoder(io.LimitReader(r, maxFile))
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("not the JSON that export.py writes: %w", err)
	}
	switch {
	case len(f.Trees) == 0:
		return nil, errors.New("not the JSON that export.py writes: no trees")
	case f.Width != feature.Conn.N():
		return nil, fmt.Errorf("a forest of %d features, want the %d that zeek-iforest export --vectors writes, in their order", f.Width, feature.Conn.N())
	case !(f.Offset <= 0 && f.Offset >= -1):
		return nil, fmt.Errorf("offset %v, want −1 to 0", f.Offset)
	case f.Features != nil && !slices.Equal(f.Features, Names()):
		return nil, fmt.Errorf("features %.300q, want %q", f.Features, Names())
	}
	return &f, nil
}

// Names returns the names of the features, in the order of a vector.
func Names() []string {
	names := make([]string, feature.Conn.N())
	for i := range names {
		names[i] = feature.Conn.Features[i].Name
	}
	return names
}

// Plain returns the forest as this program's engine walks it, with the
// path lengths of scikit-learn. Its Forest checks sizes and thresholds.
func (f *Forest) Plain() (*forest.Plain, error) {
	p := &forest.Plain{Dim: feature.Conn.N(), Subsample: f.MaxSamples, HeightLimit: 1, Average: forest.Estimated}
	for i := range f.Trees {
		t := &f.Trees[i]
		if err := t.check(f.MaxSamples); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
		if err := t.appendTo(p); err != nil {
			return nil, fmt.Errorf("tree %d: %w", i, err)
		}
	}
	return p, nil
}

func (t *Tree) check(maxSamples int) error {
	n := len(t.Feature)
	switch {
	case n == 0 || len(t.Threshold) != n || len(t.Left) != n || len(t.Right) != n || len(t.Samples) != n:
		return fmt.Errorf("%d features, %d thresholds, %d left and %d right children and %d samples: want as many of each",
			n, len(t.Threshold), len(t.Left), len(t.Right), len(t.Samples))
	case t.Samples[0] != maxSamples:
		return fmt.Errorf("%d samples at the root, max_samples is %d: forests with bootstrap=True are not taken", t.Samples[0], maxSamples)
	}
	return nil
}

// appendTo appends the tree's nodes breadth first.
func (t *Tree) appendTo(p *forest.Plain) error {
	n := len(t.Feature)
	queue, depth := []int{0}, []int{0}
	for k := 0; k < len(queue); k++ {
		i := queue[k]
		if t.Samples[i] < 1 || t.Samples[i] > math.MaxInt32 {
			return fmt.Errorf("node %d: %d samples", i, t.Samples[i])
		}
		p.Size = append(p.Size, uint32(t.Samples[i]))
		if t.Left[i] == -1 && t.Right[i] == -1 {
			p.Feature = append(p.Feature, forest.External)
			continue
		}
		for _, child := range []int{t.Left[i], t.Right[i]} {
			if child < 1 || child >= n {
				return fmt.Errorf("node %d: its child is %d of %d nodes", i, child, n)
			}
		}
		if t.Feature[i] < 0 || t.Feature[i] >= feature.Conn.N() {
			return fmt.Errorf("node %d splits by feature %d of %d", i, t.Feature[i], feature.Conn.N())
		}
		if len(queue)+2 > n {
			return fmt.Errorf("node %d: a node has two parents", i)
		}
		p.Feature = append(p.Feature, uint8(t.Feature[i]))
		p.Threshold = append(p.Threshold, above(t.Threshold[i]))
		p.HeightLimit = max(p.HeightLimit, depth[k]+1)
		queue = append(queue, t.Left[i], t.Right[i])
		depth = append(depth, depth[k]+1, depth[k]+1)
	}
	if len(queue) != n {
		return fmt.Errorf("%d of %d nodes hang together", len(queue), n)
	}
	p.Nodes = append(p.Nodes, uint32(n))
	return nil
}

// above returns the least float32 that is more than the threshold. In scikit-learn a
// float32 goes left if it is at most the threshold, a float64; here if it is
// less than a float32.
func above(threshold float64) float32 {
	x := float32(threshold)
	if float64(x) <= threshold {
		x = math.Nextafter32(x, float32(math.Inf(1)))
	}
	return x + 0 // no −0
}
