package learn

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// ErrGap says that a recording lacks rows, so that nothing can be made again of
// what follows.
var ErrGap = errors.New("the recording does not hold all that the sensor has learnt from")

// FitRecording makes the model that the sensor used after the batches of its
// recording, with what was labelled bad meanwhile: ErrNoModelYet where that would
// be none, ErrGap where the sensor has learnt from others too.
func FitRecording(from io.ReaderAt, labels []LabelChange) (*model.Model, Report, error) {
	t, err := newRetrace(from, labels)
	if err != nil {
		return nil, Report{}, err
	}
	err = t.run(func(int64, *feature.Row) {}, func(gap error) error { return gap })
	report := Report{Rows: t.rows}
	switch {
	case err != nil:
		return nil, report, err
	case t.unusable != nil:
		return nil, report, t.unusable
	case t.model() == nil:
		return nil, report, ErrNoModelYet
	}
	return t.model(), report, nil
}

// retrace learns from a recording as the sensor did. A sensor that was killed
// went on from what it had saved, and what it had learnt after that is as if it
// had not been.
type retrace struct {
	from     io.ReaderAt
	o        Options // Labels are those that no row has come for
	labels   []LabelChange
	begin    int64 // where the first batch stands
	reader   *BatchReader
	lives    []life
	rows     uint64   // that the sensor had learnt from
	learner  *Learner // of them; nil before the first
	missing  bool     // rows are, so that nobody knows what the sensor knew
	unusable error    // labels
}

// life is what a recording holds of one life of its sensor.
type life struct {
	begin int64  // where its first batch stands
	rows  uint64 // learnt from before that
}

func newRetrace(from io.ReaderAt, labels []LabelChange) (*retrace, error) {
	head := io.NewSectionReader(from, 0, math.MaxInt64)
	o, err := readHead(head)
	if err != nil {
		return nil, err
	}
	begin, err := head.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	o.Labels = labels
	return &retrace{from: from, o: o, labels: labels, begin: begin, reader: NewBatchReader(o.Set)}, nil
}

// run gives each every row and where it stands, before the learner takes it. Where
// rows are missing it goes on without a learner if gap returns no error.
func (t *retrace) run(each func(at int64, r *feature.Row), gap func(error) error) error {
	t.lives = []life{{begin: t.begin}}
	return t.after(readFrames(t.from, t.begin, math.MaxInt64, func(at int64, before uint64, batch []byte) error {
		switch {
		case before < t.rows:
			if err := t.back(at, before); err != nil {
				return err
			}
		case before > t.rows:
			t.lives, t.missing = append(t.lives, life{at, before}), true
			if err := gap(fmt.Errorf("%w: there follows number %d", ErrGap, before+1)); err != nil {
				return err
			}
			t.rows = before
		}
		return t.reader.Read(batch, func(r *feature.Row) {
			each(at+batchFrame+batchHead+int64(t.reader.at), r)
			t.take(r)
		})
	}))
}

func (t *retrace) take(r *feature.Row) {
	t.rows++
	if t.missing {
		return
	}
	if t.learner == nil { // it takes memory that a damaged file need not
		t.learner = NewLearner(t.o)
	}
	t.unusable = errors.Join(t.unusable, t.o.relabel(t.learner))
	_, _ = t.learner.Take(r) // a refusal leaves the model in use, here as there
}

// model returns that of the sensor, nil before the first.
func (t *retrace) model() *model.Model {
	if t.missing || t.learner == nil {
		return nil
	}
	return t.learner.Model()
}

// after says behind which row an error is.
func (t *retrace) after(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("after %d %s: %w", t.rows, t.o.Set.Rows, err)
}

// back goes back to what the sensor knew when it had learnt from so many rows; at
// is where its next life begins.
func (t *retrace) back(at int64, rows uint64) error {
	t.lives = append(t.lives, life{at, rows})
	t.rows, t.learner, t.missing, t.o.Labels = 0, nil, false, t.labels
	for i, l := range t.lives[:len(t.lives)-1] {
		keep := rows // of this life, up to where a later one went back
		for _, later := range t.lives[i+1:] {
			keep = min(keep, later.rows)
		}
		if keep <= l.rows {
			continue
		}
		if l.rows > t.rows {
			t.rows, t.missing = l.rows, true // still
		}
		err := readFrames(t.from, l.begin, t.lives[i+1].begin, func(_ int64, _ uint64, batch []byte) error {
			return t.reader.Read(batch, func(r *feature.Row) {
				if t.rows < keep {
					t.take(r)
				}
			})
		})
		if err != nil {
			return err
		}
	}
	if t.rows != rows {
		t.rows, t.missing = rows, true
	}
	return nil
}
