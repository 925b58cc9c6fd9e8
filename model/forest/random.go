package forest

import (
	"math/bits"
	"math/rand/v2"
)

// stream is the source of a tree's random draws: its algorithm is fixed by
// math/rand/v2's documentation. The draws made from it are our own, so that a
// new Go version cannot change a forest.
type stream struct{ pcg rand.PCG }

// sampling, in the stream's second seed, tells the draws of a tree's rows
// apart from the draws of its splits.
const sampling = 1 << 63

func (s *stream) seed(seed, tree uint64) { s.pcg.Seed(seed, tree) }

// below returns a whole number in [0, n), each equally likely up to 2^-32.
func (s *stream) below(n int) int {
	hi, _ := bits.Mul64(s.pcg.Uint64(), uint64(n))
	return int(hi)
}

// unit returns a number in [0, 1), a multiple of 2^-53.
func (s *stream) unit() float64 { return float64(s.pcg.Uint64()>>11) * (1.0 / (1 << 53)) }
