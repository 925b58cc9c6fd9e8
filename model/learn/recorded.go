package learn

import (
	"bufio"
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
	buffer [maxRow]byte
}

// recordedRow is where a row stands in the recording.
type recordedRow struct {
	key uint64 // rowKey
	at  int64  // negative once Find has found it
}

// inUse is a model that the learner used from there on.
type inUse struct {
	at    int64
	model *model.Model
}

// ReadRecording reads a recording. Where it is damaged, it has what comes before,
// and the error says where that is; nil where that is nothing at all.
func ReadRecording(from io.ReaderAt) (*Recorded, error) {
	in := io.NewSectionReader(from, 0, math.MaxInt64)
	o, err := readHead(in)
	if err != nil {
		return nil, err
	}
	begin, err := in.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	r := &Recorded{set: o.Set, from: from, reader: NewBatchReader(o.Set), models: map[string]*model.Model{}}
	err = readFrames(bufio.NewReaderSize(in, 1<<16), func(at int64, _ uint64, batch []byte) error {
		at += begin + batchHead
		return r.reader.Read(batch, func(row *feature.Row) {
			r.rows = append(r.rows, recordedRow{rowKey(row), at + int64(r.reader.at)})
		})
	}, func(at int64, file io.Reader) error {
		m, err := model.Read(file)
		if err != nil {
			return err
		}
		if known := r.models[m.Fingerprint()]; known != nil { // again, since the sensor was started again
			m = known
		}
		r.models[m.Fingerprint()] = m
		r.inUse = append(r.inUse, inUse{begin + at, m})
		return nil
	})
	err = after(uint64(len(r.rows)), o.Set, err)
	slices.SortFunc(r.rows, func(a, b recordedRow) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.at, b.at))
	})
	return r, err
}

// rowKey tells rows apart by what a row of the log tells, too.
func rowKey(r *feature.Row) uint64 {
	return (uint64(r.TS)^uint64(r.Host)<<32)*0x9e3779b97f4a7c15 ^ r.Cell
}

// Set returns the kind of rows that were recorded.
func (r *Recorded) Set() *feature.Set { return r.set }

// Rows returns how many rows were recorded.
func (r *Recorded) Rows() int { return len(r.rows) }

// Model returns the model of that fingerprint, nil where it was not recorded.
func (r *Recorded) Model(fingerprint string) *model.Model { return r.models[fingerprint] }

// Found is what a recording has of a row.
type Found struct {
	Row   feature.Row  // as it was scored
	Model *model.Model // that the learner used when it came; nil before the first
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
		// A model comes behind a batch: none has the place of a row.
		n, _ := slices.BinarySearchFunc(r.inUse, at, func(u inUse, at int64) int { return cmp.Compare(u.at, at) })
		if found.Row = *used; n > 0 {
			found.Model = r.inUse[n-1].model
		}
		return found, true, nil
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
