package forest

import "math/bits"

// Attribute says how much each feature shortened the row's path. Every node
// that the row visits credits the feature of its split with
// c(size) − 1 − c(size of the child): what was still to be expected of the
// path, less the edge walked, less what is to be expected now. Along a path
// these telescope, so the credits, averaged over the trees, add up to
// c(ψ) − E[h(x)]: exactly, in any order, since each is a multiple of 2^-32.
// A positive credit made the row stranger.
//
// It writes the credits to credits, which has Dim entries, and returns
// MeanPath(x). It does not allocate.
func (f *Forest) Attribute(credits []float64, x []float32) (path float64) {
	var k keys
	k.set(x[:f.dim])
	var t [2]totals
	for i, steps := range f.steps {
		f.credits(&t, &k, f.roots[i*lanes:i*lanes+lanes], steps)
	}
	// Rounding the credits one by one would lose their sum. Rounding what is
	// left after each feature, from c(ψ) down to E[h(x)], keeps it.
	left := int64(f.trees) * int64(f.c[f.subsample])
	before := mean(left, f.trees)
	for i := range credits[:f.dim] {
		left -= t[0][i] + t[1][i]
		after := mean(left, f.trees)
		credits[i], before = edges(before-after), after
	}
	return edges(before)
}

// totals are the credits of the features over the trees, in fixed point. What
// walks that have ended still add goes to External, which is no feature.
type totals [256]int64

// credits walks the row through a group of trees in lock-step, as sum does.
// Neighbouring walks add to different totals: many end at the same time, and
// an addition to a number waits for the addition before.
func (f *Forest) credits(t *[2]totals, x *keys, r []uint32, steps int) {
	t0, t1 := &t[0], &t[1]
	nodes, credit := f.nodes, f.credit[:len(f.nodes)]
	n0, n1, n2, n3 := uint64(r[0]), uint64(r[1]), uint64(r[2]), uint64(r[3])
	n4, n5, n6, n7 := uint64(r[4]), uint64(r[5]), uint64(r[6]), uint64(r[7])
	for ; steps > 0; steps-- {
		n0 = creditStep(nodes, credit, t0, x, n0)
		n1 = creditStep(nodes, credit, t1, x, n1)
		n2 = creditStep(nodes, credit, t0, x, n2)
		n3 = creditStep(nodes, credit, t1, x, n3)
		n4 = creditStep(nodes, credit, t0, x, n4)
		n5 = creditStep(nodes, credit, t1, x, n5)
		n6 = creditStep(nodes, credit, t0, x, n6)
		n7 = creditStep(nodes, credit, t1, x, n7)
	}
}

// creditStep is step, and credits the feature of the split.
func creditStep(nodes []node, credit []int32, total *totals, x *keys, n uint64) uint64 {
	w := nodes[n]
	_, less := bits.Sub64(x[uint8(w)], w, 0)
	n, _ = bits.Sub64(uint64(uint32(w)>>8), 0, less)
	total[uint8(w)] += int64(credit[n])
	return n
}
