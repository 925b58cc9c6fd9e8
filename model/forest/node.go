package forest

import "math"

// A node is packed into 64 bits so that a step costs one load, one compare and
// one subtraction:
//
//	          63 ........ 32  31 .................. 8  7 ....... 0
//	split     key(threshold)  index of the right child  feature
//	external  path length     index of itself           External
//
// The left child stands just before the right one. A row goes left where its
// value is less than the threshold. No row is less than an external node in
// the feature External, so a walk that arrives early stays there.
type node = uint64

const (
	maxNodes = 1 << 24 // what the index can tell apart
	maxDim   = 255     // what the feature can, External apart

	// External stands in place of a feature where a node has no children.
	External = 255
)

// key maps a float32 to an unsigned integer in the same order. Negative zero
// gets the key of zero, since neither is less than the other. A NaN lies
// beyond the infinity of its sign.
func key(x float32) uint32 {
	b := math.Float32bits(x + 0) // −0 + 0 = +0
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

// unkey is the inverse of key.
func unkey(k uint32) float32 {
	return math.Float32frombits(k ^ (^uint32(int32(k)>>31) | 1<<31))
}

func splitNode(threshold float32, feature uint8, right int) node {
	return uint64(key(threshold))<<32 | uint64(right)<<8 | uint64(feature)
}

// externalNode takes the path length in fixed point: depth + c(size).
func externalNode(length uint32, self int) node {
	return uint64(length)<<32 | uint64(self)<<8 | External
}

func threshold(w node) float32 { return unkey(uint32(w >> 32)) }
func length(w node) uint64     { return w >> 32 }
func splitFeature(w node) int  { return int(uint8(w)) }
func right(w node) int         { return int(uint32(w) >> 8) }
func isExternal(w node) bool   { return uint8(w) == External }
