package calibrate

import (
	"fmt"
	"math"
)

// Histogram counts path lengths for a Curve. It is not safe for concurrent use.
type Histogram struct {
	width  float64
	counts []uint32
}

// NewHistogram returns an empty histogram. width is WidthFor's.
func NewHistogram(width float64) *Histogram {
	return &Histogram{width: width, counts: make([]uint32, Bins)}
}

// Add counts a path length. It does not allocate.
func (h *Histogram) Add(path float64) {
	if i := bin(path, h.width); h.counts[i] < math.MaxUint32 {
		h.counts[i]++
	}
}

// Curve freezes the counts. It fails when nothing was counted.
func (h *Histogram) Curve() (*Curve, error) { return NewCurve(h.width, h.counts) }

// Curve tells how unusual a path length is among the calibration rows that it
// was made from. It is immutable and safe for concurrent use.
type Curve struct {
	width float64
	upTo  []uint64 // rows in this bin and those before
}

// NewCurve makes a curve of a width and the counts of all bins, as Counts
// gives them, and checks both: a model file is data from outside.
func NewCurve(width float64, counts []uint32) (*Curve, error) {
	if !isPowerOfTwo(width) || width < 0x1p-20 || width > 1 {
		return nil, fmt.Errorf("calibration: bins of width %v, want a power of two from 2^-20 to 1", width)
	}
	if len(counts) != Bins {
		return nil, fmt.Errorf("calibration: %d bins, want %d", len(counts), Bins)
	}
	c := &Curve{width: width, upTo: make([]uint64, Bins)}
	sum := uint64(0)
	for i, n := range counts {
		sum += uint64(n)
		c.upTo[i] = sum
	}
	if sum == 0 {
		return nil, fmt.Errorf("calibration: no rows")
	}
	return c, nil
}

// Counts returns what NewCurve takes.
func (c *Curve) Counts() (width float64, counts []uint32) {
	counts = make([]uint32, Bins)
	before := uint64(0)
	for i, n := range c.upTo {
		counts[i], before = uint32(n-before), n
	}
	return c.width, counts
}

// Rows returns the number of calibration rows.
func (c *Curve) Rows() uint64 { return c.upTo[Bins-1] }

// Rank returns the share of rows at least as unusual, in (0, 1]: calibration
// rows whose path is at most as long, up to the width of a bin, and this row
// itself, of all and this row. It is the conformal p-value: where rows come in
// no particular order, a rank of at most p befalls a share p of them. It does
// not allocate.
func (c *Curve) Rank(path float64) float64 {
	return float64(c.upTo[bin(path, c.width)]+1) / float64(c.Rows()+1)
}

// Threshold returns the path length below which Rank is at most share; 0 when
// even the shortest path has a larger rank.
func (c *Curve) Threshold(share float64) float64 {
	for i := range c.upTo {
		if float64(c.upTo[i]+1)/float64(c.Rows()+1) > share {
			return float64(i) * c.width
		}
	}
	return math.Inf(1)
}

// OneIn returns a rank as the N of "1 in N connections", rounded, at least 1.
func OneIn(rank float64) uint64 { return uint64(math.Round(1 / rank)) }
