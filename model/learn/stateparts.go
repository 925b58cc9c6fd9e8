package learn

import (
	"bytes"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Sizes of the pieces in which a state is saved, each 20 to 40 KB.
const (
	cellsPerPiece   = 32
	samplesPerPiece = 256
	hostsPerPiece   = 64
	bytesPerPiece   = 1 << 15
)

// state is what is saved: a learner and the memory beside it.
type state struct {
	l      *Learner
	memory Memory    // nil while reading
	blobs  [5][]byte // files of the model in use, the one before, the one on trial; the alerts' day; labels

	rows    uint64             // observed when saving began
	windows [][]byte           // read
	seen    map[*cells][]usage // read
	rebuild savedRebuild
}

// moved reports whether rows were observed since saving began: a rebuild or a
// trial that was going on then is no longer what was collected, and is left out.
func (s *state) moved() bool { return s.memory != nil && s.rows != s.l.past.rows }

// part is one kind of content, in pieces. The function describes a piece both
// ways.
type part struct {
	pieces func(s *state) int
	code   func(s *state, c *codec, piece int)
}

// parts are in the order in which they are written and must be read: a change
// of anything here is a new stateVersion.
var parts = []part{
	{one, (*state).codeLearner},
	{func(s *state) int { return s.l.past.counter.StateParts() }, (*state).codeCounter},
	{func(s *state) int { return piecesOf(s.l.past.cells) }, func(s *state, c *codec, i int) { s.codeCells(c, s.l.past.cells, i) }},
	{func(s *state) int { return piecesOf(s.l.past.waiting) }, func(s *state, c *codec, i int) { s.codeCells(c, s.l.past.waiting, i) }},
	samplesPart(func(s *state) *samples {
		if s.l.past.uniform == nil {
			return new(samples)
		}
		return s.l.past.uniform.rows
	}),
	samplesPart(func(s *state) *samples { return s.l.past.early }),
	samplesPart(func(s *state) *samples { return s.l.past.calibration.rows }),
	samplesPart(func(s *state) *samples { return s.l.past.heldBack }),
	{one, (*state).codeAlerts},
	blobPart(0), blobPart(1), blobPart(2), blobPart(day24),
	{one, (*state).codeTrial},
	{one, (*state).codeRebuild},
	samplesPart(func(s *state) *samples { return &s.rebuild.drawn }),
	{func(s *state) int { return (s.memory.Places() + hostsPerPiece - 1) / hostsPerPiece }, (*state).codeMemory},
	// From version 5 on.
	blobPart(labels),
	{one, (*state).codeLabelled},
}

func one(*state) int { return 1 }

func samplesPart(list func(*state) *samples) part {
	return part{
		func(s *state) int { return (list(s).n + samplesPerPiece - 1) / samplesPerPiece },
		func(s *state, c *codec, piece int) {
			c.samples(list(s), piece*samplesPerPiece, samplesPerPiece)
		},
	}
}

func (s *state) codeLearner(c *codec, _ int) {
	l, p := s.l, s.l.past
	c.uint64(&l.o.Seed)
	c.uint64(&p.rows)
	c.micros(&p.first)
	c.micros(&p.last)
	c.micros(&p.begun)
	c.micros(&p.now)
	c.uint64(&p.held)
	c.uint64(&l.due)
	for _, n := range []*int{&l.builds, &l.promoted, &l.refused} {
		c.count(n, 1<<31-1)
	}
	c.micros(&l.refusing)
	c.random(p.divide)
	c.random(p.calibration.random)
	c.uint64(&p.calibration.offered)
	if p.cells != nil {
		c.random(p.cells.random)
		c.random(p.waiting.random)
	} else {
		c.random(p.uniform.random)
		c.uint64(&p.uniform.offered)
	}
	l.rebuild.o.Seed = l.o.Seed
}

func (s *state) codeCounter(c *codec, piece int) {
	if !c.reading {
		c.data = s.l.past.counter.AppendState(c.data, piece)
		return
	}
	c.err = s.l.past.counter.RestoreState(piece, c.data)
	c.data = nil
}

// usage says when a cell was seen last among others: its number in the order
// of use.
type usage struct {
	key   uint64
	order uint32
}

func piecesOf(s *cells) int {
	if s == nil {
		return 0
	}
	return (s.table.Len() + cellsPerPiece - 1) / cellsPerPiece
}

// codeCells describes cells by their places, which the trees draw from, and
// each with its number in the order of use, by which cells are forgotten.
func (s *state) codeCells(c *codec, in *cells, piece int) {
	if in == nil {
		c.err = errState
		return
	}
	if !c.reading && piece == 0 {
		in.number()
	}
	from := piece * cellsPerPiece
	n := min(cellsPerPiece, in.table.Len()-from)
	c.count(&n, cellsPerPiece)
	for i := range n {
		place, key := from+i, uint64(0)
		if !c.reading {
			key = in.table.Key(place)
		}
		c.uint64(&key)
		if c.reading {
			if c.err != nil {
				return
			}
			place = in.find(key) // the same, unless cells moved while the state was saved
		}
		e := &in.cells[place]
		c.uint32(&e.order)
		c.micros(&e.first)
		c.micros(&e.last)
		for j := range e.hosts {
			c.uint32(&e.hosts[j])
		}
		c.uint64(&e.met)
		c.uint8(&e.kept)
		if e.kept > cellRows {
			c.err = errState
			e.kept = 0
		}
		for j := range int(e.kept) {
			c.sampleAt(in.rows, place*cellRows+j)
		}
		if c.reading {
			s.seen[in] = append(s.seen[in], usage{key, e.order})
		}
	}
}

func (s *state) codeAlerts(c *codec, _ int) {
	a := s.l.alerts
	n := a.table.Len()
	c.count(&n, maxAlerts)
	at := a.table.Oldest()
	for range n {
		var key uint64
		if !c.reading {
			key = a.table.Key(at)
		}
		c.uint64(&key)
		if c.reading {
			at, _ = a.table.Use(key)
		}
		c.sampleAt(a.rows, at)
		if !c.reading {
			at = a.table.Newer(at)
		}
	}
}

// The places in blobs of the alerts' rolling day and of the labels.
const (
	day24  = 3
	labels = 4
)

// blobPart returns one of the blobs, in pieces; none if it is empty.
func blobPart(which int) part {
	return part{
		func(s *state) int { return (len(s.blobs[which]) + bytesPerPiece - 1) / bytesPerPiece },
		func(s *state, c *codec, piece int) {
			if c.reading {
				s.blobs[which] = append(s.blobs[which], c.data...)
				c.data = nil
				return
			}
			c.data = append(c.data, s.blobs[which][piece*bytesPerPiece:min((piece+1)*bytesPerPiece, len(s.blobs[which]))]...)
		},
	}
}

// codeLabelled describes the rows that are labelled bad, and what finds more: the
// originators of alerts, each with the alert's kind, for rows may have come
// since the alerts were written.
func (s *state) codeLabelled(c *codec, _ int) {
	a := s.l.alerts
	n := a.table.Len()
	c.count(&n, maxAlerts)
	for i := range n {
		k := labelledKind{}
		if !c.reading {
			k = labelledKind{a.table.Key(i), a.hosts[i]}
		}
		c.uint64(&k.cell)
		c.uint32(&k.host)
		if at := a.table.Find(k.cell); c.reading && at >= 0 {
			a.hosts[at] = k.host
		}
	}
	l := &s.l.labelled
	n = len(l.of)
	if c.count(&n, maxLabelledRows); c.reading {
		*l = labelledRows{rows: newSamples(s.l.o.Set, maxLabelledRows), of: make([]labelledKind, n)}
	}
	for i := range n {
		c.uint64(&l.of[i].cell)
		c.uint32(&l.of[i].host)
		c.sampleAt(l.rows, i)
	}
	t := s.l.trial
	if t == nil {
		t = new(trial)
	}
	c.count(&t.labelled, maxLabelledRows)
	c.count(&t.lost, maxLabelledRows)
}

func (s *state) codeTrial(c *codec, _ int) {
	t := s.l.trial
	if !c.reading && s.moved() {
		t = nil
	}
	running := t != nil
	if c.bool(&running); !running {
		return
	}
	if c.reading {
		t = &trial{}
		s.l.trial = t
	}
	c.count(&t.held, maxHeldBack)
	c.count(&t.alerts, maxAlerts)
	c.count(&t.strangeNow, maxHeldBack)
	c.count(&t.strangeNext, maxHeldBack)
	c.count(&t.still, maxAlerts)
	if c.reading {
		t.nowPath, t.nextPath = make([]float64, t.held), make([]float64, t.held)
	}
	for i := range t.held {
		c.float64(&t.nowPath[i])
		c.float64(&t.nextPath[i])
	}
}

// savedRebuild is what of a rebuild is read before the past is there.
type savedRebuild struct {
	stage  stage
	tree   int
	size   int // rows of a tree
	tables feature.Tables
	counts []uint32
	drawn  samples
}

func (s *state) codeRebuild(c *codec, _ int) {
	b, r := s.l.rebuild, &s.rebuild
	if !c.reading && s.moved() {
		r.stage, r.drawn = idle, samples{}
	}
	c.uint8((*uint8)(&r.stage))
	if r.stage == idle {
		return
	}
	c.count(&b.build, 1<<31-1)
	c.count(&r.size, forest.MaxSubsample)
	c.count(&r.tree, b.o.Trees)
	if c.reading {
		if c.err != nil || r.size > b.o.Subsample || r.size < 2 {
			c.err = errState
			return
		}
		r.drawn = *newSamples(b.o.Set, r.tree*r.size)
	}
	c.count(&b.next, maxCalibration+earlyRows)
	c.count(&b.total, maxCalibration+earlyRows)
	c.count(&b.usual, b.o.Set.N())
	sum := &b.parts.Summary
	c.uint64(&sum.Rows)
	c.micros(&sum.First)
	c.micros(&sum.Last)
	c.count(&sum.Cells, model.DefaultCells)
	c.bool(&sum.Disjoint)
	c.tables(&r.tables)
	for f := range b.o.Set.N() {
		n := len(b.vector[f])
		c.count(&n, usualRows)
		if c.reading {
			b.vector[f] = make([]float32, n, usualRows)
		}
		for i := range n {
			c.float32(&b.vector[f][i])
		}
		for i := range b.parts.Usual[f] {
			c.float32(&b.parts.Usual[f][i])
		}
	}
	n := len(r.counts)
	c.count(&n, calibrate.Bins)
	if c.reading {
		r.counts = make([]uint32, n)
	}
	for i := range r.counts {
		c.uint32(&r.counts[i])
	}
}

func (c *codec) tables(t *feature.Tables) {
	c.uint64(&t.Rows)
	if t.Codes == nil {
		t.Codes = make([][]feature.CodeCount, len(c.set.Codes))
	}
	for i, coded := range c.set.Codes {
		n := len(t.Codes[i])
		c.count(&n, coded.Most)
		if c.reading {
			t.Codes[i] = make([]feature.CodeCount, n)
		}
		for j := range t.Codes[i] {
			c.uint64(&t.Codes[i][j].Code)
			c.uint64(&t.Codes[i][j].Rows)
		}
	}
	n := len(t.Bigrams)
	c.count(&n, feature.Bigrams)
	if c.reading {
		t.Bigrams = make([]uint32, n)
	}
	for i := range t.Bigrams {
		c.uint32(&t.Bigrams[i])
	}
}

func (s *state) codeMemory(c *codec, piece int) {
	if c.reading {
		s.windows = append(s.windows, bytes.Clone(c.data))
		c.data = nil
		return
	}
	c.data = s.memory.AppendState(c.data, piece*hostsPerPiece, hostsPerPiece)
}
