package forest

import "math"

// Path lengths are kept in fixed point, in units of 2^-fraction of an edge: a
// sum over trees is then exact, in any order and on any CPU. The rounding of
// c(n) that this costs (1.2e-7) is below a float32's.
const (
	fraction = 22 // bits of a leaf's length behind the point; uint32 holds lengths below 1024
	meanBits = 32 // bits of the mean over the trees behind the point
)

// averageLengths returns c(n) for n = 0..most in fixed point: the average path
// length of an unsuccessful search in a binary search tree of n keys (Liu,
// Ting, Zhou 2008, eq. 1), c(n) = 2H(n−1) − 2(n−1)/n = 2(H(n) − 1), from exact
// harmonic numbers, not from ln(n) + 0.5772, which gives c(2) = 0.15.
//
// With Estimated it is that of scikit-learn, whose ln(n) + 0.5772 is of n−1 and
// which sets c(2) = 1.
func averageLengths(by Average, most int) []uint32 {
	c := make([]uint32, most+1)
	if by == Estimated {
		for n := 2; n <= most; n++ {
			c[n] = uint32(math.Round(estimated(n) * (1 << fraction)))
		}
		return c
	}
	h := 1.0
	for n := 2; n <= most; n++ {
		h += 1 / float64(n)
		c[n] = uint32(math.Round(2 * (h - 1) * (1 << fraction)))
	}
	return c
}

// Average says how c(n) is computed.
type Average uint8

const (
	Harmonic  Average = iota // from harmonic numbers
	Estimated                // from ln(n−1) + γ: the forests of scikit-learn
	numAverage
)

// estimated is c(n) as scikit-learn computes it, for n of at least 2. Rounded to
// fixed point it does not depend on the last bits of the logarithm.
func estimated(n int) float64 {
	if n == 2 {
		return 1
	}
	const gamma = 0.57721566490153286061 // Euler's constant
	m := float64(n - 1)
	return float64(2*(math.Log(m)+gamma)) - 2*m/float64(n)
}

// mean returns the mean of t lengths with the given sum, in units of
// 2^-meanBits, rounded down.
func mean(sum int64, t int) int64 {
	return sum << (meanBits - fraction) / int64(t)
}

// edges turns units of 2^-meanBits into edges. It is exact.
func edges(units int64) float64 { return float64(units) * (1.0 / (1 << meanBits)) }

// The coefficients of 2^x around 0, ln(2)^n / n!, computed by the compiler.
const (
	e1  = math.Ln2
	e2  = e1 * math.Ln2 / 2
	e3  = e2 * math.Ln2 / 3
	e4  = e3 * math.Ln2 / 4
	e5  = e4 * math.Ln2 / 5
	e6  = e5 * math.Ln2 / 6
	e7  = e6 * math.Ln2 / 7
	e8  = e7 * math.Ln2 / 8
	e9  = e8 * math.Ln2 / 9
	e10 = e9 * math.Ln2 / 10
	e11 = e10 * math.Ln2 / 11
	e12 = e11 * math.Ln2 / 12
	e13 = e12 * math.Ln2 / 13
)

// exp2 returns 2^x. math.Exp2 is written in assembly on some architectures and
// may differ there in the last bit; this gives the same bits on every CPU,
// because each product is rounded before it is added. Its relative error is
// below 4e-16.
func exp2(x float64) float64 {
	k := math.Round(x)
	x -= k // at most a half
	p := e13
	for _, e := range [...]float64{e12, e11, e10, e9, e8, e7, e6, e5, e4, e3, e2, e1, 1} {
		p = e + float64(p*x)
	}
	return math.Ldexp(p, int(k))
}
