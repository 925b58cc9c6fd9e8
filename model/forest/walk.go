package forest

import (
	"math"
	"math/bits"
)

// lanes is the number of trees that a row walks through in step. One walk is a
// chain of loads, each waiting for the one before; eight of them side by side
// keep the processor busy.
const lanes = 8

// keys holds the row: the key of each feature above 32 ones, so that comparing
// it with a whole node compares the keys and counts equal ones as "not less".
// At External it holds a number that is less than no node. Its length lets a
// feature, a uint8, index it without a bounds check.
type keys [256]uint64

func (k *keys) set(x []float32) {
	k[External] = math.MaxUint64
	for i, v := range x {
		k[uint8(i)] = uint64(key(v))<<32 | math.MaxUint32
	}
}

// sum adds up the row's path lengths over all trees, in fixed point.
//
// A step goes from a node to one of its children. The borrow of the comparison is
// subtracted from the right child's index, so nothing branches on the data. It
// stands here eight times: as a function it leaves a NOP wherever it is inlined,
// a tenth of all instructions. The bounds check that remains costs no measurable
// time.
func (f *Forest) sum(x *keys) int64 {
	nodes := f.nodes
	var sum uint64
	for i, steps := range f.steps {
		r := f.roots[i*lanes : i*lanes+lanes : i*lanes+lanes]
		n0, n1, n2, n3 := uint64(r[0]), uint64(r[1]), uint64(r[2]), uint64(r[3])
		n4, n5, n6, n7 := uint64(r[4]), uint64(r[5]), uint64(r[6]), uint64(r[7])
		for ; steps > 0; steps-- {
			w0 := nodes[n0]
			_, less0 := bits.Sub64(x[uint8(w0)], w0, 0)
			n0, _ = bits.Sub64(uint64(uint32(w0)>>8), 0, less0)
			w1 := nodes[n1]
			_, less1 := bits.Sub64(x[uint8(w1)], w1, 0)
			n1, _ = bits.Sub64(uint64(uint32(w1)>>8), 0, less1)
			w2 := nodes[n2]
			_, less2 := bits.Sub64(x[uint8(w2)], w2, 0)
			n2, _ = bits.Sub64(uint64(uint32(w2)>>8), 0, less2)
			w3 := nodes[n3]
			_, less3 := bits.Sub64(x[uint8(w3)], w3, 0)
			n3, _ = bits.Sub64(uint64(uint32(w3)>>8), 0, less3)
			w4 := nodes[n4]
			_, less4 := bits.Sub64(x[uint8(w4)], w4, 0)
			n4, _ = bits.Sub64(uint64(uint32(w4)>>8), 0, less4)
			w5 := nodes[n5]
			_, less5 := bits.Sub64(x[uint8(w5)], w5, 0)
			n5, _ = bits.Sub64(uint64(uint32(w5)>>8), 0, less5)
			w6 := nodes[n6]
			_, less6 := bits.Sub64(x[uint8(w6)], w6, 0)
			n6, _ = bits.Sub64(uint64(uint32(w6)>>8), 0, less6)
			w7 := nodes[n7]
			_, less7 := bits.Sub64(x[uint8(w7)], w7, 0)
			n7, _ = bits.Sub64(uint64(uint32(w7)>>8), 0, less7)
		}
		sum += length(nodes[n0]) + length(nodes[n1]) + length(nodes[n2]) + length(nodes[n3]) +
			length(nodes[n4]) + length(nodes[n5]) + length(nodes[n6]) + length(nodes[n7])
	}
	return int64(sum)
}
