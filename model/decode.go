package model

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// decode reads what encode writes, of this version or of one before. Its
// checksum is right, but whoever wrote it may not be: every part is checked.
func decode(body []byte, version uint64) (*Model, error) {
	d := newDecoder(body)
	log := feature.Conn.Log
	if version == connVersion {
		d.arrayLen(6)
	} else {
		d.arrayLen(7)
		log = d.string(64)
	}
	id := d.string(64)
	set := SetOf(log)
	switch {
	case d.err != nil:
		return nil, &FormatError{What: "model holds what no training makes", Hint: hintTrain, Err: d.err}
	case set == nil:
		return nil, &FormatError{
			What: fmt.Sprintf("model of rows of %q, which this program does not know", log+".log"),
			Hint: "it was written by another version of zeek-iforest: use that",
		}
	case id != set.ID:
		return nil, &FormatError{
			What: fmt.Sprintf("model of the features %s, this program has %s", id, set.ID),
			Hint: "train the model anew with this version of zeek-iforest",
		}
	}
	var m *Model
	p, err := d.parts(set, version)
	if err == nil {
		m, err = assemble(p)
	}
	if err != nil {
		return nil, &FormatError{What: "model holds what no training makes", Hint: hintTrain, Err: err}
	}
	return m, nil
}

func (d *decoder) parts(set *feature.Set, version uint64) (p Parts, err error) {
	d.arrayLen(10)
	p.Summary = Summary{
		Rows:        d.uint(),
		First:       conn.Micros(d.int()),
		Last:        conn.Micros(d.int()),
		Seed:        d.uint(),
		Build:       d.count(),
		Sampling:    d.string(64),
		Cells:       d.count(),
		Calibration: d.count(),
		Disjoint:    d.bool(),
		ZeekVersion: d.string(256),
	}

	var tables feature.Tables
	if version == connVersion {
		tables = d.connTables()
	} else {
		tables = d.tables(set)
	}
	if d.err != nil {
		return p, d.err
	}
	if p.Encoder, err = feature.NewEncoder(set, tables); err != nil {
		return p, err
	}

	average := forest.Harmonic
	if version == connVersion {
		d.arrayLen(7)
	} else {
		d.arrayLen(8)
		average = forest.Average(min(d.count(), 255))
	}
	plain := forest.Plain{
		Average:     average,
		Dim:         d.count(),
		Subsample:   d.count(),
		HeightLimit: d.count(),
		Nodes:       d.uint32s(),
		Feature:     d.bytes(),
		Size:        d.uint32s(),
		Threshold:   d.float32s(),
	}
	if d.err != nil {
		return p, d.err
	}
	if p.Forest, err = plain.Forest(); err != nil {
		return p, err
	}

	d.arrayLen(2)
	width, counts := d.float64(), d.uint32s()
	if d.err != nil {
		return p, d.err
	}
	if p.Curve, err = calibrate.NewCurve(width, counts); err != nil {
		return p, err
	}

	d.arrayLen(set.N())
	for i, f := range set.Features {
		usual := d.float32s()
		if d.err == nil && len(usual) != len(p.Usual[i]) {
			return p, fmt.Errorf("usual range of %s has %d numbers, want %d", f.Name, len(usual), len(p.Usual[i]))
		}
		copy(p.Usual[i][:], usual)
	}
	if d.err == nil && d.left() > 0 {
		return p, fmt.Errorf("%d bytes too many at the end", d.left())
	}
	return p, d.err
}

func (d *decoder) tables(set *feature.Set) (t feature.Tables) {
	d.arrayLen(3)
	t.Rows = d.uint()
	d.arrayLen(2 * len(set.Codes))
	t.Codes = make([][]feature.CodeCount, len(set.Codes))
	for i, coded := range set.Codes {
		codes, rows := d.uint64s(), d.uint64s()
		if len(codes) != len(rows) {
			d.fail(fmt.Errorf("%d values of %s with %d counts", len(codes), set.Features[coded.Feature].Name, len(rows)))
			return t
		}
		t.Codes[i] = make([]feature.CodeCount, len(codes))
		for j, code := range codes {
			t.Codes[i][j] = feature.CodeCount{Code: code, Rows: rows[j]}
		}
	}
	t.Bigrams = d.uint32s()
	return t
}

