package sensor

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// In a cluster the sensors of the workers score and sample; that of the manager
// learns from their samples, and they adopt its models.

// sampling is the part of a Sensor from whose connections another one learns.
type sampling struct {
	thin  *learn.Thinning
	batch *learn.Batch

	// What is remembered of hosts is kept in the state of a learner that has
	// learnt nothing.
	nothing *learn.Learner
	dir     stateDir
	journal journal
	every   uint64
	rows    uint64
	next    uint64 // row at which the next saving is due
}

// Sampling says how a sensor samples.
type Sampling struct {
	OneIn     uint64 // of the connections that are of no new kind (learn.Thinning)
	SaveEvery uint64 // connections from one saving to the next, 0 for at the end alone
	Dir       string // where what is remembered of hosts, and the model, are kept, "" for nowhere
}

// firstSaving is the row behind which a sensor that samples saves first: a sensor
// that is killed knows then since when it has seen its network.
const firstSaving = 1000

// Sample begins to sample the connections that Score is given, with the model and
// the memory that the directory holds. A directory that cannot be used is a
// Warning. A model from a file is taken back.
func (s *Sensor) Sample(o Sampling) {
	if s.sampling != nil {
		return
	}
	t := &sampling{thin: learn.NewThinning(o.OneIn), batch: learn.NewBatch(s.kind.Set()), every: o.SaveEvery, next: min(firstSaving, o.SaveEvery)}
	s.sampling, s.model = t, nil
	if o.Dir == "" {
		return
	}
	if err := t.dir.open(o.Dir); err != nil {
		s.tell(Event{Kind: Warning, Text: fmt.Sprintf("windows of hosts are not kept over a restart: state directory: %v: %s", err, placeForState(err))})
		return
	}
	options := learn.Options{Set: s.kind.Set()}
	nothing, err := t.dir.restore(options, s.day(), s.kind)
	if err != nil {
		s.tell(Event{Kind: Warning, Text: strings.Replace(err.Error(), "learning starts anew", "windows of hosts begin anew", 1)})
	}
	if t.nothing = nothing; nothing == nil {
		t.nothing = learn.NewLearner(options)
	}
	if k, ok := s.kind.(*connKind); ok && o.SaveEvery > 0 && t.dir.path != "" {
		found, err := t.journal.restore(o.Dir, k.Hosts)
		s.journalFails(err)
		if found {
			t.next = 1
		}
	}
	// One that cannot be used is sent again.
	if m, err := model.ReadFile(filepath.Join(o.Dir, modelFile)); err == nil && s.check(m) == nil {
		s.use(m)
	}
}

// keep does a slice of saving, where it is due.
func (t *sampling) keep(s *Sensor) {
	t.rows++
	if len(t.journal.rows.Bytes()) >= journalBuffer {
		s.journalFails(t.journal.write())
	}
	if t.every > 0 && t.rows >= t.next {
		t.next = t.rows + t.every
		if t.journal.dir != "" && t.dir.saver == nil {
			s.journalFails(t.journal.another())
			t.journal.saving = t.journal.number
		}
		s.saved(&t.dir, false, t.dir.begin(t.nothing, s.kind, s.day()))
		return
	}
	done, err := t.dir.step()
	s.saved(&t.dir, done, err)
	if done && t.journal.dir != "" {
		s.journalFails(t.journal.forget(t.journal.saving))
	}
}

// flush writes what was counted to the journal.
func (s *Sensor) flush() {
	if s.sampling != nil {
		s.journalFails(s.sampling.journal.write())
	}
}

// sample takes a row, or not. A batch that nobody has fetched is lost.
func (s *Sensor) sample(r *feature.Row) {
	t := s.sampling
	t.keep(s)
	if !t.thin.Takes(r) {
		return
	}
	if t.batch.Full() {
		s.counts.Lost += uint64(t.batch.Rows())
		t.batch.Reset()
	}
	t.batch.Add(r)
	s.counts.Sampled++
	if t.batch.Full() {
		s.tell(Event{Kind: Samples})
	}
}

// Samples returns what was sampled since TakeSamples, a batch for Take of another
// sensor, and the number of connections in it; nil and 0 if that is none. It
// is valid until Score.
func (s *Sensor) Samples() (batch []byte, rows int) {
	s.flush()
	if s.sampling == nil || s.sampling.batch.Rows() == 0 {
		return nil, 0
	}
	return s.sampling.batch.Bytes(), s.sampling.batch.Rows()
}

// TakeSamples forgets Samples, which were fetched.
func (s *Sensor) TakeSamples() {
	if s.sampling != nil {
		s.sampling.batch.Reset()
	}
}

// Take learns from a batch of samples: from all of them, or from none where the
// error says that they cannot be used.
func (s *Sensor) Take(batch []byte) error {
	l := s.learning
	if l == nil {
		return &Error{NotDone, errors.New("this sensor does not learn")}
	}
	before, used := l.learner.Rows(), l.learner.Model()
	err := l.batches.Read(batch, func(r *feature.Row) {
		s.stepped(l.learner.Take(r))
	})
	if err != nil {
		return &Error{BadRecord, err}
	}
	if l.record == nil {
		return nil
	}
	s.recorded(l.record.Add(before, batch))
	if l.learner.Model() != used {
		s.recordModel()
	}
	return nil
}

// recordModel adds the model in use to the recording, where there is one.
func (s *Sensor) recordModel() {
	l := s.learning
	if m := l.learner.Model(); m != nil && l.record != nil {
		s.recorded(l.record.Use(l.learner.Rows(), m))
	}
}

// recorded ends the recording where it could not be written.
func (s *Sensor) recorded(err error) {
	if l := s.learning; err != nil {
		l.record.Close()
		l.record = nil
		s.tell(Event{Kind: Warning, Text: fmt.Sprintf("what is learnt from is no longer recorded: %v", err)})
	}
}

// ModelFile returns the file of the model in use, nil before the first. It must not
// be changed.
func (s *Sensor) ModelFile() []byte {
	if s.model == nil {
		return nil
	}
	return s.model.Bytes()
}

// Adopt takes the model file that another sensor has learnt into use, and goes
// on sampling. It must have that fingerprint. On an error the model before
// stays.
func (s *Sensor) Adopt(file []byte, fingerprint string) error {
	if s.sampling == nil {
		return &Error{NotDone, errors.New("this sensor takes models of no other")}
	}
	m, err := model.Read(bytes.NewReader(file))
	if err == nil {
		err = s.check(m)
	}
	if err == nil && m.Fingerprint() != fingerprint {
		err = fmt.Errorf("the model that was sent is %s, not %s", m.Fingerprint(), fingerprint)
	}
	if err != nil {
		s.counts.Refused++
		return &Error{BadModel, err}
	}
	s.use(m)
	s.sampling.dir.keep(m)
	return nil
}
