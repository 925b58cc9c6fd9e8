package forest

import "slices"

const (
	walkerBoxes = 8  // kinds of rows that a Walker remembers
	walkerSums  = 16 // walks in which it looks for a row that comes again
	boxEvery    = 16 // walks, at least, from one box to the next: making one costs about four
)

// Walker finds the mean paths of rows that come one after another, as MeanPath
// does, and remembers some: no tree tells apart two rows when between their
// values lies no threshold of a split on the row's way. A flood of such rows, as
// a scan is, when a sensor has the most to do, needs a walk now and then.
//
// The zero Walker is ready. It is not safe for concurrent use.
type Walker struct {
	forest *Forest
	boxes  []box             // those that rows fell into most lately towards the front
	sums   [walkerSums]int64 // of the last walks
	walks  int
	made   int // walks when the last box was made
}

// A box is a region of rows whose walks end in the same nodes.
type box struct {
	low  []uint32 // by feature, the least key
	span []uint32 // by feature, the greatest key less the least
	sum  int64    // of the path lengths
}

// MeanPath returns f.MeanPath(x). With another forest than in the last call it
// forgets what it remembers, and allocates; otherwise it does not.
func (w *Walker) MeanPath(f *Forest, x []float32) float64 {
	x = x[:f.dim]
	if w.forest != f {
		boxes := make([]box, walkerBoxes)
		for i := range boxes {
			boxes[i] = box{low: make([]uint32, f.dim), span: make([]uint32, f.dim)}
		}
		*w = Walker{forest: f, boxes: boxes[:0]}
	}
	for i := range w.boxes {
		if w.boxes[i].holds(x) {
			sum := w.boxes[i].sum
			if i > 0 {
				w.boxes[i], w.boxes[i-1] = w.boxes[i-1], w.boxes[i]
			}
			return edges(mean(sum, f.trees))
		}
	}
	var k keys
	k.set(x)
	sum := f.sum(&k)
	if w.walks-w.made >= boxEvery && slices.Contains(w.sums[:], sum) {
		w.boxes = w.boxes[:min(len(w.boxes)+1, walkerBoxes)]
		last := &w.boxes[len(w.boxes)-1]
		f.enclose(last, x)
		last.sum, w.made = sum, w.walks
	}
	w.sums[w.walks%walkerSums] = sum
	w.walks++
	return edges(mean(sum, f.trees))
}

func (b *box) holds(x []float32) bool {
	span := b.span[:len(b.low)]
	for i, low := range b.low {
		if key(x[i])-low > span[i] {
			return false
		}
	}
	return true
}

// enclose makes b the largest box around x in which every decision of x's walks
// stays as it is.
func (f *Forest) enclose(b *box, x []float32) {
	for i := range b.low {
		b.low[i], b.span[i] = 0, ^uint32(0) // until all is known, the greatest key
	}
	for _, root := range f.roots[:f.trees] {
		for w := f.nodes[root]; !isExternal(w); {
			feature, threshold := splitFeature(w), uint32(w>>32)
			if key(x[feature]) < threshold {
				b.span[feature] = min(b.span[feature], threshold-1)
				w = f.nodes[right(w)-1]
			} else {
				b.low[feature] = max(b.low[feature], threshold)
				w = f.nodes[right(w)]
			}
		}
	}
	for i, low := range b.low {
		b.span[i] -= low
	}
}
