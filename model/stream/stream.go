// Package stream is the one way of a row: it is checked, observed, scored,
// explained, and becomes what an alert policy needs. The sensor goes it row by
// row, and so do watch, report, explain, drill and eval; score and replay observe
// the rows in order and score them in batches, side by side. All of them give the
// same digits.
package stream

import (
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Record is a row of a log as its kind has read it; Conn is that of conn.log. It
// is used again for the rows that follow.
type Record interface {
	// Check says what of the row no such log can hold. Neither Observe nor Peek
	// may follow then.
	Check() error
	// Observe counts the row in what its kind remembers. The order of rows is data.
	Observe()
	// Peek is Observe for a row that is not final: it counts nothing.
	Peek()
	// Encode writes what the row is, after Observe or Peek. Records that share a
	// memory are encoded side by side, also while others are observed.
	Encode(*feature.Row)
	// AppendValue appends the feature i in words.
	AppendValue(dst []byte, e *feature.Encoder, i int) []byte
	// Subject is when the row was, and between whom. It is valid until the next.
	Subject() *conn.Conn
}

// Observe checks a row and counts it, without a score: one that only tells what
// hosts did before.
func Observe(r Record) error {
	err := r.Check()
	if err == nil {
		r.Observe()
	}
	return err
}

// Stream scores rows one after the other. The zero Stream is ready, with a Model.
// It is not safe for concurrent use, and does not allocate but for a new model.
type Stream struct {
	// Model scores the rows from now on: what records remember outlives it. With
	// nil rows are observed and encoded and have no score.
	Model *model.Model

	walker  forest.Walker
	row     feature.Row
	vector  feature.Vector
	credits [feature.Places]float64
	scored  Scored
}

// Next checks, observes and scores the next row of the log. A row that no log
// can hold is not observed. The result is valid until the next call.
func (s *Stream) Next(r Record) (*Scored, error) {
	if err := Observe(r); err != nil {
		return nil, err
	}
	return s.Score(r), nil
}

// Peek is Next for a row that is not final: it counts nothing.
func (s *Stream) Peek(r Record) (*Scored, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	r.Peek()
	return s.Score(r), nil
}

// Score scores a row that has been observed.
func (s *Stream) Score(r Record) *Scored {
	// Whoever asks for one reason will ask for the next. The walk that finds the
	// path then finds the credits too, which costs half of a second walk.
	asked := s.scored.asked
	s.scored = Scored{Model: s.Model, Record: r}
	r.Encode(&s.row)
	if s.Model == nil {
		return &s.scored
	}
	s.Model.Encoder().Finish(&s.vector, &s.row.Sample)
	s.scored.row(s.vector[:s.Model.Set().N()], s.credits[:], &s.row)
	if asked {
		s.scored.walk()
	} else {
		s.scored.Score = s.Model.ScoreOf(s.walker.MeanPath(s.Model.Forest(), s.scored.vector), s.row.Cold)
	}
	return &s.scored
}

// Row returns what the latest row is, in numbers and codes: learning needs no more.
func (s *Stream) Row() *feature.Row { return &s.row }

// Of scores a row that has been observed, by itself. It is safe for concurrent
// use.
func Of(m *model.Model, r Record) *Scored {
	s := Stream{Model: m, scored: Scored{asked: true}}
	return s.Score(r)
}
