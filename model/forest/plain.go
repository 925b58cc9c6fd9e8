package forest

import (
	"fmt"
)

// Plain is a forest as slices of numbers, for a file. No index stands in it:
// the nodes of a tree are listed breadth first, and the children of its k-th
// split (counting from 0) are its nodes 2k+1 and 2k+2, so it cannot describe a
// loop or point outside.
type Plain struct {
	Dim         int       // features of a row, 1..255
	Subsample   int       // ψ, rows at the root of each tree, 2..MaxSubsample
	HeightLimit int       // depth of no node is larger, 1..MaxHeight
	Average     Average   // how c(n) is computed
	Nodes       []uint32  // of each tree, 1..MaxTrees trees
	Feature     []uint8   // of each node: the feature that it splits by, or External
	Size        []uint32  // of each node: rows of the subsample that reached it
	Threshold   []float32 // of each split: rows with a smaller value go to the left child
}

// Plain takes the forest apart. It is the inverse of Plain.Forest.
func (f *Forest) Plain() *Plain {
	p := &Plain{
		Dim:         f.dim,
		Subsample:   f.subsample,
		HeightLimit: f.heightLimit,
		Average:     f.average,
		Nodes:       make([]uint32, f.trees),
		Feature:     make([]uint8, 0, len(f.nodes)-1),
		Size:        make([]uint32, 0, len(f.nodes)-1),
		Threshold:   make([]float32, 0, len(f.nodes)/2),
	}
	queue := make([]int, 0, 2*f.subsample)
	for i := range p.Nodes {
		queue = append(queue[:0], int(f.roots[i]))
		for k := 0; k < len(queue); k++ {
			w := f.nodes[queue[k]]
			p.Feature = append(p.Feature, uint8(splitFeature(w)))
			p.Size = append(p.Size, f.size[queue[k]])
			if !isExternal(w) {
				p.Threshold = append(p.Threshold, threshold(w))
				queue = append(queue, right(w)-1, right(w))
			}
		}
		p.Nodes[i] = uint32(len(queue))
	}
	return p
}

// Forest puts a forest together and checks all of it: a file is data from
// outside. The error says which tree and node is wrong and how. It allocates
// in proportion to the number of nodes and to Subsample.
func (p *Plain) Forest() (*Forest, error) {
	o := Options{Trees: len(p.Nodes), Subsample: p.Subsample, MaxDepth: p.HeightLimit}
	if err := o.check(p.Dim); err != nil {
		return nil, err
	}
	if p.HeightLimit == 0 {
		return nil, fmt.Errorf("forest: depth limit 0, want 1 to %d", MaxHeight)
	}
	if p.Average >= numAverage {
		return nil, fmt.Errorf("forest: average path lengths of the unknown kind %d", p.Average)
	}
	total := 0
	for i, n := range p.Nodes {
		if n > maxNodes || total+int(n) >= maxNodes {
			return nil, fmt.Errorf("forest: more than %d nodes at tree %d; grow fewer trees or smaller subsamples", maxNodes-1, i)
		}
		total += int(n)
	}
	if len(p.Feature) != total || len(p.Size) != total {
		return nil, fmt.Errorf("forest: %d features and %d sizes for %d nodes", len(p.Feature), len(p.Size), total)
	}
	groups := (len(p.Nodes) + lanes - 1) / lanes
	f := &Forest{
		dim:         p.Dim,
		subsample:   p.Subsample,
		heightLimit: p.HeightLimit,
		average:     p.Average,
		trees:       len(p.Nodes),
		nodes:       make([]node, 1, total+1),
		size:        make([]uint32, 1, total+1),
		credit:      make([]int32, 1, total+1),
		roots:       make([]uint32, groups*lanes),
		steps:       make([]int, groups),
		c:           averageLengths(p.Average, p.Subsample),
	}
	f.nodes[0] = externalNode(0, 0)
	var tree shape
	features, sizes, thresholds := p.Feature, p.Size, p.Threshold
	for i, n := range p.Nodes {
		splits, err := tree.set(f, features[:n], sizes[:n], thresholds)
		if err != nil {
			return nil, fmt.Errorf("forest: tree %d, %w", i, err)
		}
		f.roots[i] = uint32(len(f.nodes))
		f.steps[i/lanes] = max(f.steps[i/lanes], int(tree.depth[n-1])) // breadth first: the last is deepest
		f.nodes, f.size, f.credit = append(f.nodes, 0), append(f.size, 0), append(f.credit, 0)
		tree.place(f, 0, int(f.roots[i]))
		features, sizes, thresholds = features[n:], sizes[n:], thresholds[splits:]
	}
	if len(thresholds) > 0 {
		return nil, fmt.Errorf("forest: %d thresholds more than splits", len(thresholds))
	}
	return f, nil
}
