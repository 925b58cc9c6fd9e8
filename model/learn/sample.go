package learn

import (
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// reservoir keeps a uniform sample of the rows offered to it (Vitter 1985,
// algorithm R), in memory that is reserved at once and holds no pointers.
type reservoir struct {
	rows    *samples
	offered uint64
	memory  uint64 // rows that the sample looks back on; 0 is all
	random  *random

	sampler forest.Sampler // of draw
	numbers []int32
}

func newReservoir(set *feature.Set, capacity int, r *random, memory uint64) *reservoir {
	return &reservoir{rows: newSamples(set, capacity), random: r, memory: memory}
}

// offer returns the place where the next row is to be kept, −1 where it is not
// in the sample.
func (s *reservoir) offer() int {
	s.offered++
	if s.memory > 0 {
		s.offered = min(s.offered, s.memory)
	}
	if s.rows.n < s.rows.room() {
		return s.rows.n
	}
	if at := s.random.below(s.offered); at < uint64(s.rows.n) {
		return int(at)
	}
	return -1
}

// draw copies different rows to dst from the place at on, or repeats
// where there are fewer.
func (s *reservoir) draw(dst *samples, at, rows int, seed uint64, tree int) {
	n := s.rows.n
	if len(s.numbers) != rows {
		s.numbers = make([]int32, rows)
	}
	if rows <= n {
		s.sampler.Draw(s.numbers, n, seed, tree)
	}
	for i := range rows {
		if rows > n {
			s.numbers[i] = int32(i % n)
		}
		dst.copy(at+i, s.rows, int(s.numbers[i]), 1)
	}
}
