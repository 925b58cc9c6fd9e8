package feature

import "math"

// math.Log is assembly on one architecture and may be fused on another, so its
// last bit depends on the machine. Log and Exp use IEEE 754's correctly rounded
// +, −, ×, ÷ alone; each product is converted explicitly, which forbids the
// compiler to fuse it with the sum that follows (Go specification, "Floating
// point operators").

const (
	logBits = 6 // the mantissa's upper bits that choose a centre
	ln2Hi   = 6.93147180369123816490e-01
	ln2Lo   = 1.90821492927058770002e-10 // ln 2 = ln2Hi + ln2Lo; k×ln2Hi is exact for |k| < 2^20
)

// logCentre[i] is a number close to every mantissa whose upper bits are i, and
// lnCentre[i] its logarithm. Mantissas above √2 are halved, so that the centre
// nearest to one is one itself and Log keeps its precision there.
var logCentre, lnCentre = logTables()

func logTables() (centre, ln [1 << logBits]float64) {
	for i := range centre {
		c := 1 + (float64(i)+0.5)/(1<<logBits)
		switch {
		case i == 0 || i == len(centre)-1:
			c = 1
		case c > math.Sqrt2:
			c /= 2
		}
		centre[i], ln[i] = c, logSeries(c)
	}
	return centre, ln
}

// logSeries is 2·artanh((c−1)/(c+1)), summed from the smallest term.
func logSeries(c float64) float64 {
	s := (c - 1) / (c + 1)
	z := float64(s * s)
	sum := 0.0
	for n := 41; n > 1; n -= 2 {
		sum = float64((sum + 1/float64(n)) * z)
	}
	return 2*s + float64(2*s*sum)
}

// Log returns the natural logarithm of a positive, finite, normal number, the same
// to the last bit on every machine and within three units in the last place.
func Log(x float64) float64 {
	bits := math.Float64bits(x)
	k := int(bits>>52) - 1023
	i := bits << 12 >> (64 - logBits)
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	c := logCentre[i]
	if i > 0 && c <= 1 {
		m, k = m/2, k+1
	}
	r := (m - c) / (m + c) // |r| < 1/128: four terms of artanh's series
	z := float64(r * r)
	p := float64(z * (1.0/3 + float64(z*(1.0/5+float64(z*(1.0/7))))))
	kf := float64(k)
	return float64(kf*ln2Hi) + (lnCentre[i] + (2*r + (float64(2*r*p) + float64(kf*ln2Lo))))
}

// Exp is e^x for −700 < x < 700, the same to the last bit on every machine.
func Exp(x float64) float64 {
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r := (x - float64(k*ln2Hi)) - float64(k*ln2Lo) // |r| < 0.35
	sum := 1.0
	for n := 16; n > 0; n-- {
		sum = 1 + float64(sum*r)/float64(n)
	}
	return float64(sum * math.Float64frombits(uint64(int64(k)+1023)<<52))
}
