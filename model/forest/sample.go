package forest

// Sampler draws the rows of a tree as the paper does: uniformly, without
// replacement. It keeps its memory between draws and is not safe for
// concurrent use.
type Sampler struct {
	random stream
	drawn  []uint64 // one bit per row, all clear between draws
}

// Draw fills sample with the indices of distinct rows out of n, drawn from a
// stream of its own for that seed and tree; n is at least len(sample).
//
// Floyd's algorithm (Bentley, Floyd 1987): as many draws as rows wanted, and
// nothing to shuffle. The order of a tree's rows does not matter.
func (s *Sampler) Draw(sample []int32, n int, seed uint64, tree int) {
	if words := (n + 63) / 64; len(s.drawn) < words {
		s.drawn = make([]uint64, words)
	}
	s.random.seed(seed, uint64(tree)|sampling)
	first := n - len(sample)
	for i := range sample {
		row := s.random.below(first + i + 1)
		if s.has(row) {
			row = first + i
		}
		s.drawn[row/64] |= 1 << (row % 64)
		sample[i] = int32(row)
	}
	for _, row := range sample {
		s.drawn[row/64] = 0
	}
}

func (s *Sampler) has(row int) bool { return s.drawn[row/64]&(1<<(row%64)) != 0 }
