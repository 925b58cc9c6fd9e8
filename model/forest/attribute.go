package forest

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
	var total [maxDim]int64 // over the trees, fixed point
	for _, root := range f.roots[:f.trees] {
		for n := uint64(root); ; {
			w := f.nodes[n]
			if isExternal(w) {
				break
			}
			child := step(f.nodes, &k, n)
			total[uint8(w)] += int64(f.c[f.size[n]]) - 1<<fraction - int64(f.c[f.size[child]])
			n = child
		}
	}
	// Rounding the credits one by one would lose their sum. Rounding what is
	// left after each feature, from c(ψ) down to E[h(x)], keeps it.
	left := int64(f.trees) * int64(f.c[f.subsample])
	for i := range credits[:f.dim] {
		before := mean(left, f.trees)
		left -= total[i]
		credits[i] = edges(before - mean(left, f.trees))
	}
	return edges(mean(left, f.trees))
}
