package sensor

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// Learning says how a sensor learns. Zero values mean the defaults of
// model/defaults.go.
type Learning struct {
	Seed         uint64 // 0 draws one; a saved state has its own
	Warmup       uint64 // connections before the first model
	RebuildEvery uint64 // connections from a model to the next, of each of Workers
	Workers      uint64 // sensors that sample for it; 0 is 1
	SaveEvery    uint64 // connections from one saving to the next, 0 for at the end alone
	Dir          string // where what is learnt is kept, "" for nowhere
	ZeekVersion  string // kept in the models
	Recording    string // file in which the batches that Take is given are kept, "" for none
	Labels       string // as for Label
}

// learning is the part of a Sensor that makes its models.
type learning struct {
	learner *learn.Learner
	dir     stateDir
	every   uint64
	next    uint64 // row at which the next saving is due

	batches *learn.BatchReader
	record  *learn.Recorder // nil for none

	labelled string // what Label was told last
}

// Learn begins to learn from the connections that Score is given, from what
// the directory holds on. A directory that cannot be used is a Warning, and
// learning goes on in memory; it never fails for it.
func (s *Sensor) Learn(o Learning) error {
	if s.learning != nil {
		return nil
	}
	options := learn.Options{
		Set:  s.kind.Set(),
		Seed: o.Seed, Warmup: int(o.Warmup),
		RebuildEvery: int(cmp.Or(o.RebuildEvery, model.DefaultRebuildEvery) * max(o.Workers, 1)),
		ZeekVersion:  o.ZeekVersion,
	}
	if o.Seed == 0 {
		var b [8]byte
		if _, err := rand.Read(b[:]); err != nil {
			return fmt.Errorf("no seed for learning: %w", err)
		}
		options.Seed = binary.LittleEndian.Uint64(b[:])
	}
	l := &learning{every: o.SaveEvery, batches: learn.NewBatchReader(s.kind.Set())}
	if o.Dir != "" {
		if err := l.dir.open(o.Dir); err != nil {
			s.tell(Event{Kind: Warning, Text: fmt.Sprintf("what is learnt is not kept over a restart: state directory: %v: %s", err, placeForState(err))})
		}
	}
	learner, err := l.dir.restore(options, s.day(), s.kind)
	if err != nil {
		s.tell(Event{Kind: Warning, Text: err.Error()})
	}
	if learner == nil {
		learner = learn.NewLearner(options)
	}
	l.learner = learner
	if o.Recording != "" {
		if l.record, err = learner.Record(o.Recording); err != nil {
			s.tell(Event{Kind: Warning, Text: fmt.Sprintf("what is learnt from is not recorded: %v", err)})
		}
	}
	l.next = learner.Stats().Rows + l.every
	s.learning = l
	s.noteLabels() // a state may be older than the file
	s.Label(o.Labels)
	s.recordModel()
	s.model = nil // one from a file has been taken back
	if m := learner.Model(); m != nil {
		s.use(m)
	}
	return nil
}

// placeForState returns what to do about a state directory that cannot be used.
func placeForState(err error) string {
	if errors.Is(err, errLocked) {
		return "give each its own IForest::state_dir"
	}
	return "name one that Zeek's user may write as IForest::state_dir"
}

// observe learns from a row with, where there is a model, its score, and does a
// slice of what there is to do.
func (s *Sensor) observe(r *feature.Row, score model.Score) {
	s.learning.learner.Observe(r, score)
	s.stepped(s.learning.learner.Step())
}

// stepped makes what there is to make of a learner's step: of a model, nil
// where there is none, or of a refusal.
func (s *Sensor) stepped(m *model.Model, err error) {
	l := s.learning
	switch {
	case m != nil:
		s.use(m)
		l.dir.keep(m)
		s.tell(Event{Kind: Promoted, Text: fmt.Sprintf("model %s of %d connections", m.Fingerprint(), m.Summary().Rows)})
	case err != nil:
		s.tell(Event{Kind: Refused, Text: reasonOf(err)})
	}
	if l.every > 0 && l.learner.Rows() >= l.next && !l.learner.Rebuilding() {
		l.next = l.learner.Rows() + l.every
		s.saved(&l.dir, false, l.dir.begin(l.learner, s.kind, s.day()))
		return
	}
	done, err := l.dir.step()
	s.saved(&l.dir, done, err)
}

// reasonOf is why there is no new model.
func reasonOf(err error) string {
	var refused *learn.Refused
	if errors.As(err, &refused) {
		return refused.Reason
	}
	return err.Error()
}

// saved tells of a failure to save, once until a saving succeeds again.
func (s *Sensor) saved(d *stateDir, done bool, err error) {
	switch {
	case done:
		d.failed = false
	case err != nil && !d.failed:
		d.failed = true
		s.tell(Event{Kind: Warning, Text: fmt.Sprintf("what is learnt cannot be saved, learning goes on: %v", err)})
	}
}

// Rollback goes back to the model before the one in use.
func (s *Sensor) Rollback() error {
	if s.learning == nil {
		return &Error{NotDone, errors.New("this sensor does not learn")}
	}
	m, err := s.learning.learner.Rollback()
	if err != nil {
		return &Error{NotDone, err}
	}
	s.use(m)
	s.learning.dir.keep(m)
	s.recordModel()
	return nil
}

// EndLearning saves what was learnt and stops learning, and sampling; the model
// stays. The error says what could not be saved.
func (s *Sensor) EndLearning() error {
	if t := s.sampling; t != nil {
		err := t.dir.finish(t.nothing, s.kind, s.day())
		if k, ok := s.kind.(*connKind); ok {
			k.Hosts.Keep(nil)
		}
		err = errors.Join(err, t.journal.end(err == nil))
		s.sampling = nil
		if err != nil {
			return &Error{NotDone, fmt.Errorf("windows of hosts could not be saved: %w", err)}
		}
	}
	l := s.learning
	if l == nil {
		return nil
	}
	s.learning = nil
	if l.record != nil {
		l.record.Close()
	}
	if err := l.dir.finish(l.learner, s.kind, s.day()); err != nil {
		return &Error{NotDone, fmt.Errorf("what was learnt could not be saved: %w", err)}
	}
	return nil
}
