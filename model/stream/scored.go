package stream

import (
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/cases"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// Scored is a row with its score.
type Scored struct {
	model.Score
	Model  *model.Model // whose score it is, unless it is Logged; nil for none
	Record Record

	vector  []float32
	absent  uint32
	credits []float64
	walked  bool // credits are the row's
	asked   bool // for a reason
	also    *cases.Case

	// Logged says that the score is the log's, and so are rank and reason where it
	// has them.
	Logged   bool
	by       string
	value    Values
	stream   *Stream
	compared bool // with the model's own
	same     bool
}

// row sets what the model sees of the row, and where its credits go.
func (s *Scored) row(vector []float32, credits []float64, r *feature.Row) {
	s.vector, s.credits, s.absent, s.Cold = vector, credits, r.Absent, r.Cold
}

// walk finds path and credits.
func (s *Scored) walk() {
	path := s.Model.Forest().Attribute(s.credits, s.vector)
	s.Score, s.walked = s.Model.ScoreOf(path, s.Cold), true
}

// Vector returns what the model sees of the row, a number for each feature. It is
// valid as long as the row is.
func (s *Scored) Vector() []float32 { return s.vector }

// OneIn is N of "1 in N of the model's own rows", anomaly_rank; 0 if that is
// not known of a logged score.
func (s *Scored) OneIn() uint64 {
	if s.Logged {
		if text, ok := s.value("anomaly_rank"); ok {
			n, _ := strconv.ParseUint(text, 10, 64)
			return n
		}
	}
	if !s.own() {
		return 0
	}
	return s.Model.OneIn(s.Path)
}

// By names the model whose score it is, as anomaly_model does; "" if that is
// not known of a logged score.
func (s *Scored) By() string {
	if s.Logged {
		return s.by
	}
	return nameOf(s.Model)
}

func nameOf(m *model.Model) string { return seed.Name(m) }

// IsCold reports whether the score was made of a window that may lack rows. Of a
// logged score that is not known, unless it is the model's.
func (s *Scored) IsCold() bool { return s.own() && s.Cold }

func (s *Scored) way() model.Way {
	s.asked = true
	if !s.walked {
		s.walk()
	}
	return model.Way{Vector: s.vector, Credits: s.credits, Absent: s.absent}
}

// AppendReason appends the text of anomaly_reason, as model.AppendReason does; of
// a logged score nothing where that is not known.
func (s *Scored) AppendReason(dst []byte) []byte {
	if s.Logged {
		if text, ok := s.value("anomaly_reason"); ok {
			return append(dst, text...)
		}
	}
	if !s.own() {
		return dst
	}
	w := s.way()
	return s.Model.AppendReason(dst, &w, s.words)
}

// Explain gives the k features with the largest credit, as model.Explain does;
// nil of a logged score that is not the model's.
func (s *Scored) Explain(k int) []model.Reason {
	if !s.own() {
		return nil
	}
	w := s.way()
	return s.Model.Explain(&w, s.words, k)
}

func (s *Scored) words(dst []byte, i int) []byte {
	return s.Record.AppendValue(dst, s.Model.Encoder(), i)
}
