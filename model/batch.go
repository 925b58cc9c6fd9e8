package model

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Batch scores many rows at once, each as (*Model).ScoreRow does, in half of the
// time. It keeps its memory. It is not safe for concurrent use.
type Batch struct {
	vectors []float32
	paths   []float64
	scores  []Score
	texts   *feature.Texts
}

// Reset empties the batch.
func (b *Batch) Reset() { b.vectors, b.scores = b.vectors[:0], b.scores[:0] }

// Add adds a connection, of which the same must hold as for (*Model).Score.
// The connections between two calls of Reset are for one model.
func (b *Batch) Add(m *Model, c *conn.Conn, w feature.Window) {
	if b.texts == nil {
		b.texts = feature.NewTexts()
	}
	var s feature.Sample
	s.SetConn(c, w, b.texts)
	b.add(m, &s, w.Cold)
}

// AddRow adds a row of the model's Set.
func (b *Batch) AddRow(m *Model, r *feature.Row) { b.add(m, &r.Sample, r.Cold) }

func (b *Batch) add(m *Model, s *feature.Sample, cold bool) {
	var v feature.Vector
	m.encoder.Finish(&v, s)
	b.vectors = append(b.vectors, v[:m.set.N()]...)
	b.scores = append(b.scores, Score{Cold: cold})
}

// Scores gives the scores of the rows in the order of Add and AddRow, valid until
// the next Reset. It works in the calling goroutine only.
func (b *Batch) Scores(m *Model) []Score {
	b.paths = append(b.paths[:0], make([]float64, len(b.scores))...)
	m.forest.MeanPaths(b.paths, b.vectors, 1)
	for i, path := range b.paths {
		b.scores[i].Path, b.scores[i].Value = path, m.value(path)
	}
	return b.scores
}
