package learn

import (
	"cmp"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Recorded finds rows of a log in a recording: what the sensor that scored a row
// knew of it, and the models that were in use. Of a row it keeps sixteen bytes in
// memory and reads the rest again. It is not safe for concurrent use.
type Recorded struct {
	set    *feature.Set
	from   io.ReaderAt
	reader *BatchReader
	rows   []recordedRow // by key, then as they were recorded
	inUse  []inUse
	models map[string]*model.Model
	faults []error
	buffer [maxRow]byte
}

// recordedRow is where a row stands in the recording.
type recordedRow struct {
	key uint64 // rowKey
	at  int64  // negative once Find has found it
}

// inUse is what the learner used for rows from there on.
type inUse struct {
	at    int64
	model *model.Model // nil before the first
	known bool         // false where rows are missing before
}

// ReadRecording reads a recording and makes its models again, with what was labelled
// bad meanwhile. Where it is damaged
// it ends, and where rows are missing no model is known from there on: Faults
// says so.
func ReadRecording(from io.ReaderAt, labels []LabelChange) (*Recorded, error) {
	t, err := newRetrace(from, labels)
	if err != nil {
		return nil, err
	}
	r := &Recorded{set: t.o.Set, from: from, reader: NewBatchReader(t.o.Set), models: map[string]*model.Model{}}
	err = t.run(func(at int64, row *feature.Row) {
		r.rows = append(r.rows, recordedRow{rowKey(row), at})
		r.uses(at, t)
	}, func(gap error) error {
		r.faults = append(r.faults, t.after(gap))
		return nil
	})
	if err != nil {
		r.faults = append(r.faults, err)
	}
	if t.unusable != nil {
		return nil, t.unusable
	}
	r.uses(math.MaxInt64, t)
	slices.SortFunc(r.rows, func(a, b recordedRow) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.at, b.at))
	})
	return r, nil
}

func (r *Recorded) uses(at int64, t *retrace) {
	use := inUse{at: at, model: t.model(), known: !t.missing}
	if n := len(r.inUse); n > 0 && r.inUse[n-1].model == use.model && r.inUse[n-1].known == use.known {
		return
	}
	r.inUse = append(r.inUse, use)
	if use.model != nil {
		r.models[use.model.Fingerprint()] = use.model
	}
}

// rowKey tells rows apart by what a row of the log tells, too.
func rowKey(r *feature.Row) uint64 {
	return (uint64(r.TS)^uint64(r.Host)<<32)*0x9e3779b97f4a7c15 ^ r.Cell
}

// Set returns the kind of rows that were recorded.
func (r *Recorded) Set() *feature.Set { return r.set }

// Rows returns how many rows were recorded.
func (r *Recorded) Rows() int { return len(r.rows) }

// Faults say what of the recording cannot be used.
func (r *Recorded) Faults() []error { return r.faults }

// Model returns the model of that fingerprint, nil where the learner has made
// none.
func (r *Recorded) Model(fingerprint string) *model.Model { return r.models[fingerprint] }

// Found is what a recording has of a row.
type Found struct {
	Row   feature.Row  // as it was scored
	Model *model.Model // that the learner used when it came; nil before the first
	Known bool         // whether it is known which that was
}

// Find finds what was recorded of a row of the log, once: by its time, originator
// and kind, and where alike says so of the recorded sample. Of several it is the
// one that was recorded first. The error is that of reading it again.
func (r *Recorded) Find(row *feature.Row, alike func(used *feature.Sample) bool) (found Found, ok bool, err error) {
	key := rowKey(row)
	i, _ := slices.BinarySearchFunc(r.rows, key, func(a recordedRow, key uint64) int { return cmp.Compare(a.key, key) })
	for ; i < len(r.rows) && r.rows[i].key == key; i++ {
		at := r.rows[i].at
		if at < 0 {
			continue
		}
		used, err := r.read(at)
		if err != nil {
			return found, false, err
		}
		if used.TS != row.TS || used.Host != row.Host || used.Cell != row.Cell || !alike(&used.Sample) {
			continue
		}
		r.rows[i].at = -at
		n, exact := slices.BinarySearchFunc(r.inUse, at, func(u inUse, at int64) int { return cmp.Compare(u.at, at) })
		if !exact {
			n--
		}
		return Found{*used, r.inUse[n].model, r.inUse[n].known}, true, nil
	}
	return found, false, nil
}

// errChanged says that a recording is not what it was when it was read first.
var errChanged = errors.New("the recording has changed since it was read")

// read reads the row that begins there.
func (r *Recorded) read(at int64) (*feature.Row, error) {
	n, err := r.from.ReadAt(r.buffer[:], at)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if _, ok := r.reader.next(r.buffer[:n]); !ok || r.set.CheckSample(&r.reader.row.Sample) != nil {
		return nil, errChanged
	}
	return &r.reader.row, nil
}
