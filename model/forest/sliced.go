package forest

import (
	"math"
	"slices"
	"sync"
)

// sliced is the forest laid out for 64 rows at once, one bit of a word each,
// after RapidScorer (Ye, Zhou, Zou, Gao, Zhang, KDD 2018): every split is
// decided for all rows by a few operations on words. The time goes with the
// number of splits, not with the depth of the trees. The sums are those of sum.
//
// All that the trees see of a row are its ranks, and most rows of a log have
// the ranks of one that came not long before: memory.go remembers its path.
type sliced struct {
	features []sortedSplits
	trees    []slicedTree
	places   int // of slicedRows.less
	words    int // of a row's packed ranks

	mu   sync.Mutex
	idle []*slicedRows // of workers that are done
}

// slicedTree is a tree, breadth first: the children of its k-th split are its
// nodes 2k+1 and 2k+2.
type slicedTree struct {
	splits   []uint32 // their nodes, and above eight bits their places in slicedRows.less
	external []uint8  // nodes, in groups of eight, the last one filled up with noNode
	length   [maxExternal]uint32
}

const (
	sliceRows   = 64
	maxExternal = 128               // nodes of a tree: the number of a node is a byte
	noNode      = 2*maxExternal - 1 // no row reaches it
	minSliced   = 32                // rows from which it is faster than one walk after the other
)

// slicedRows is what a worker needs besides.
type slicedRows struct {
	packed []uint64 // the ranks of the rows at hand

	met     memory
	pending []pending // rows for the trees, at most sliceRows
	ranked  []uint64  // their packed ranks
	same    []same    // rows like one of these

	less  []uint64           // by feature and threshold, the rows below it; one more for each feature
	reach [noNode + 1]uint64 // by node, the rows that reach it
	sums  [sliceRows]uint64
}

// worker returns what a worker needs, with the memory of one before if possible.
func (s *sliced) worker() *slicedRows {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.idle) - 1; last >= 0 {
		w := s.idle[last]
		s.idle = s.idle[:last]
		return w
	}
	return &slicedRows{
		packed:  make([]uint64, sliceRows*s.words),
		met:     newMemory(s.words),
		pending: make([]pending, 0, sliceRows),
		ranked:  make([]uint64, 0, sliceRows*s.words),
		same:    make([]same, 0, 4*sliceRows),
		less:    make([]uint64, s.places),
	}
}

// done takes it back.
func (s *sliced) done(w *slicedRows) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, w)
}

// spread[k][b] has bit i of b in its byte i, as bit k.
var spread = func() (t [7][256]uint64) {
	for k := range t {
		for b := range t[k] {
			for i := range 8 {
				t[k][b] |= uint64(b) >> i & 1 << (8*i + k)
			}
		}
	}
	return t
}()

// newSliced is nil if a tree has too many external nodes.
func newSliced(f *Forest) *sliced {
	s := &sliced{features: make([]sortedSplits, f.dim), trees: make([]slicedTree, f.trees)}
	thresholds := make([][]uint64, f.dim)       // the key, then the number of the split
	splits := make([]uint32, 0, len(f.nodes)/2) // of all trees
	queue := make([]int, 0, noNode)
	for i := range s.trees {
		t := &s.trees[i]
		first := len(splits)
		queue = append(queue[:0], int(f.roots[i]))
		for k := 0; k < len(queue); k++ {
			w := f.nodes[queue[k]]
			if isExternal(w) {
				if len(t.external) == maxExternal {
					return nil
				}
				t.length[len(t.external)] = uint32(length(w))
				t.external = append(t.external, uint8(k))
				continue
			}
			of := splitFeature(w)
			thresholds[of] = append(thresholds[of], w>>32<<32|uint64(len(splits)))
			splits = append(splits, uint32(k))
			queue = append(queue, right(w)-1, right(w))
		}
		t.splits = splits[first:]
		for len(t.external)%8 != 0 {
			t.external = append(t.external, noNode)
		}
	}
	for i := range s.features {
		slices.Sort(thresholds[i])
		s.features[i].set(thresholds[i], s.places)
		for k, of := range thresholds[i] {
			splits[uint32(of)] |= uint32(s.places+k) << 8
		}
		s.places += len(thresholds[i]) + 1
	}
	s.words = packing(s.features)
	return s
}

