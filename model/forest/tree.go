package forest

import (
	"fmt"
	"math"
	"slices"
)

// growing is a node of a tree that is being grown. Children are appended in
// pairs, so a tree is a list of nodes, breadth first, in which the children of
// the k-th split stand at 2k+1 and 2k+2.
type growing struct {
	threshold float32
	start     int32 // its rows are order[start : start+size]
	size      int32
	depth     uint16
	feature   uint8
	external  bool
	closed    uint64 // features whose upper end in the node is a cut
}

// workspace is what one tree needs while it grows.
type workspace struct {
	random   stream
	psi      int
	columns  []float32 // the subsample, feature by feature
	ranges   []float32 // of each feature, over the subsample
	order    []int32   // rows of the subsample, those of a node side by side
	features []uint8   // a permutation, for drawing without replacement
	nodes    []growing
}

func (w *workspace) reserve(dim, subsample, height int, beyond uint64) {
	most := 2*subsample - 1
	if beyond != 0 { // each level may have a cut that parts no rows
		most += 2 * subsample * beyondDepth
	}
	if height < 30 {
		most = min(most, 1<<(height+1)-1)
	}
	if len(w.columns) < dim*subsample || len(w.features) != dim || cap(w.nodes) < most {
		w.columns = make([]float32, dim*subsample)
		w.order = make([]int32, subsample)
		w.features = make([]uint8, dim)
		w.ranges = make([]float32, dim)
		w.nodes = make([]growing, 0, most)
	}
	w.psi = subsample
	w.order = w.order[:subsample]
}

// gather copies the sampled rows into columns.
func (w *workspace) gather(rows []float32, dim int, sample []int32) error {
	for i, r := range sample {
		if r < 0 || int(r) >= len(rows)/dim {
			return fmt.Errorf("sample holds row %d of %d", r, len(rows)/dim)
		}
		for f, v := range rows[int(r)*dim : int(r)*dim+dim] {
			if !finite(v) {
				return fmt.Errorf("row %d, feature %d is %v, want a finite number", r, f, v)
			}
			w.columns[f*w.psi+i] = v
		}
	}
	return nil
}

// grow grows an isolation tree (Liu, Ting, Zhou 2008, algorithm 2), breadth
// first, from the rows that gather copied. A feature of beyond may be cut above
// all rows of a node whose upper end is open: the right child then has no rows.
func (w *workspace) grow(height int, beyond uint64) {
	w.measure(beyond)
	for i := range w.order {
		w.order[i] = int32(i)
	}
	for f := range w.features {
		w.features[f] = uint8(f)
	}
	w.nodes = append(w.nodes[:0], growing{size: int32(w.psi)})
	for i := 0; i < len(w.nodes); i++ {
		n := &w.nodes[i]
		rows := w.order[n.start : n.start+n.size]
		if int(n.depth) >= height || len(rows) <= 1 {
			n.external = true
			continue
		}
		feature, lo, hi, ok := w.drawFeature(rows)
		if !ok { // all rows are equal
			n.external = true
			continue
		}
		bit := uint64(1) << (feature & 63)
		top := hi
		if open := beyond &^ n.closed; feature < 64 && open&bit != 0 {
			top = hi + max(beyondShare*w.ranges[feature], beyondLeast)
		}
		n.feature, n.threshold = feature, between(lo, top, w.random.unit())
		left := w.partition(rows, feature, n.threshold)
		w.nodes = append(w.nodes,
			growing{start: n.start, size: left, depth: n.depth + 1, closed: n.closed | bit},
			growing{start: n.start + left, size: n.size - left, depth: n.depth + 1, closed: n.closed})
	}
}

// measure finds the ranges of the features that may be cut beyond the data.
func (w *workspace) measure(beyond uint64) {
	for f := range w.ranges {
		if f >= 64 || beyond>>f&1 == 0 {
			continue
		}
		column := w.columns[f*w.psi : (f+1)*w.psi]
		w.ranges[f] = slices.Max(column) - slices.Min(column)
	}
}

// drawFeature draws uniformly among the features that are not constant in the
// rows: it draws without replacement until one is not. The paper's pseudo-code
// would waste a level on a constant feature; connection logs have many.
func (w *workspace) drawFeature(rows []int32) (feature uint8, lo, hi float32, ok bool) {
	for k := range w.features {
		j := k + w.random.below(len(w.features)-k)
		w.features[k], w.features[j] = w.features[j], w.features[k]
		feature = w.features[k]
		column := w.columns[int(feature)*w.psi : (int(feature)+1)*w.psi]
		lo, hi = column[rows[0]], column[rows[0]]
		for _, r := range rows[1:] {
			v := column[r]
			if v < lo {
				lo = v
			}
			if v > hi {
				hi = v
			}
		}
		if lo < hi {
			return feature, lo, hi, true
		}
	}
	return 0, 0, 0, false
}

// between returns the threshold at u of the way from lo to hi, in (lo, hi], so
// that a row goes to each side. Computed in float64, where hi−lo cannot
// overflow; a result that rounds to lo splits the rows as the next number does.
func between(lo, hi float32, u float64) float32 {
	p := float32(float64(lo) + float64(u*(float64(hi)-float64(lo))))
	if p <= lo {
		p = math.Nextafter32(lo, hi)
	}
	return p + 0 // never −0, which a table could not tell from 0
}

// partition brings the rows below the threshold to the front and counts them.
func (w *workspace) partition(rows []int32, feature uint8, threshold float32) int32 {
	column := w.columns[int(feature)*w.psi : (int(feature)+1)*w.psi]
	i, j := 0, len(rows)
	for i < j {
		if column[rows[i]] < threshold {
			i++
		} else {
			j--
			rows[i], rows[j] = rows[j], rows[i]
		}
	}
	return int32(i)
}
