package forest

import "slices"

// memory keeps the mean paths of the rows met last, by their packed ranks. It
// is a table without chains: a row takes the place of an older one of the same
// hash. Whoever chooses rows that push each other out has each of them go
// through the trees, which is what happens without a memory.
type memory struct {
	words int
	ranks []uint64  // by place; the lowest bit of the first word is set where one is taken
	paths []float64 // the same; −1−i of a row that is pending[i]
}

// With as many places as fit in a core's cache beside the trees 23 % of the
// rows of zeek-three-days go through these, with four times as many 10 %.
const (
	memoryBits   = 13
	memoryPlaces = 1 << memoryBits
)

func newMemory(words int) memory {
	return memory{words, make([]uint64, memoryPlaces*words), make([]float64, memoryPlaces)}
}

// find returns the place of packed ranks and whether they were there; now they
// are.
func (m *memory) find(ranks []uint64) (place int, found bool) {
	const odd = 0x9e3779b97f4a7c15
	var h uint64
	for _, word := range ranks {
		h = (h ^ word) * odd
		h ^= h >> 32
	}
	place = int(h * odd >> (64 - memoryBits))
	at := m.ranks[place*m.words:][:m.words]
	if slices.Equal(at, ranks) {
		return place, true
	}
	copy(at, ranks)
	return place, false
}

// pending is a row on its way through the trees.
type pending struct {
	row   int
	place int // in the memory
}

// same says that a row has the path of another one, which is pending.
type same struct{ row, as int }

// meanPaths does what MeanPaths does.
func (s *sliced) meanPaths(f *Forest, dst []float64, rows []float32) {
	w := s.worker()
	defer s.done(w)
	for from := 0; from < len(dst); from += sliceRows {
		to := min(from+sliceRows, len(dst))
		s.rank(w, rows[from*f.dim:to*f.dim])
		for row := from; row < to; row++ {
			ranks := w.packed[(row-from)*s.words:][:s.words]
			place, found := w.met.find(ranks)
			switch path := w.met.paths[place]; {
			case !found:
				w.met.paths[place] = float64(-1 - len(w.pending))
				w.pending = append(w.pending, pending{row, place})
				w.ranked = append(w.ranked, ranks...)
			case path < 0:
				w.same = append(w.same, same{row, w.pending[int(-1-path)].row})
			default:
				dst[row] = path
			}
			if len(w.pending) == sliceRows || len(w.same) == cap(w.same) {
				s.settle(w, f, dst, rows)
			}
		}
	}
	s.settle(w, f, dst, rows)
}

// settle finds the paths of the pending rows and of those that are the same.
func (s *sliced) settle(w *slicedRows, f *Forest, dst []float64, rows []float32) {
	sliced := len(w.pending) >= minSliced
	if sliced {
		s.sum(w)
	}
	for i, p := range w.pending {
		if sliced {
			dst[p.row] = edges(mean(int64(w.sums[i]), f.trees))
		} else {
			dst[p.row] = f.MeanPath(rows[p.row*f.dim : (p.row+1)*f.dim])
		}
		if path := &w.met.paths[p.place]; *path == float64(-1-i) { // no other row took the place
			*path = dst[p.row]
		}
	}
	for _, t := range w.same {
		dst[t.row] = dst[t.as]
	}
	w.pending, w.ranked, w.same = w.pending[:0], w.ranked[:0], w.same[:0]
}