// sum adds up the path lengths of the pending rows over all trees in w.sums.
func (s *sliced) sum(w *slicedRows) {
	s.decide(w)
	w.sums = [sliceRows]uint64{}
	for i := range s.trees {
		s.trees[i].reach(&w.reach, w.less)
		s.trees[i].add(&w.sums, &w.reach)
	}
}

// rank sets the packed ranks of at most 64 rows.
func (s *sliced) rank(w *slicedRows, rows []float32) {
	clear(w.packed)
	for at := 0; at < len(w.packed); at += s.words {
		w.packed[at] = 1
	}
	for i := range s.features {
		if f := &s.features[i]; f.n > 0 {
			f.rank(w.packed, rows[i:], len(s.features), s.words)
		}
	}
}

// decide sets less for the pending rows.
func (s *sliced) decide(w *slicedRows) {
	clear(w.less)
	for i := range s.features {
		f := &s.features[i]
		less := w.less[f.place : f.place+f.n+1]
		for r, at := 0, f.word; at < len(w.ranked); r, at = r+1, at+s.words {
			less[w.ranked[at]>>f.at&f.mask] |= 1 << r
		}
		var below uint64
		for k := range less {
			below |= less[k]
			less[k] = below
		}
	}
}

// reach finds the rows that reach each node. Inlined, it would lack registers.
//
//go:noinline
func (t *slicedTree) reach(reach *[noNode + 1]uint64, less []uint64) {
	reach[0] = math.MaxUint64
	for k, split := range t.splits {
		at := reach[uint8(split)]
		left := at & less[split>>8]
		reach[uint8(2*k+1)] = left
		reach[uint8(2*k+2)] = at ^ left
	}
}

// add adds to each row's sum the path length of the external node that it
// reaches: the bits of that node's number first, 64 rows in a word, then the
// numbers of eight rows in a word.
func (t *slicedTree) add(sums *[sliceRows]uint64, reach *[noNode + 1]uint64) {
	var b0, b1, b2, b3, b4, b5, b6 uint64
	var all [maxExternal / 8]uint64
	groups := all[:len(t.external)/8]
	for g := range groups {
		e := (*[8]uint8)(t.external[8*g:])
		r1, r2, r3 := reach[e[1]], reach[e[2]], reach[e[3]]
		r4, r5, r6, r7 := reach[e[4]], reach[e[5]], reach[e[6]], reach[e[7]]
		b0 |= r1 | r3 | r5 | r7
		r23, r67 := r2|r3, r6|r7
		b1 |= r23 | r67
		r4567 := r4 | r5 | r67
		b2 |= r4567
		groups[g] = reach[e[0]] | r1 | r23 | r4567
	}
	for g, r := range groups {
		b3 |= r & -uint64(g&1)
		b4 |= r & -uint64(g>>1&1)
		b5 |= r & -uint64(g>>2&1)
		b6 |= r & -uint64(g>>3&1)
	}
	for i := 0; i < sliceRows; i += 8 {
		n := spread[0][uint8(b0)] | spread[1][uint8(b1)] | spread[2][uint8(b2)] |
			spread[3][uint8(b3)] | spread[4][uint8(b4)] | spread[5][uint8(b5)] | spread[6][uint8(b6)]
		b0, b1, b2, b3, b4, b5, b6 = b0>>8, b1>>8, b2>>8, b3>>8, b4>>8, b5>>8, b6>>8
		s := (*[8]uint64)(sums[i:])
		s[0] += uint64(t.length[n%maxExternal])
		s[1] += uint64(t.length[n>>8%maxExternal])
		s[2] += uint64(t.length[n>>16%maxExternal])
		s[3] += uint64(t.length[n>>24%maxExternal])
		s[4] += uint64(t.length[n>>32%maxExternal])
		s[5] += uint64(t.length[n>>40%maxExternal])
		s[6] += uint64(t.length[n>>48%maxExternal])
		s[7] += uint64(t.length[n>>56%maxExternal])
	}
}
