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

// step returns the child of node n to which the row goes. The borrow of the
// comparison is subtracted from the right child's index, so nothing branches
// on the data. The bounds check that remains costs no measurable time.
func step(nodes []node, x *keys, n uint64) uint64 {
	w := nodes[n]
	_, less := bits.Sub64(x[uint8(w)], w, 0)
	n, _ = bits.Sub64(uint64(uint32(w)>>8), 0, less)
	return n
}

// sum adds up the row's path lengths over all trees, in fixed point.
func (f *Forest) sum(x *keys) int64 {
	nodes := f.nodes
	var sum uint64
	for i, steps := range f.steps {
		r := f.roots[i*lanes : i*lanes+lanes : i*lanes+lanes]
		n0, n1, n2, n3 := uint64(r[0]), uint64(r[1]), uint64(r[2]), uint64(r[3])
		n4, n5, n6, n7 := uint64(r[4]), uint64(r[5]), uint64(r[6]), uint64(r[7])
		for ; steps > 0; steps-- {
			n0 = step(nodes, x, n0)
			n1 = step(nodes, x, n1)
			n2 = step(nodes, x, n2)
			n3 = step(nodes, x, n3)
			n4 = step(nodes, x, n4)
			n5 = step(nodes, x, n5)
			n6 = step(nodes, x, n6)
			n7 = step(nodes, x, n7)
		}
		sum += length(nodes[n0]) + length(nodes[n1]) + length(nodes[n2]) + length(nodes[n3]) +
			length(nodes[n4]) + length(nodes[n5]) + length(nodes[n6]) + length(nodes[n7])
	}
	return int64(sum)
}
