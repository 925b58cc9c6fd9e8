package forest

import (
	"math"
	"math/bits"
)

// sortedSplits are the splits of all trees by one feature, in the order of
// their thresholds. A row's rank in them is the number of thresholds that are
// not above its value: all that the trees see of it.
type sortedSplits struct {
	n     int // thresholds
	place int // in slicedRows.less of the first one

	// Where the rank lies in a row's packed ranks.
	word int
	at   uint8
	mask uint64

	// Thresholds and values are compared as whole numbers from 0 to most, which
	// are divided into cells of 2^shift: below has how many thresholds come before
	// each cell, and 2×half − 1 is not less than how many are in any.
	even       bool
	offset     float64
	zero, most int64
	shift      uint8
	thresholds []int64 // then some above any value
	below      []uint32
	half       uint32
}

const maxCellBits = 10

// number makes a whole number of x, in the same order as far as it is not
// negative. If even, equal steps of x make about equal steps of it, so that
// cells hold about as many thresholds as they hold values: the offset brings
// all thresholds between two powers of two, or three, and the bits of such
// doubles count their steps. If not, it is the number that a node has.
func (s *sortedSplits) number(x float32) int64 {
	if s.even {
		return evenNumber(x, s.offset)
	}
	return int64(key(x))
}

func evenNumber(x float32, offset float64) int64 {
	return int64(math.Float64bits(float64(x)+offset)) >> 1
}

// set takes the thresholds in order, the key in the upper half of a word.
func (s *sortedSplits) set(thresholds []uint64, place int) {
	s.n, s.place = len(thresholds), place
	if s.n == 0 {
		return
	}
	least, most := threshold(thresholds[0]), threshold(thresholds[s.n-1])
	s.offset = float64(most) - 2*float64(least)
	s.even = true
	for _, t := range thresholds {
		t := threshold(t)
		below := math.Nextafter32(t, float32(math.Inf(-1)))
		s.even = s.even && s.number(below) < s.number(t) // no: too close to zero for the width of all
	}
	s.zero = s.number(least) - 1
	s.most = s.number(most) - s.zero
	s.shift = uint8(max(bits.Len64(uint64(s.most))-maxCellBits, 0))
	s.below = make([]uint32, s.most>>s.shift+1)
	inCell, cell, begin := 0, int64(0), 0
	for k, t := range thresholds {
		number := s.number(threshold(t)) - s.zero
		s.thresholds = append(s.thresholds, number)
		for c := number >> s.shift; cell < c; {
			cell++
			s.below[cell], begin = uint32(k), k
		}
		inCell = max(inCell, k+1-begin)
	}
	s.half = 1 << (bits.Len(uint(inCell)) - 1)
	for range 2 * s.half {
		s.thresholds = append(s.thresholds, math.MaxInt64)
	}
}

// clamp returns the number n counted from zero, from 0 to most. It does not branch:
// values beyond all thresholds are common.
func clamp(n, zero, most int64) int64 {
	n -= zero
	n &^= n >> 63
	over := most - n
	return n + over&(over>>63)
}

// rank adds to the packed ranks of at most 64 rows those of the feature, whose
// values are x[0], x[dim], ….
func (s *sortedSplits) rank(packed []uint64, x []float32, dim, words int) {
	var all [sliceRows]int64
	var ranks [sliceRows]uint32
	numbers := all[:(len(x)+dim-1)/dim]
	at, zero, most := 0, s.zero, s.most
	if offset := s.offset; s.even {
		for r := range numbers {
			numbers[r] = clamp(evenNumber(x[at], offset), zero, most)
			at += dim
		}
	} else {
		for r := range numbers {
			numbers[r] = clamp(int64(key(x[at])), zero, most)
			at += dim
		}
	}
	below, shift := s.below, s.shift&63
	for r, number := range numbers {
		ranks[r] = below[number>>shift]
	}
	for half := s.half; half > 1; half /= 2 {
		thresholds := s.thresholds[half-1:]
		for r, number := range numbers {
			at := ranks[r]
			_, above := bits.Sub64(uint64(number), uint64(thresholds[at]), 0)
			ranks[r] = at + half - half&uint32(-above)
		}
	}
	thresholds, to, left := s.thresholds, s.word, s.at&63
	for r, number := range numbers {
		at := ranks[r]
		_, above := bits.Sub64(uint64(number), uint64(thresholds[at]), 0)
		packed[to] |= (uint64(at) + 1 - above) << left
		to += words
	}
}

// packing gives each feature's rank a place in a row's packed ranks and returns
// how many words these are. The lowest bit of the first word is not given away.
func packing(features []sortedSplits) (words int) {
	used := 1
	for i := range features {
		s := &features[i]
		size := bits.Len(uint(s.n))
		if used+size > 64 {
			words++
			used = 0
		}
		s.word, s.at, s.mask = words, uint8(used), 1<<size-1
		used += size
	}
	return words + 1
}
