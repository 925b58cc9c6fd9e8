package feature

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// ulps is the distance between two finite numbers of one sign, in units in the
// last place.
func ulps(a, b float64) uint64 {
	x, y := math.Float64bits(a), math.Float64bits(b)
	if x > y {
		return x - y
	}
	return y - x
}

func TestLogIsCloseToMathLog(t *testing.T) {
	require.Zero(t, Log(1))
	r := rand.New(rand.NewPCG(1, 2))
	var worst uint64
	for i := range 2_000_000 {
		x := Exp(r.Float64()*1400 - 700)
		switch i % 4 {
		case 1:
			x = 1 + float64(r.Uint64N(1<<40))
		case 2:
			x = 1 + (r.Float64()-0.5)/16 // where the result is small
		case 3:
			x = float64(r.Uint64N(1<<40))/1e6 + 1e-4
		}
		if x == 1 {
			continue
		}
		d := ulps(Log(x), math.Log(x))
		if d > worst {
			worst = d
		}
		if d > 3 {
			require.Failf(t, "far from math.Log", "Log(%v) = %v, want %v: %d ulp", x, Log(x), math.Log(x), d)
		}
	}
	t.Logf("worst distance from math.Log: %d ulp", worst)
}

// Log never falls as its argument grows, so a larger count never has a smaller
// feature; float32 hides the last bits, so it is tested there.
func TestLogIsMonotoneInFloat32(t *testing.T) {
	last := float32(-12)
	for n := range uint64(3_000_000) {
		got := float32(Log(float64(n) + 1))
		if got < last {
			require.Failf(t, "falls", "at %d", n)
		}
		last = got
	}
}

func TestExpIsCloseToMathExp(t *testing.T) {
	require.Equal(t, 1.0, Exp(0))
	r := rand.New(rand.NewPCG(3, 4))
	for range 500_000 {
		x := r.Float64()*1400 - 700
		if d := math.Abs(Exp(x)/math.Exp(x) - 1); d > 1e-15 {
			require.Failf(t, "far from math.Exp", "Exp(%v): %v", x, d)
		}
	}
	for range 500_000 {
		x := -r.Float64() // where scores are
		if d := ulps(Exp(x), math.Exp(x)); d > 3 {
			require.Failf(t, "far from math.Exp", "Exp(%v): %d ulp", x, d)
		}
	}
}

// The bits themselves: a change would change scores, and the same test runs on
// the other architecture.
func TestLogBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var sum uint64
	for range 100_000 {
		x := Exp(float64(r.Float64()*80) - 9)
		sum = sum*31 + math.Float64bits(Log(x))
	}
	require.Equal(t, uint64(0xdfc10aae2447bd97), sum)
}

func BenchmarkLog(b *testing.B) {
	x, sum := 1.5, 0.0
	for b.Loop() {
		sum += Log(x)
		x += 17.25
	}
	if math.IsNaN(sum) {
		b.Fatal(sum)
	}
}
