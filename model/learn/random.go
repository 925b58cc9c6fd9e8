package learn

import (
	"math/bits"
	"math/rand/v2"
)

// random is a stream of draws that a new Go version cannot change: the
// generator's algorithm is fixed by math/rand/v2's documentation, what we make
// of it is our own.
type random struct{ pcg rand.PCG }

func newRandom(seed, stream uint64) *random {
	r := new(random)
	r.pcg.Seed(seed, stream)
	return r
}

// The streams of a seed. The forest uses the numbers of its trees and these
// with the uppermost bit set.
const (
	streamReservoir = 1<<62 + iota
	streamCalibration
	streamDivide
	streamWaiting

	streamDraw = 1 << 61 // plus the tree's number
)

// below returns a whole number in [0, n), each equally likely up to n·2^−64.
func (r *random) below(n uint64) uint64 {
	hi, _ := bits.Mul64(r.pcg.Uint64(), n)
	return hi
}
