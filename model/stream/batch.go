package stream

import (
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Batch scores many rows at once that have been observed in their order, each as
// a Stream does, in half of the time. It keeps its memory. It is not safe for
// concurrent use; several batches, whose records share what is remembered, are.
type Batch struct {
	// Reasons says that each row will be asked for its reason: the walk that finds
	// the path then finds the credits too.
	Reasons bool

	model   *model.Model
	records []Record
	vectors []float32
	absent  []uint32
	cold    []bool
	paths   []float64
	row     feature.Row
	credits [feature.Places]float64
	scored  Scored
}

// Reset empties the batch; the rows that follow are for the model.
func (b *Batch) Reset(m *model.Model) {
	b.model = m
	b.records, b.vectors, b.absent, b.cold, b.paths = b.records[:0], b.vectors[:0], b.absent[:0], b.cold[:0], b.paths[:0]
}

// Add adds a row. Its record is the batch's until the next Reset.
func (b *Batch) Add(r Record) {
	var v feature.Vector
	r.Encode(&b.row)
	b.model.Encoder().Finish(&v, &b.row.Sample)
	b.vectors = append(b.vectors, v[:b.model.Set().N()]...)
	b.records, b.absent, b.cold = append(b.records, r), append(b.absent, b.row.Absent), append(b.cold, b.row.Cold)
}

// Len returns the number of rows.
func (b *Batch) Len() int { return len(b.records) }

// Scored gives the row i in the order of Add, valid until the next call. The first
// one scores all rows, in the calling goroutine only.
func (b *Batch) Scored(i int) *Scored {
	n, s := b.model.Set().N(), &b.scored
	*s = Scored{Model: b.model, Record: b.records[i], vector: b.vectors[i*n : (i+1)*n], credits: b.credits[:], absent: b.absent[i]}
	s.Cold = b.cold[i]
	if b.Reasons {
		s.walk()
		return s
	}
	if len(b.paths) < len(b.records) {
		b.paths = append(b.paths[:0], make([]float64, len(b.records))...)
		b.model.Forest().MeanPaths(b.paths, b.vectors, 1)
	}
	s.Score = b.model.ScoreOf(b.paths[i], s.Cold)
	return s
}
