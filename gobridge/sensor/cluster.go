package sensor

import (
	"bytes"
	"errors"
	"fmt"

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
}

// Sample begins to sample the connections that Score is given, one in so many of
// those that are of no new kind (learn.Thinning). A model from a file is taken
// back.
func (s *Sensor) Sample(oneIn uint64) {
	if s.sampling != nil {
		return
	}
	s.sampling = &sampling{learn.NewThinning(oneIn), learn.NewBatch(s.kind.Set())}
	s.model = nil
}

// sample takes a row, or not. A batch that nobody has fetched is lost.
func (s *Sensor) sample(r *feature.Row) {
	t := s.sampling
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

// Samples is what was sampled since TakeSamples, a batch for Take of another
// sensor, and the number of connections in it; nil and 0 where that is none. It
// is valid until Score.
func (s *Sensor) Samples() (batch []byte, rows int) {
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
	before := l.learner.Rows()
	err := l.batches.Read(batch, func(r *feature.Row) {
		s.stepped(l.learner.Take(r))
	})
	if err != nil {
		return &Error{BadRecord, err}
	}
	if l.record == nil {
		return nil
	}
	if err := l.record.Add(before, batch); err != nil {
		l.record.Close()
		l.record = nil
		s.tell(Event{Kind: Warning, Text: fmt.Sprintf("what is learnt from is no longer recorded: %v", err)})
	}
	return nil
}

// ModelFile is the file of the model in use, nil before the first. It must not
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
	return nil
}
