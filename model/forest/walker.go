package forest

import "slices"

// Walker finds the mean paths of rows that come one after another, as MeanPath
// does, and remembers them: a row with the ranks of one that came lately, as
// most of a network's connections have and nearly all of a scan, needs no walk.
// The zero Walker is ready. It is not safe for concurrent use.
type Walker struct {
	forest   *Forest
	features []sortedSplits
	sorted   int // how many of them are ready

	// Of the last row. Of one connection to the next, most features stay.
	keys  []uint32
	ranks []uint64 // shifted to their places in packed

	packed []uint64
	met    memory
}

// MeanPath returns f.MeanPath(x). With another forest than in the last call it
// forgets what it remembers; it then gets ready in as many calls as there are
// features, so that none takes long, and allocates. Later calls do not.
func (w *Walker) MeanPath(f *Forest, x []float32) float64 {
	if w.forest != f {
		*w = Walker{forest: f, features: make([]sortedSplits, f.dim)}
	}
	if w.sorted < f.dim {
		w.sort()
		return f.MeanPath(x)
	}
	w.rank(x[:f.dim])
	place, found := w.met.find(w.packed)
	if !found {
		w.met.paths[place] = f.MeanPath(x)
	}
	return w.met.paths[place]
}

// sort makes the splits by one more feature ready.
func (w *Walker) sort() {
	f := w.forest
	var thresholds []uint64
	for _, n := range f.nodes {
		if !isExternal(n) && splitFeature(n) == w.sorted {
			thresholds = append(thresholds, n>>32<<32)
		}
	}
	slices.Sort(thresholds)
	w.features[w.sorted].set(thresholds, 0)
	if w.sorted++; w.sorted < f.dim {
		return
	}
	words := packing(w.features)
	w.packed, w.met = make([]uint64, words), newMemory(words)
	w.keys, w.ranks = make([]uint32, f.dim), make([]uint64, f.dim)
	for i := range w.features {
		w.keys[i] = key(0)
		w.ranks[i] = w.features[i].packedRank(0)
	}
}

// rank sets the row's packed ranks.
func (w *Walker) rank(x []float32) {
	packed, ranks, keys := w.packed, w.ranks[:len(x)], w.keys[:len(x)]
	clear(packed)
	packed[0] = 1
	for i := range w.features[:len(x)] {
		s := &w.features[i]
		if k := key(x[i]); k != keys[i] {
			keys[i], ranks[i] = k, s.packedRank(x[i])
		}
		packed[s.word] |= ranks[i]
	}
}

// packedRank returns the rank of one value, in its place of its word.
func (s *sortedSplits) packedRank(x float32) uint64 {
	if s.n == 0 {
		return 0
	}
	number := clamp(s.number(x), s.zero, s.most)
	rank := s.below[number>>(s.shift&63)]
	for half := s.half; half > 0; half /= 2 {
		if s.thresholds[rank+half-1] <= number {
			rank += half
		}
	}
	return uint64(rank) << (s.at & 63)
}
