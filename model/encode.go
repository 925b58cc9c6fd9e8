package model

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// encode writes the body of the file: an array whose items decode reads in the
// same order. Long lists of numbers are little-endian, of msgpack's type bin.
func (m *Model) encode() []byte {
	var b bytes.Buffer
	e := encoder{msgpack.NewEncoder(&b)}
	e.arrayLen(7)
	e.string(m.set.Log)
	e.string(m.set.ID)

	s := m.summary
	e.arrayLen(10)
	e.uint(s.Rows)
	e.int(int64(s.First))
	e.int(int64(s.Last))
	e.uint(s.Seed)
	e.uint(uint64(s.Build))
	e.string(s.Sampling)
	e.uint(uint64(s.Cells))
	e.uint(uint64(s.Calibration))
	e.bool(s.Disjoint)
	e.string(s.ZeekVersion)

	e.tables(m.encoder.Tables())

	f := m.forest.Plain()
	e.arrayLen(8)
	e.uint(uint64(f.Average))
	e.uint(uint64(f.Dim))
	e.uint(uint64(f.Subsample))
	e.uint(uint64(f.HeightLimit))
	e.uint32s(f.Nodes)
	e.bytes(f.Feature)
	e.uint32s(f.Size)
	e.float32s(f.Threshold)

	width, counts := m.curve.Counts()
	e.arrayLen(2)
	e.float64(width)
	e.uint32s(counts)

	e.arrayLen(m.set.N())
	for i := range m.set.Features {
		e.float32s(m.usual[i][:])
	}
	return b.Bytes()
}

// tables writes the codes of each feature that is looked up and their counts, and
// the counts of pairs of characters.
func (e encoder) tables(t feature.Tables) {
	e.arrayLen(3)
	e.uint(t.Rows)
	e.arrayLen(2 * len(t.Codes))
	for _, list := range t.Codes {
		codes, rows := make([]uint64, len(list)), make([]uint64, len(list))
		for i, c := range list {
			codes[i], rows[i] = c.Code, c.Rows
		}
		e.uint64s(codes)
		e.uint64s(rows)
	}
	e.uint32s(t.Bigrams)
}

// encoder is msgpack's into a bytes.Buffer, which does not fail.
type encoder struct{ enc *msgpack.Encoder }

func (e encoder) arrayLen(n int)    { check(e.enc.EncodeArrayLen(n)) }
func (e encoder) string(s string)   { check(e.enc.EncodeString(s)) }
func (e encoder) uint(n uint64)     { check(e.enc.EncodeUint(n)) }
func (e encoder) int(n int64)       { check(e.enc.EncodeInt(n)) }
func (e encoder) bool(b bool)       { check(e.enc.EncodeBool(b)) }
func (e encoder) float64(x float64) { check(e.enc.EncodeFloat64(x)) }
func (e encoder) bytes(b []byte)    { check(e.enc.EncodeBytes(b)) }

func (e encoder) uint32s(n []uint32) {
	b := make([]byte, 0, 4*len(n))
	for _, x := range n {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	e.bytes(b)
}

func (e encoder) uint64s(n []uint64) {
	b := make([]byte, 0, 8*len(n))
	for _, x := range n {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	e.bytes(b)
}

func (e encoder) float32s(n []float32) {
	b := make([]byte, 0, 4*len(n))
	for _, x := range n {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	e.bytes(b)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
