// Package learn decides what to remember of a stream of rows (feature.Row), of
// whatever log, and makes models of it: fit.go from a log, in one pass;
// learner.go on a sensor, for ever; conn.go for callers that have connections; past.go is the memory, with cells.go (balanced), sample.go (uniform)
// and quarantine.go (what is too new); rebuild.go makes a model of it in small
// steps, and promote.go decides whether the sensor takes it.
package learn

import (
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// How rows are divided between the trees and the calibration curve, which must
// not see the same ones: a forest finds the rows that it has seen less strange.
const (
	// The first rows serve both, until there are enough for the curve alone.
	earlyRows = 512
	// Of later rows, one in so many is drawn for the curve.
	calibrationShare = 8
	// The curve needs that many rows of its own.
	enoughForCurve = 256
	// It uses that many at most: "1 in 30,000" is the rarest rank.
	maxCalibration = 1 << 15
	// On a sensor they are a sample of the last rows drawn for it, about so
	// many: of a million connections.
	calibrationMemory = 4 * maxCalibration
	// On a sensor one in so many of them is held back from the curve too, for
	// the test of the next model.
	heldBackShare = 4
	maxHeldBack   = 1 << 10

	// Kinds of connection in quarantine.
	maxWaiting = 1 << 12

	// Rows of uniform sampling, from which the trees draw.
	maxUniform = 1 << 16

	// On a sensor all counts are halved when so many rows were counted.
	maxCounted = 1 << 22
)

// past is what is remembered of a stream: bounded, without pointers, reserved
// at once.
type past struct {
	sensor      bool
	rows        uint64
	lacking     bool        // some rows lack fields, as on no sensor
	first, last conn.Micros // earliest and latest ts
	begun, now  conn.Micros // ts of the first and of the latest row
	counter     *feature.Counter
	cells       *cells     // balanced sampling
	waiting     *cells     // in quarantine, on a sensor: apart, so that they displace no others
	uniform     *reservoir // uniform sampling; one of the two is nil
	early       *samples
	calibration *reservoir
	heldBack    *samples // a ring, on a sensor
	held        uint64   // rows held back ever
	divide      *random
}

func newPast(o Options, sensor bool) *past {
	p := &past{
		sensor:  sensor,
		counter: feature.NewCounter(o.Set),
		early:   newSamples(o.Set, earlyRows),
		divide:  newRandom(o.Seed, streamDivide),
	}
	var cellsMemory, curveMemory uint64
	if sensor {
		cellsMemory, curveMemory = cellMemory, calibrationMemory
		p.heldBack = newSamples(o.Set, maxHeldBack)
	}
	p.calibration = newReservoir(o.Set, maxCalibration, newRandom(o.Seed, streamCalibration), curveMemory)
	if o.Sampling == Uniform {
		p.uniform = newReservoir(o.Set, max(maxUniform, o.Subsample), newRandom(o.Seed, streamReservoir), curveMemory)
	} else {
		p.cells = newCells(o.Set, model.DefaultCells, newRandom(o.Seed, streamReservoir), cellsMemory)
		if sensor {
			p.waiting = newCells(o.Set, maxWaiting, newRandom(o.Seed, streamWaiting), cellsMemory)
		}
	}
	return p
}

// observe remembers a row, or not. It does not allocate.
func (p *past) observe(r *feature.Row) {
	if p.rows == 0 {
		p.first, p.last, p.begun = r.TS, r.TS, r.TS
	}
	p.rows++
	p.now = r.TS
	p.lacking = p.lacking || r.Absent != 0
	p.first, p.last = min(p.first, r.TS), max(p.last, r.TS)

	in, place := p.cells, 0
	if in != nil {
		in, place = p.cell(r)
	}
	if in == p.cells {
		p.counter.Count(&r.Sample)
	}
	to, at, forTrees := p.keep(in, place)
	if at >= 0 {
		to.put(at, &r.Sample)
	}
	if at >= 0 && forTrees && in == p.cells {
		p.counter.CountText(&r.Sample)
	}
	// A state that was saved in slices can have more early rows than its number
	// of rows says.
	if p.rows <= earlyRows && p.early.n < p.early.room() {
		p.early.put(p.early.n, &r.Sample)
	}
}

// cell finds the cell of a row: among those that shape models, or in
// quarantine.
func (p *past) cell(r *feature.Row) (in *cells, place int) {
	if p.waiting == nil || p.cells.table.Find(r.Cell) >= 0 {
		place = p.cells.find(r.Cell)
		p.cells.cells[place].last = r.TS
		return p.cells, place
	}
	place = p.waiting.find(r.Cell)
	e := &p.waiting.cells[place]
	if e.see(r, p.begun) || p.rows <= earlyRows {
		return p.cells, p.cells.take(r.Cell, p.waiting, place)
	}
	return p.waiting, place
}

// keep decides at which place of which list the row of a cell is kept, −1 for
// nowhere, and whether for the trees.
func (p *past) keep(in *cells, place int) (to *samples, at int, forTrees bool) {
	if p.rows > earlyRows && p.divide.below(calibrationShare) == 0 {
		if p.sensor && p.divide.below(heldBackShare) == 0 {
			p.held++
			return p.heldBack, int((p.held - 1) % maxHeldBack), false
		}
		return p.calibration.rows, p.calibration.offer(), false
	}
	if in != nil {
		return in.rows, in.offer(place), true
	}
	return p.uniform.rows, p.uniform.offer(), true
}

// curveRows returns the number of rows for the curve, and whether the early ones are
// among them. Both kinds only grow.
func (p *past) curveRows() (n int, early bool) {
	n = p.calibration.rows.n
	if early = n < enoughForCurve; early {
		n += p.early.n
	}
	return n, early
}

// forCurve returns the i-th of the rows for the curve, with the early ones or not.
func (p *past) forCurve(i int, early bool) feature.Sample {
	if early {
		if i < p.early.n {
			return p.early.at(i)
		}
		i -= p.early.n
	}
	return p.calibration.rows.at(i)
}

// usual returns the middle of each feature among the rows that have it, for those
// that do not; where none has it, it is the same for all.
func (p *past) usual(e *feature.Encoder) (usual feature.Vector) {
	var of [feature.Places][]float32
	n, early := p.curveRows()
	for i := range n {
		s := p.forCurve(i, early)
		var v feature.Vector
		e.Finish(&v, &s)
		for f, x := range v[:e.Set().N()] {
			if s.Absent>>f&1 == 0 {
				of[f] = append(of[f], x)
			}
		}
	}
	for f, values := range of {
		if len(values) > 0 {
			slices.Sort(values)
			usual[f] = values[len(values)/2]
		}
	}
	return usual
}

// available returns the number of different rows that a tree can draw.
func (p *past) available() int {
	if p.cells != nil {
		return p.cells.available(p.now)
	}
	return p.uniform.rows.n
}

// draw copies the rows of one tree to dst, from the place at on.
func (p *past) draw(dst *samples, at, rows int, seed uint64, tree int) {
	if p.cells != nil {
		p.cells.draw(dst, at, rows, p.now, newRandom(seed, streamDraw+uint64(tree)))
	} else {
		p.uniform.draw(dst, at, rows, seed, tree)
	}
}
