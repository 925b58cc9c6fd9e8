// Package sensor is what runs inside Zeek: it takes a connection as Zeek holds
// it and scores it. It knows nothing of C; gobridge is its C ABI.
package sensor

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Sensor scores the connections of one Zeek process. Score, Reason and
// Statistics belong to one thread, Zeek's; models may be loaded from any.
type Sensor struct {
	model    atomic.Pointer[model.Model] // the latest that was loaded
	used     *model.Model                // the one in scorer
	scorer   *model.Scorer
	services names
	conn     conn.Conn
	counts   Statistics
	models   atomic.Uint64
	refused  atomic.Uint64
	reason   []byte
}

// New returns a sensor without a model that remembers the windows of so many
// originators. All memory that scoring needs is reserved here.
func New(hosts int) *Sensor {
	return &Sensor{
		scorer: model.NewScorer(nil, feature.NewHosts(hosts)),
		reason: make([]byte, 0, 1024),
	}
}

// LoadFile takes the model file at path into use. On an error the model before
// stays.
func (s *Sensor) LoadFile(path string) error {
	m, err := model.ReadFile(path)
	return s.use(m, err)
}

// LoadBytes takes the model file in data into use, as LoadFile does.
func (s *Sensor) LoadBytes(data []byte) error {
	m, err := model.Read(bytes.NewReader(data))
	return s.use(m, err)
}

func (s *Sensor) use(m *model.Model, err error) error {
	if err != nil {
		s.refused.Add(1)
		var format *model.FormatError
		if errors.As(err, &format) && format.Hint != "" {
			err = fmt.Errorf("%w: %s", err, format.Hint)
		}
		return &Error{BadModel, err}
	}
	s.model.Store(m)
	s.models.Add(1)
	return nil
}

// Model is the model in use, nil before the first.
func (s *Sensor) Model() *model.Model { return s.model.Load() }

// Result is what Score finds.
type Result struct {
	Score float64 // anomaly_score: in (0, 1), rounded to four decimals
	Rank  float64 // anomaly_rank: N of "1 in N of the model's own connections"
	Cold  bool    // the originator's window may lack connections
}

// Score scores the connection and counts what became of it. It is called once
// for each connection, in the order of conn.log, and does not allocate.
func (s *Sensor) Score(r *Record) (Result, error) {
	m := s.model.Load()
	if m == nil {
		s.counts.count(errNoModel)
		return Result{}, errNoModel
	}
	if m != s.used {
		s.scorer.SetModel(m)
		s.used = m
	}
	if err := r.fill(&s.conn, &s.services); err != nil {
		return Result{}, s.bad(err)
	}
	score, err := s.scorer.Score(&s.conn)
	if err != nil {
		return Result{}, s.bad(err)
	}
	s.counts.add(score.Value, score.Cold)
	return Result{Score: score.Value, Rank: math.Round(1 / m.Rank(score.Path)), Cold: score.Cold}, nil
}

func (s *Sensor) bad(err error) error {
	err = &Error{BadRecord, fmt.Errorf("connection cannot be scored: %w", err)}
	s.counts.count(err)
	return err
}

// Fault counts a call of Score that ended in a panic.
func (s *Sensor) Fault() { s.counts.Calls[Panic]++ }

// Reason is the text of anomaly_reason for the last connection scored. It is
// overwritten by the next call and does not allocate.
func (s *Sensor) Reason() []byte {
	s.reason = s.scorer.AppendReason(s.reason[:0])
	return s.reason
}

// Statistics are the counts since New.
func (s *Sensor) Statistics() Statistics {
	c := s.counts
	c.Models, c.Refused = s.models.Load(), s.refused.Load()
	return c
}
