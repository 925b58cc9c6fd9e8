package onnx

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message of onnx.proto (ONNX 1.16, IR version 10), as
// far as it is written.
type message []byte

func (m *message) int(field protowire.Number, n int64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, field, protowire.VarintType), uint64(n))
}

func (m *message) bytes(field protowire.Number, b []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, field, protowire.BytesType), b)
}

func (m *message) string(field protowire.Number, s string) { m.bytes(field, []byte(s)) }

// The types of onnx.proto that are written: TensorProto.DataType and
// AttributeProto.AttributeType.
const (
	typeUint8  = 2
	typeDouble = 11

	attributeInt    = 2
	attributeTensor = 4
	attributeInts   = 7
)

func doubles(values []float64) (t message) {
	t.int(1, int64(len(values))) // dims
	t.int(2, typeDouble)
	raw := make([]byte, 0, 8*len(values))
	for _, x := range values {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
	}
	t.bytes(9, raw)
	return t
}

func uint8s(values []byte) (t message) {
	t.int(1, int64(len(values)))
	t.int(2, typeUint8)
	t.bytes(9, values)
	return t
}

// number returns a tensor of one double, named, without dimensions.
func number(name string, x float64) (t message) {
	t.int(2, typeDouble)
	t.string(8, name)
	t.bytes(9, binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)))
	return t
}

// node returns a NodeProto.
func node(domain, op string, inputs []string, output string, attributes ...message) (n message) {
	for _, in := range inputs {
		n.string(1, in)
	}
	n.string(2, output)
	n.string(3, output)
	n.string(4, op)
	for _, a := range attributes {
		n.bytes(5, a)
	}
	if domain != "" {
		n.string(7, domain)
	}
	return n
}

func intAttribute(name string, n int64) (a message) {
	a.string(1, name)
	a.int(3, n)
	a.int(20, attributeInt)
	return a
}

func intsAttribute(name string, values []int64) (a message) {
	a.string(1, name)
	var packed []byte
	for _, n := range values {
		packed = protowire.AppendVarint(packed, uint64(n))
	}
	a.bytes(8, packed)
	a.int(20, attributeInts)
	return a
}

func tensorAttribute(name string, t message) (a message) {
	a.string(1, name)
	a.bytes(5, t)
	a.int(20, attributeTensor)
	return a
}

// matrix returns a ValueInfoProto of rows × columns doubles.
func matrix(name string, columns int64) (v message) {
	var rows, width, shape, tensor, typ message
	rows.string(2, "rows")
	width.int(1, columns)
	shape.bytes(1, rows)
	shape.bytes(1, width)
	tensor.int(1, typeDouble)
	tensor.bytes(2, shape)
	typ.bytes(1, tensor)
	v.string(1, name)
	v.bytes(2, typ)
	return v
}

func operators(domain string, version int64) (o message) {
	if domain != "" {
		o.string(1, domain)
	}
	o.int(2, version)
	return o
}
