package forest

// LengthUnit is the unit of Lengths, in edges: a power of two.
const LengthUnit = 1.0 / (1 << fraction)

// Lengths returns the path lengths of rows that end in each external node, its
// depth and c(its size), in units of LengthUnit, for programs that walk the
// trees themselves: sums of these are exact in a float64. Splits have 0. p is
// one that Forest accepts.
func (p *Plain) Lengths() []uint32 {
	lengths := make([]uint32, len(p.Feature))
	c := averageLengths(p.Average, p.Subsample)
	at := 0
	for _, n := range p.Nodes {
		depth := make([]uint32, n)
		splits := 0
		for i := range depth {
			if p.Feature[at+i] == External {
				lengths[at+i] = depth[i]<<fraction + c[p.Size[at+i]]
				continue
			}
			depth[2*splits+1], depth[2*splits+2] = depth[i]+1, depth[i]+1
			splits++
		}
		at += int(n)
	}
	return lengths
}