// decoder reads msgpack from memory. After the first error, which stays in
// err, everything it returns is zero. Nothing is allocated for a length that
// exceeds the bytes that are left.
type decoder struct {
	data []byte
	r    *bytes.Reader
	dec  *msgpack.Decoder
	err  error
}

func newDecoder(data []byte) *decoder {
	r := bytes.NewReader(data)
	return &decoder{data: data, r: r, dec: msgpack.NewDecoder(r)}
}

func (d *decoder) left() int { return d.r.Len() }

func (d *decoder) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if d.err == nil {
		d.err = err
	}
}

// read calls one of msgpack's methods unless there was an error before.
func read[T any](d *decoder, f func() (T, error)) (x T) {
	if d.err != nil {
		return x
	}
	x, err := f()
	if err != nil {
		d.fail(err)
		var zero T
		return zero
	}
	return x
}

func (d *decoder) uint() uint64     { return read(d, d.dec.DecodeUint64) }
func (d *decoder) int() int64       { return read(d, d.dec.DecodeInt64) }
func (d *decoder) float64() float64 { return read(d, d.dec.DecodeFloat64) }
func (d *decoder) bool() bool       { return read(d, d.dec.DecodeBool) }

// count returns a number that an int holds everywhere.
func (d *decoder) count() int {
	n := d.uint()
	if n > math.MaxInt32 {
		d.fail(fmt.Errorf("count of %d", n))
		return 0
	}
	return int(n)
}

func (d *decoder) arrayLen(want int) {
	if n := read(d, d.dec.DecodeArrayLen); d.err == nil && n != want {
		d.fail(fmt.Errorf("list of %d items, want %d", n, want))
	}
}

func (d *decoder) arrayLenUpTo(most int) int {
	n := read(d, d.dec.DecodeArrayLen)
	if n < 0 || n > most {
		d.fail(fmt.Errorf("list of %d items, want at most %d", n, most))
		return 0
	}
	return n
}

// bytes returns a part of the decoder's memory.
func (d *decoder) bytes() []byte {
	n := read(d, d.dec.DecodeBytesLen)
	switch {
	case d.err != nil:
		return nil
	case n < 0:
		d.fail(errors.New("nil in place of bytes"))
		return nil
	case n > d.r.Len():
		d.fail(io.ErrUnexpectedEOF)
		return nil
	}
	start := len(d.data) - d.r.Len()
	if _, err := d.r.Seek(int64(n), io.SeekCurrent); err != nil {
		d.fail(err)
		return nil
	}
	return d.data[start : start+n : start+n]
}

func (d *decoder) string(most int) string {
	b := d.bytes()
	if len(b) > most {
		d.fail(fmt.Errorf("string of %d bytes, want at most %d", len(b), most))
		return ""
	}
	return string(b)
}

// numbers returns the bytes of a list of numbers of that size.
func (d *decoder) numbers(size int) []byte {
	b := d.bytes()
	if len(b)%size != 0 {
		d.fail(fmt.Errorf("%d bytes are not whole numbers of %d", len(b), size))
		return nil
	}
	return b
}

func (d *decoder) uint32s() []uint32 {
	b := d.numbers(4)
	n := make([]uint32, len(b)/4)
	for i := range n {
		n[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return n
}

func (d *decoder) float32s() []float32 {
	b := d.numbers(4)
	n := make([]float32, len(b)/4)
	for i := range n {
		n[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return n
}

func (d *decoder) uint64s() []uint64 {
	b := d.numbers(8)
	n := make([]uint64, len(b)/8)
	for i := range n {
		n[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return n
}

// fill reads a list of exactly that length.
func (d *decoder) fill(dst []uint64) {
	n := d.uint64s()
	if d.err == nil && len(n) != len(dst) {
		d.fail(fmt.Errorf("list of %d numbers, want %d", len(n), len(dst)))
		return
	}
	copy(dst, n)
}
