package learn

import (
	"errors"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// stepEvery is how many connections pass between two slices of a rebuild, once
// there is a model: then there is no hurry.
const stepEvery = 8

// Learner learns from the rows of a sensor while they are scored. What
// it does depends on the rows and the options alone, never on a clock, so Fit
// with AsSensor makes the same models of the same log. It computes on the
// thread that calls it and is not safe for concurrent use.
type Learner struct {
	o       Options
	past    *past
	rebuild *rebuild
	trial   *trial
	alerts  *alerts

	labelled labelledRows
	model    *model.Model // in use
	previous *model.Model // for Rollback
	due      uint64       // row at which the next rebuild begins
	builds   int          // begun
	promoted int
	refused  int
	refusing conn.Micros // ts of the first refusal since the last promotion
}

// NewLearner reserves all memory that observing needs, for conn.log about 26 MB, most of
// which a site of a few kinds of row never touches.
func NewLearner(o Options) *Learner {
	o = o.withDefaults()
	p := newPast(o, true)
	return &Learner{o: o, past: p, rebuild: newRebuild(p, o), alerts: newAlerts(o.Set), due: uint64(o.Warmup)}
}

// Model returns the model in use, nil before the first.
func (l *Learner) Model() *model.Model { return l.model }

// Rows returns the number of connections observed.
func (l *Learner) Rows() uint64 { return l.past.rows }

// Rebuilding reports whether the next model is being made or on trial.
func (l *Learner) Rebuilding() bool { return l.rebuild.stage != idle || l.trial != nil }

// Observe remembers a row of Options.Set and, where there is a model, its score
// by Model. It takes constant time and does not allocate.
func (l *Learner) Observe(r *feature.Row, s model.Score) {
	l.past.observe(r)
	if l.model != nil && !r.Cold && l.model.Rank(s.Path) <= alertRank {
		l.alerts.add(r)
		l.labelled.add(r.Cell, r.Host, &r.Sample)
	}
}

// Take scores a row, observes it and does a slice of the work, as Step does.
func (l *Learner) Take(r *feature.Row) (*model.Model, error) {
	var s model.Score
	if l.model != nil {
		s = l.model.ScoreRow(r)
	}
	l.Observe(r, s)
	return l.Step()
}

// Set returns the kind of rows that the learner learns from.
func (l *Learner) Set() *feature.Set { return l.o.Set }

// Step does a slice of the work for the next model, if one is due: about a
// tenth of a millisecond. It must follow each Observe. It returns a model when
// that is to take the place of Model, which it then does, and a *Refused when
// a new model was not good enough. Any other error says that a model could not
// be made; the next one is tried when due.
func (l *Learner) Step() (*model.Model, error) {
	if l.model != nil && l.past.rows%stepEvery != 0 {
		return nil, nil
	}
	switch {
	case l.trial != nil:
		return l.judge()
	case l.rebuild.stage != idle:
		m, err := l.rebuild.step()
		if m == nil {
			return nil, err
		}
		l.trial = &trial{now: l.model, next: m}
		if l.model == nil {
			return l.promote(), nil
		}
	case l.past.rows >= l.due:
		l.due = l.past.rows + min(l.past.rows, uint64(l.o.RebuildEvery))
		if err := l.rebuild.begin(l.builds); err != nil {
			return nil, err
		}
		l.builds++
	}
	return nil, nil
}

// judge goes on with the trial and ends it.
func (l *Learner) judge() (*model.Model, error) {
	if !l.trial.step(l.past, l.alerts, &l.labelled) {
		return nil, nil
	}
	refused := l.trial.verdict()
	if refused == nil {
		return l.promote(), nil
	}
	if l.refusing == 0 {
		l.refusing = l.past.now
	}
	if !refused.bad && l.past.now-l.refusing >= longestRefusal {
		l.alerts = newAlerts(l.o.Set)
		return l.promote(), nil
	}
	l.trial = nil
	l.refused++
	return nil, refused
}

func (l *Learner) promote() *model.Model {
	l.previous, l.model = l.model, l.trial.next
	l.trial, l.refusing = nil, 0
	l.promoted++
	return l.model
}

// ErrNoPrevious says that there is no model to go back to.
var ErrNoPrevious = errors.New("learn: there is no earlier model to go back to")

// Rollback goes back to the model before the one in use, which it forgets, and
// waits for the next rebuild.
func (l *Learner) Rollback() (*model.Model, error) {
	if l.previous == nil {
		return nil, ErrNoPrevious
	}
	l.model, l.previous = l.previous, nil
	l.trial, l.rebuild.stage = nil, idle
	l.due = l.past.rows + uint64(l.o.RebuildEvery)
	return l.model, nil
}

// Stats are figures of a Learner.
type Stats struct {
	Seed        uint64
	Rows        uint64 // observed
	Kinds       int    // of connection that shape models
	Quarantined int    // kinds that wait
	Due         uint64 // row at which the next rebuild begins
	Rebuilding  bool
	Promoted    int // models that came into use
	Refused     int
}

// Stats returns the learner's figures now.
func (l *Learner) Stats() Stats {
	s := Stats{Seed: l.o.Seed, Rows: l.past.rows, Due: l.due, Rebuilding: l.Rebuilding(), Promoted: l.promoted, Refused: l.refused}
	if l.past.cells != nil {
		s.Kinds = l.past.cells.table.Len()
		for place := range l.past.waiting.table.Len() { // some were admitted meanwhile
			if l.past.cells.table.Find(l.past.waiting.table.Key(place)) < 0 {
				s.Quarantined++
			}
		}
	}
	return s
}
