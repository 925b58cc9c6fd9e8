package forest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAverageLengths(t *testing.T) {
	c := averageLengths(Harmonic, 1<<16)
	// by hand: c(3) = 2(1 + 1/2) − 2·2/3, and so on
	for n, want := range map[int]float64{0: 0, 1: 0, 2: 1, 3: 5. / 3, 4: 13. / 6} {
		assert.InDelta(t, want, float64(c[n])/(1<<fraction), 0x1p-23, "c(%d)", n)
	}
	for _, n := range []int{5, 16, 256, 1000, 1 << 16} {
		assert.InDelta(t, slowC(n), float64(c[n])/(1<<fraction), 0x1p-22, "c(%d)", n)
	}
	assert.InDelta(t, 10.2487, float64(c[256])/(1<<fraction), 5e-5)
}

func TestExp2(t *testing.T) {
	for i := range 100_000 {
		x := -float64(i) / 4001
		want := math.Exp2(x)
		assert.InEpsilon(t, want, exp2(x), 5e-16, "2^%v", x)
	}
	assert.Equal(t, 1.0, exp2(0))
	assert.Equal(t, 0.5, exp2(-1))
	assert.Equal(t, 0.25, exp2(-2))
}

func TestScoreFollowsThePaper(t *testing.T) {
	f := frozenForest(t)
	// §2.3: s → 1 as E(h) → 0, s = 0.5 for E(h) = c(ψ), s → 0 as E(h) → ψ − 1
	assert.Equal(t, 1.0, f.Score(0))
	assert.Equal(t, 0.5, f.Score(f.AverageLength()))
	assert.Less(t, f.Score(255), 1e-7)
	assert.Positive(t, f.Score(255))
}

// Neither an ulp nor two of the logarithm move c(n) to another unit.
func TestEstimatedLengthsDoNotDependOnTheLogarithm(t *testing.T) {
	c := averageLengths(Estimated, MaxSubsample)
	assert.Equal(t, []uint32{0, 0, 1 << fraction}, c[:3])
	assert.InDelta(t, 10.2448, float64(c[256])/(1<<fraction), 5e-5)
	least := 1.0
	for n := 3; n <= MaxSubsample; n++ {
		units := estimated(n) * (1 << fraction)
		least = min(least, math.Abs(units-math.Floor(units)-0.5))
	}
	t.Logf("the nearest to a half unit is %.1e units off", least)
	assert.Greater(t, least, 6e-8) // 28 edges of 2^22 units in doubles: 1.5e-8 an ulp
}
