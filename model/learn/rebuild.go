package learn

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Slices of a rebuild: each takes about a tenth of a millisecond.
const (
	pathsPerStep = 64
	usualRows    = 2048 // rows from which usual ranges are taken
)

// stage is how far a rebuild has come.
type stage uint8

const (
	idle       stage = iota
	freezing         // the counts become tables
	growing          // one tree a step
	packing          // the trees become a forest
	following        // path lengths of rows make the curve
	comparing        // usual ranges, one feature a step
	assembling       // the parts become a model
)

// rebuild makes a model of the past in small steps, so that it can run between
// connections on the thread that reads them. It keeps its memory from one
// model to the next.
type rebuild struct {
	past *past
	o    Options

	stage  stage
	build  int
	grower *forest.Grower
	drawn  *samples  // rows of each tree; on a sensor of all, to grow them again after a restart
	rows   []float32 // vectors of one tree's rows
	order  []int32   // 0, 1, 2, …
	parts  model.Parts
	tree   int // trees grown
	curve  *calibrate.Histogram
	next   int // rows followed
	total  int // rows to follow
	vector [feature.Places][]float32
	usual  int // ranges found
}

func newRebuild(p *past, o Options) *rebuild { return &rebuild{past: p, o: o} }

// seed returns the forest's: another one for each build, so that a sensor's models
// do not share their accidents.
func (b *rebuild) seed() uint64 { return b.o.Seed + uint64(b.build)*0x9e3779b97f4a7c15 }

// begin starts a model. It fails where there are fewer than two rows.
func (b *rebuild) begin(build int) error {
	available := b.past.available()
	if available < 2 {
		return forest.ErrTooFewRows
	}
	b.build = build
	if err := b.reserve(min(b.o.Subsample, available)); err != nil {
		return err
	}
	b.parts = model.Parts{}
	b.tree, b.next, b.total, b.usual = 0, 0, 0, 0
	for f := range b.vector {
		b.vector[f] = b.vector[f][:0]
	}
	b.stage = freezing
	return nil
}

// reserve makes room for trees of so many rows.
func (b *rebuild) reserve(subsample int) (err error) {
	o := forest.Options{Trees: b.o.Trees, Subsample: subsample, MaxDepth: b.o.MaxDepth, Seed: b.seed()}
	if !b.o.Within && b.o.Sampling != Uniform {
		o.Beyond = b.o.Set.Beyond
	}
	if b.grower == nil {
		b.grower, err = forest.NewGrower(b.o.Set.N(), o)
	} else {
		err = b.grower.Reset(o)
	}
	if err != nil {
		return err
	}
	if len(b.order) != subsample {
		b.order = make([]int32, subsample)
		for i := range b.order {
			b.order[i] = int32(i)
		}
		b.rows = make([]float32, subsample*b.o.Set.N())
		if b.past.sensor {
			b.drawn = newSamples(b.o.Set, b.o.Trees*subsample)
		} else {
			b.drawn = newSamples(b.o.Set, subsample)
		}
	}
	return nil
}

// step does the next slice of the work and returns the model after the last.
func (b *rebuild) step() (m *model.Model, err error) {
	switch b.stage {
	case freezing:
		err = b.freeze()
	case growing:
		err = b.growTree()
	case packing:
		err = b.pack()
	case following:
		b.follow()
	case comparing:
		b.findUsual()
	case assembling:
		m, err = b.assemble()
	}
	if err != nil {
		b.stage = idle
		return nil, fmt.Errorf("learn: %w", err)
	}
	return m, nil
}

func (b *rebuild) freeze() (err error) {
	p := b.past
	if p.sensor && p.counter.Rows() >= maxCounted {
		p.counter.Halve()
	}
	b.parts.Summary = model.Summary{
		Rows: p.rows, First: p.first, Last: p.last,
		Seed: b.o.Seed, Build: b.build, Sampling: b.o.Sampling.String(), ZeekVersion: b.o.ZeekVersion,
	}
	if p.cells != nil {
		b.parts.Summary.Cells = len(p.cells.opened(p.now))
	}
	b.parts.Encoder, err = feature.NewEncoder(b.o.Set, p.counter.Tables())
	if err == nil && p.lacking {
		b.parts.Encoder = b.parts.Encoder.WithUsual(p.usual(b.parts.Encoder))
	}
	b.stage = growing
	return err
}

func (b *rebuild) growTree() error {
	b.past.draw(b.drawn, b.rowsOf(b.tree), len(b.order), b.seed(), b.tree)
	if err := b.growNext(); err != nil {
		return err
	}
	if b.tree == b.o.Trees {
		b.stage = packing
	}
	return nil
}

// rowsOf returns the place in drawn from which the rows of a tree are kept.
func (b *rebuild) rowsOf(tree int) int {
	if b.drawn.room() == len(b.order) {
		return 0
	}
	return tree * len(b.order)
}

// growNext grows the next tree from its rows.
func (b *rebuild) growNext() error {
	n, from := b.o.Set.N(), b.rowsOf(b.tree)
	for i := range b.order {
		var v feature.Vector
		s := b.drawn.at(from + i)
		b.parts.Encoder.Finish(&v, &s)
		for without := b.o.Without; without != 0; without &= without - 1 {
			v[bits.TrailingZeros32(without)] = 0 // no tree splits by what does not differ
		}
		copy(b.rows[i*n:(i+1)*n], v[:])
	}
	err := b.grower.GrowTree(b.tree, b.rows, b.order)
	b.tree++
	return err
}

func (b *rebuild) pack() (err error) {
	if b.parts.Forest, err = b.grower.Forest(); err != nil {
		return err
	}
	n, early := b.past.curveRows()
	b.total, b.parts.Summary.Calibration, b.parts.Summary.Disjoint = n, n, !early
	b.curve = calibrate.NewHistogram(calibrate.WidthFor(b.parts.Forest.AverageLength()))
	b.stage = following
	return nil
}

// follow finds the path lengths of rows for the curve, and keeps the vectors of
// some, spread evenly, for the usual ranges.
func (b *rebuild) follow() {
	keep := min(b.total, usualRows)
	for end := min(b.next+pathsPerStep, b.total); b.next < end; b.next++ {
		var v feature.Vector
		s := b.past.forCurve(b.next, !b.parts.Summary.Disjoint)
		b.parts.Encoder.Finish(&v, &s)
		b.curve.Add(b.parts.Forest.MeanPath(v[:]))
		if (b.next+1)*keep/b.total > b.next*keep/b.total {
			for f, x := range v[:b.o.Set.N()] {
				b.vector[f] = append(b.vector[f], x)
			}
		}
	}
	if b.next == b.total {
		b.stage = comparing
	}
}

// findUsual finds the usual range of one feature.
func (b *rebuild) findUsual() {
	x := b.vector[b.usual]
	slices.Sort(x)
	for i, q := range feature.Quantiles {
		b.parts.Usual[b.usual][i] = x[min(int(q*float64(len(x))), len(x)-1)]
	}
	if b.usual++; b.usual == b.o.Set.N() {
		b.stage = assembling
	}
}

func (b *rebuild) assemble() (m *model.Model, err error) {
	if b.parts.Curve, err = b.curve.Curve(); err != nil {
		return nil, err
	}
	b.stage = idle
	return model.New(b.parts)
}
