package forest

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// Options says how a forest is grown. This room has no defaults.
type Options struct {
	Trees     int    // t, 1..MaxTrees
	Subsample int    // ψ, the rows of one tree, 2..MaxSubsample
	MaxDepth  int    // height limit, 1..MaxHeight; 0 = ⌈log2 ψ⌉ of the actual ψ, the paper's, and beyondDepth more with Beyond
	Seed      uint64 // of everything random
	Beyond    uint64 // features that a cut may split beyond the data, bit i for feature i
	Workers   int    // goroutines of Grow; 0 = GOMAXPROCS. The forest does not depend on it
}

// The largest forest: path lengths of it fit their fixed point, and a walk
// through a hostile model file ends soon.
const (
	MaxTrees     = 1 << 12
	MaxSubsample = 1 << 20
	MaxHeight    = 512
)

// ErrTooFewRows says that there are fewer than two rows: c(1) is 0 and gives no
// score.
var ErrTooFewRows = errors.New("an isolation forest needs at least two rows")

// heightLimit returns ⌈log2 ψ⌉, the average height of a tree of ψ rows (Liu,
// Ting, Zhou 2008, §4.1).
func heightLimit(subsample int) int { return bits.Len(uint(subsample - 1)) }

const (
	// beyondShare is how far beyond a node's upper end a cut may lie, as a share
	// of the feature's range in the tree's subsample. Without such cuts a tree
	// cannot say how far above its rows a value lies: all of them fall on one
	// side of every cut.
	beyondShare = 0.5
	// beyondLeast is how far it may lie at least. Such features are logarithms,
	// so this is a factor of e: where all rows are alike, one that is a tenth
	// larger is not a stranger.
	beyondLeast = 1
	// beyondDepth is added to ⌈log2 ψ⌉ where cuts lie beyond the data: those
	// cuts part no rows.
	beyondDepth = 2
)

// height returns the height limit of the trees.
func (o Options) height() int {
	switch {
	case o.MaxDepth != 0:
		return o.MaxDepth
	case o.Beyond != 0:
		return heightLimit(o.Subsample) + beyondDepth
	}
	return heightLimit(o.Subsample)
}

func (o Options) check(dim int) error {
	switch {
	case dim < 1 || dim > maxDim:
		return fmt.Errorf("forest: %d features, want 1 to %d", dim, maxDim)
	case o.Trees < 1 || o.Trees > MaxTrees:
		return fmt.Errorf("forest: %d trees, want 1 to %d", o.Trees, MaxTrees)
	case o.Subsample < 2 || o.Subsample > MaxSubsample:
		return fmt.Errorf("forest: subsample of %d rows, want 2 to %d", o.Subsample, MaxSubsample)
	case o.MaxDepth < 0 || o.MaxDepth > MaxHeight:
		return fmt.Errorf("forest: depth limit %d, want 1 to %d, or 0 for ⌈log2 subsample⌉", o.MaxDepth, MaxHeight)
	}
	return nil
}

// Grow grows a forest from rows, n×dim numbers row-major, each tree from a
// uniform sample without replacement. Where n is less than o.Subsample, every
// tree gets all rows and ψ is n. It fails for fewer than two rows
// (ErrTooFewRows) and for a number that is not finite.
func Grow(rows []float32, dim int, o Options) (*Forest, error) {
	if err := o.check(dim); err != nil {
		return nil, err
	}
	if len(rows)%dim != 0 {
		return nil, fmt.Errorf("forest: %d numbers are not whole rows of %d features", len(rows), dim)
	}
	n := len(rows) / dim
	if n < 2 {
		return nil, fmt.Errorf("forest: %d rows: %w", n, ErrTooFewRows)
	}
	if n > math.MaxInt32 {
		return nil, fmt.Errorf("forest: %d rows, want at most %d", n, math.MaxInt32)
	}
	for i, v := range rows {
		if !finite(v) {
			return nil, fmt.Errorf("forest: row %d, feature %d is %v, want a finite number", i/dim, i%dim, v)
		}
	}
	o.Subsample = min(o.Subsample, n)
	g, err := NewGrower(dim, o)
	if err != nil {
		return nil, err
	}
	if err := g.growAll(rows, n, o.Workers); err != nil {
		return nil, err
	}
	return g.Forest()
}

// growAll grows all trees from uniform samples; each worker takes the next
// tree that nobody has taken.
func (g *Grower) growAll(rows []float32, n, workers int) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, g.o.Trees)
	errs := make([]error, g.o.Trees)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var w workspace
			var s Sampler
			w.reserve(g.dim, g.o.Subsample, g.height, g.o.Beyond)
			sample := make([]int32, g.o.Subsample)
			for tree := int(next.Add(1)) - 1; tree < g.o.Trees; tree = int(next.Add(1)) - 1 {
				s.Draw(sample, n, g.o.Seed, tree)
				errs[tree] = g.grow(&w, tree, rows, sample)
			}
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

func finite(v float32) bool { return v-v == 0 }
