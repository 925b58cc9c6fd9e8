// Package calibrate says how unusual a path length is among those of other
// connections: curve.go for ever, as a part of the model; budget.go among
// those of the last day, to keep to a number of alerts.
package calibrate

import "math"

// Bins is the number of bins of a histogram of path lengths. The last one
// also holds all longer paths: those are the most usual rows.
const Bins = 4096

// WidthFor returns the width of the bins for a forest whose average path
// length c(ψ) is given: the smallest power of two for which the bins reach to
// one and a half times that. For ψ = 256 it is 2^-8, about 0.0002 in score.
func WidthFor(averageLength float64) float64 {
	least := 1.5 * averageLength / Bins
	fraction, exponent := math.Frexp(least)
	if fraction == 0.5 { // a power of two itself
		return least
	}
	return math.Ldexp(1, exponent)
}

// bin returns the bin of a path length. Dividing by a power of two is exact,
// so every CPU finds the same one.
func bin(path, width float64) int {
	switch i := path / width; {
	case i >= Bins:
		return Bins - 1
	case i > 0:
		return int(i)
	default: // also NaN, which no forest returns
		return 0
	}
}

func isPowerOfTwo(x float64) bool {
	fraction, _ := math.Frexp(x)
	return fraction == 0.5
}
