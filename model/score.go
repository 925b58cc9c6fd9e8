package model

import (
	"math"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// Score is the result for one connection.
type Score struct {
	Value float64 // s(x, ψ) in (0, 1), rounded to four decimals: anomaly_score
	Path  float64 // E[h(x)], the mean path length
	Cold  bool    // the originator's window may lack connections, see feature.Window
}

// Score scores a connection for which feature.Check finds no fault and whose
// window has been observed already. It is a pure function and safe for
// concurrent use: readers that want all cores call Hosts.Observe in row order
// and this in parallel. It does not allocate.
func (m *Model) Score(c *conn.Conn, w feature.Window) Score {
	v := m.Vector(c, w)
	return m.scored(m.forest.MeanPath(v[:]), w.Cold)
}

// ScoreRow scores a row of the model's Set. It is a pure function and does not
// allocate.
func (m *Model) ScoreRow(r *feature.Row) Score {
	var v feature.Vector
	m.encoder.Finish(&v, &r.Sample)
	return m.scored(m.forest.MeanPath(v[:]), r.Cold)
}

// Vector is the vector of a connection whose window is w.
func (m *Model) Vector(c *conn.Conn, w feature.Window) (v feature.Vector) {
	var s feature.Sample
	s.SetConn(c, w, nil)
	m.encoder.Finish(&v, &s)
	return v
}

func (m *Model) scored(path float64, cold bool) Score {
	return Score{Value: m.value(path), Path: path, Cold: cold}
}

// value is the score of a path length. It is rounded here, at the source, so
// that every program and format prints the same digits.
func (m *Model) value(path float64) float64 { return math.Round(m.forest.Score(path)*1e4) / 1e4 }

// Rank is the share of the calibration rows whose path is at most as long, in
// (0, 1]; the anomaly_rank column prints its inverse, "1 in N".
func (m *Model) Rank(path float64) float64 { return m.curve.Rank(path) }

// Walker scores rows that come one after another, as Model.ScoreRow does, and
// faster: forest.Walker remembers. The zero Walker is ready. It is not safe for
// concurrent use.
type Walker struct {
	forest forest.Walker
	vector feature.Vector
}

// Score returns m.ScoreRow(r).
func (k *Walker) Score(m *Model, r *feature.Row) Score {
	m.encoder.Finish(&k.vector, &r.Sample)
	return m.scored(k.forest.MeanPath(m.forest, k.vector[:]), r.Cold)
}

// Scorer scores connections in log order. It is not safe for concurrent use.
type Scorer struct {
	model  *Model
	hosts  *feature.Hosts
	walker forest.Walker

	// Of the last Score, for its explanation.
	by      *Model
	last    conn.Conn
	window  feature.Window
	vector  feature.Vector
	credits [feature.Places]float64
	texts   *feature.Texts

	// Whoever asks for one reason will ask for the next. The walk that finds the
	// path then finds the credits too, which costs half of a second walk.
	asked    bool // for the reason of the last score
	credited bool // credits are those of the last score
}

// NewScorer scores with m and the windows in hosts, which outlive a change of
// the model. With a nil model only SetModel may follow.
func NewScorer(m *Model, hosts *feature.Hosts) *Scorer {
	return &Scorer{model: m, hosts: hosts, texts: feature.NewTexts()}
}

// SetModel replaces the model; the windows stay.
func (s *Scorer) SetModel(m *Model) { s.model = m }

// Score observes c in its originator's window, once, and scores it. The error
// says which field holds what no conn.log can hold (a negative duration, a
// code out of range); such a connection is not observed. It does not allocate.
func (s *Scorer) Score(c *conn.Conn) (Score, error) {
	if err := feature.Check(c); err != nil {
		return Score{}, err
	}
	s.by, s.last, s.window = s.model, *c, s.hosts.Observe(c)
	var sample feature.Sample
	sample.SetConn(c, s.window, s.texts)
	s.by.encoder.Finish(&s.vector, &sample)
	var path float64
	if s.credited, s.asked = s.asked, false; s.credited {
		path = s.by.forest.Attribute(s.credits[:], s.vector[:])
	} else {
		path = s.walker.MeanPath(s.by.forest, s.vector[:])
	}
	return s.by.scored(path, s.window.Cold), nil
}

// Window is the window of the connection last scored.
func (s *Scorer) Window() feature.Window { return s.window }

// Explain explains the last Score as Model.Explain does.
func (s *Scorer) Explain(k int) []Reason { return s.by.Explain(&s.last, s.window, k) }

// AppendReason appends the text of the anomaly_reason column for the last
// Score, as Model.AppendReason does.
func (s *Scorer) AppendReason(dst []byte) []byte {
	if !s.credited {
		s.by.forest.Attribute(s.credits[:], s.vector[:])
		s.credited = true
	}
	s.asked = true
	return s.by.appendConnReason(dst, &s.credits, &s.vector, &s.last, s.window)
}
