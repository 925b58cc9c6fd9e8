package forest

import "fmt"

// Grower grows a forest one tree at a time, in the goroutine that calls it,
// from rows that the caller chooses. It keeps its memory from one forest to
// the next. It is not safe for concurrent use.
type Grower struct {
	dim    int
	o      Options
	height int
	w      workspace
	trees  [][]growing // breadth first; empty if not grown yet
}

// NewGrower returns a Grower for rows of dim features. o.Subsample is the
// exact number of rows that every tree will get; o.Workers is not used.
func NewGrower(dim int, o Options) (*Grower, error) {
	g := &Grower{dim: dim}
	if err := g.Reset(o); err != nil {
		return nil, err
	}
	return g, nil
}

// Reset begins a new forest. It allocates only where the new one is larger
// than any before.
func (g *Grower) Reset(o Options) error {
	if err := o.check(g.dim); err != nil {
		return err
	}
	g.o = o
	g.height = o.height()
	if cap(g.trees) < o.Trees {
		g.trees = append(g.trees[:cap(g.trees)], make([][]growing, o.Trees-cap(g.trees))...)
	}
	g.trees = g.trees[:o.Trees]
	for i := range g.trees {
		g.trees[i] = g.trees[i][:0]
	}
	return nil
}

// GrowTree grows tree number tree, 0 to Options.Trees−1, in any order, from
// the rows (n×dim, row-major) whose indices sample holds: exactly
// Options.Subsample of them, repeats allowed. Neither is kept. The tree
// depends on the seed, its number and these rows, not on their order. The
// splits are drawn from math/rand/v2's PCG with the seeds (Options.Seed,
// tree): draw the sample from another stream (Sampler does).
//
// It allocates the tree's nodes, and nothing where Reset has left room.
func (g *Grower) GrowTree(tree int, rows []float32, sample []int32) error {
	if tree < 0 || tree >= g.o.Trees {
		return fmt.Errorf("forest: tree %d of %d", tree, g.o.Trees)
	}
	g.w.reserve(g.dim, g.o.Subsample, g.height, g.o.Beyond)
	return g.grow(&g.w, tree, rows, sample)
}

func (g *Grower) grow(w *workspace, tree int, rows []float32, sample []int32) error {
	if len(sample) != g.o.Subsample {
		return fmt.Errorf("forest: tree %d: sample of %d rows, want %d", tree, len(sample), g.o.Subsample)
	}
	if err := w.gather(rows, g.dim, sample); err != nil {
		return fmt.Errorf("forest: tree %d: %w", tree, err)
	}
	w.random.seed(g.o.Seed, uint64(tree))
	w.grow(g.height, g.o.Beyond)
	g.trees[tree] = append(g.trees[tree][:0], w.nodes...)
	return nil
}

// Forest puts the trees together. It fails unless all of them are grown. The
// Grower keeps nothing of the forest and may be Reset.
func (g *Grower) Forest() (*Forest, error) {
	nodes, splits := 0, 0
	for i, tree := range g.trees {
		if len(tree) == 0 {
			return nil, fmt.Errorf("forest: tree %d of %d is not grown", i, len(g.trees))
		}
		nodes += len(tree)
		splits += len(tree) / 2
	}
	p := Plain{
		Dim:         g.dim,
		Subsample:   g.o.Subsample,
		HeightLimit: g.height,
		Nodes:       make([]uint32, 0, len(g.trees)),
		Feature:     make([]uint8, 0, nodes),
		Size:        make([]uint32, 0, nodes),
		Threshold:   make([]float32, 0, splits),
	}
	for _, tree := range g.trees {
		p.Nodes = append(p.Nodes, uint32(len(tree)))
		for i := range tree {
			n := &tree[i]
			p.Size = append(p.Size, uint32(n.size))
			if n.external {
				p.Feature = append(p.Feature, External)
			} else {
				p.Feature = append(p.Feature, n.feature)
				p.Threshold = append(p.Threshold, n.threshold)
			}
		}
	}
	return p.Forest()
}
