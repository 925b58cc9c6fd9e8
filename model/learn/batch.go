package learn

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// In a cluster one sensor scores rows and another learns from them: a Batch
// carries them there. It is
//
//	batchVersion, the set's ID (16 bytes), rows
//
// and a row is what Observe reads of a feature.Row: numbers and codes, no
// address, of a text the first characters.
const (
	batchVersion = 3
	batchHead    = 1 + 16
	// BatchRows is the most rows of a batch.
	BatchRows = 128
	// MaxBatch is the most bytes of a batch.
	MaxBatch = batchHead + BatchRows*maxRow
	// Flags, what is absent, the time, hashes of the originator and of the kind, numbers, codes.
	maxRow = 2 + binary.MaxVarintLen32 + binary.MaxVarintLen64 + 4 + 8 + 4*feature.Places + feature.MaxCodes*binary.MaxVarintLen64 + feature.TextSize

	rowIsCold = 1
)

// Batch gathers rows of a set for the Learner of another process. Its memory is
// reserved at once.
type Batch struct {
	set  *feature.Set
	data []byte
	rows int
}

// NewBatch returns an empty batch.
func NewBatch(set *feature.Set) *Batch {
	b := &Batch{set: set, data: make([]byte, 0, MaxBatch)}
	b.Reset()
	return b
}

// Reset empties the batch.
func (b *Batch) Reset() {
	b.data = append(append(b.data[:0], batchVersion), b.set.ID...)
	b.rows = 0
}

// Rows returns the number of rows in the batch.
func (b *Batch) Rows() int { return b.rows }

// Full reports whether there is no room for another row.
func (b *Batch) Full() bool { return b.rows == BatchRows }

// Bytes returns the batch as it is sent, valid until it changes.
func (b *Batch) Bytes() []byte { return b.data }

// Add adds a row of the set to a batch that is not full. It does not allocate.
func (b *Batch) Add(r *feature.Row) {
	flags := byte(0)
	if r.Cold {
		flags = rowIsCold
	}
	d := append(b.data, flags, r.Silent)
	d = binary.AppendUvarint(d, uint64(r.Absent))
	d = binary.AppendVarint(d, int64(r.TS))
	d = binary.LittleEndian.AppendUint32(d, r.Host)
	d = binary.LittleEndian.AppendUint64(d, r.Cell)
	for _, x := range r.Vector[:b.set.N()] {
		d = binary.LittleEndian.AppendUint32(d, math.Float32bits(x))
	}
	for _, code := range r.Codes[:len(b.set.Codes)] {
		d = binary.AppendUvarint(d, code)
	}
	if b.set.Text {
		d = append(d, r.Text[:1+r.Text[0]]...)
	}
	b.data = d
	b.rows++
}

// BatchReader reads batches of a set.
type BatchReader struct {
	set *feature.Set
	row feature.Row
	at  int // where the row begins that each is given, behind the batch's head
}

// NewBatchReader returns a reader of batches of a set.
func NewBatchReader(set *feature.Set) *BatchReader { return &BatchReader{set: set} }

// errBatch is of a batch that Batch did not write.
var errBatch = errors.New("a batch of rows is damaged")

// Read gives each the rows of a batch in their order, or none where the batch is
// damaged, of another version or of another set. They are valid until each
// returns.
func (r *BatchReader) Read(batch []byte, each func(*feature.Row)) error {
	if len(batch) < batchHead || len(batch) > MaxBatch {
		return errBatch
	}
	if batch[0] != batchVersion || string(batch[1:batchHead]) != r.set.ID {
		return errors.New("a batch of rows is of another version of zeek-iforest: install the same one on all nodes")
	}
	if err := r.rows(batch[batchHead:], func(*feature.Row) {}); err != nil {
		return err
	}
	return r.rows(batch[batchHead:], each)
}

func (r *BatchReader) rows(data []byte, each func(*feature.Row)) error {
	size := len(data)
	for n := 1; len(data) > 0; n++ {
		r.at = size - len(data)
		left, ok := r.next(data)
		if !ok || n > BatchRows {
			return fmt.Errorf("%w: row %d", errBatch, n)
		}
		if err := r.set.CheckSample(&r.row.Sample); err != nil {
			return fmt.Errorf("%w: row %d: %w", errBatch, n, err)
		}
		data = left
		each(&r.row)
	}
	return nil
}

// next reads a row to r.row and returns what follows.
func (r *BatchReader) next(d []byte) (left []byte, ok bool) {
	if len(d) < 2 || d[0]&^rowIsCold != 0 {
		return nil, false
	}
	r.row = feature.Row{Cold: d[0]&rowIsCold != 0}
	r.row.Silent = d[1]
	absent, n := binary.Uvarint(d[2:])
	if n <= 0 || absent > math.MaxUint32 {
		return nil, false
	}
	r.row.Absent, d = uint32(absent), d[2+n:]
	ts, n := binary.Varint(d)
	if n <= 0 {
		return nil, false
	}
	numbers := r.set.N()
	if d = d[n:]; len(d) < 12+4*numbers {
		return nil, false
	}
	r.row.TS = conn.Micros(ts)
	r.row.Host, r.row.Cell = binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint64(d[4:])
	d = d[12:]
	for i := range numbers {
		r.row.Vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(d[4*i:]))
	}
	d = d[4*numbers:]
	for i := range r.set.Codes {
		code, n := binary.Uvarint(d)
		if n <= 0 {
			return nil, false
		}
		r.row.Codes[i], d = code, d[n:]
	}
	if r.set.Text {
		if len(d) == 0 || int(d[0]) >= len(r.row.Text) || len(d) < 1+int(d[0]) {
			return nil, false
		}
		d = d[copy(r.row.Text[:], d[:1+d[0]]):]
	}
	return d, true
}
