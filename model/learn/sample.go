package learn

import (
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

// reservoir keeps a uniform sample of the rows offered to it (Vitter 1985,
// algorithm R), in memory that is reserved at once and holds no pointers.
type reservoir struct {
	rows    []feature.Sample
	offered uint64
	memory  uint64 // rows that the sample looks back on; 0 is all
	random  *random

	sampler forest.Sampler // of draw
	numbers []int32
}

func newReservoir(capacity int, r *random, memory uint64) *reservoir {
	return &reservoir{rows: make([]feature.Sample, 0, capacity), random: r, memory: memory}
}

// offer returns where the next row is to be kept, nil where it is not in the
// sample.
func (s *reservoir) offer() *feature.Sample {
	s.offered++
	if s.memory > 0 {
		s.offered = min(s.offered, s.memory)
	}
	if len(s.rows) < cap(s.rows) {
		s.rows = s.rows[:len(s.rows)+1]
		return &s.rows[len(s.rows)-1]
	}
	if at := s.random.below(s.offered); at < uint64(len(s.rows)) {
		return &s.rows[at]
	}
	return nil
}

// draw copies different rows to dst, or repeats where there are fewer.
func (s *reservoir) draw(dst []feature.Sample, seed uint64, tree int) {
	n := len(s.rows)
	if len(s.numbers) != len(dst) {
		s.numbers = make([]int32, len(dst))
	}
	if len(dst) <= n {
		s.sampler.Draw(s.numbers, n, seed, tree)
	}
	for i := range dst {
		if len(dst) > n {
			s.numbers[i] = int32(i % n)
		}
		dst[i] = s.rows[s.numbers[i]]
	}
}
