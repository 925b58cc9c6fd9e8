package forest

// Visit is one node on a row's way through a tree.
type Visit struct {
	Depth     int     // edges from the root
	Size      int     // rows of the subsample that came here
	Expected  float64 // Depth + c(Size): the path length, as far as is known here
	External  bool    // the way ends here with the length Expected; the rest is zero
	Feature   int     // of the split
	Threshold float32
	Value     float32 // the row's
	Right     bool    // Value is not less than Threshold
}

// Trace walks the row through one tree, 0 to Trees−1, and returns the nodes on
// its way; the last one is external.
func (f *Forest) Trace(tree int, x []float32) []Visit {
	x = x[:f.dim]
	var way []Visit
	for n := int(f.roots[:f.trees][tree]); ; {
		v := Visit{Depth: len(way), Size: int(f.size[n])}
		v.Expected = edges(mean(int64(v.Depth)<<fraction+int64(f.c[v.Size]), 1))
		w := f.nodes[n]
		if isExternal(w) {
			v.External = true
			return append(way, v)
		}
		v.Feature, v.Threshold = splitFeature(w), threshold(w)
		v.Value = x[v.Feature]
		n = right(w)
		if v.Right = key(v.Value) >= uint32(w>>32); !v.Right {
			n--
		}
		way = append(way, v)
	}
}
