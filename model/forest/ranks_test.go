package forest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// A rank is what counting says, for thresholds however they lie and for values
// at them, beside them and beyond.
func TestRanksCountThresholds(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 17))
	inf := float32(math.Inf(1))
	const largest = math.MaxFloat32
	some := func(n int, one func() float32) []float32 {
		thresholds := make([]float32, n)
		for i := range thresholds {
			thresholds[i] = one()
		}
		return thresholds
	}
	even := map[bool]int{}
	for name, thresholds := range map[string][]float32{
		"one":              {3},
		"one, zero":        {0},
		"the largest":      {-largest, largest},
		"the same":         some(300, func() float32 { return 1.5 }),
		"a crowd":          append(some(3000, func() float32 { return 2 + random.Float32()/1e5 }), 1e30),
		"logarithms":       some(700, func() float32 { return float32(12 * random.NormFloat64()) }),
		"around zero":      some(200, func() float32 { return random.Float32() - 0.5 }),
		"neighbours":       {1, math.Nextafter32(1, 2), math.Nextafter32(1, 0)},
		"far from zero":    {1e9, 1e9 + 64, 1e9 + 128},
		"all tiny":         some(100, func() float32 { return math.Float32frombits(random.Uint32N(1 << 24)) }),
		"tiny below zero":  some(100, func() float32 { return -math.Float32frombits(random.Uint32N(1<<24) + 1) }),
		"one cell for all": append(some(100, func() float32 { return random.Float32() }), -1e9, 1e9),
	} {
		t.Run(name, func(t *testing.T) {
			slices.Sort(thresholds)
			keys := make([]uint64, len(thresholds))
			x := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, largest, -largest, 1e-45, -1e-45}
			for i, threshold := range thresholds {
				keys[i] = uint64(key(threshold)) << 32
				x = append(x, threshold, math.Nextafter32(threshold, inf), math.Nextafter32(threshold, -inf))
			}
			features := make([]sortedSplits, 2) // so that the rank is not the only one in its word
			features[0].set(keys, 0)
			features[1].set(keys, 0)
			even[features[0].even]++
			words := packing(features)
			for len(x) > 0 {
				n := min(len(x), sliceRows)
				packed := make([]uint64, n*words)
				features[0].rank(packed, x[:n], 1, words)
				features[1].rank(packed, x[:n], 1, words)
				for i, v := range x[:n] {
					want := 0
					for _, threshold := range thresholds {
						if threshold <= v {
							want++
						}
					}
					for _, f := range features {
						require.EqualValues(t, want, packed[i*words+f.word]>>f.at&f.mask, "rank of %v", v)
					}
				}
				x = x[n:]
			}
		})
	}
	require.Len(t, even, 2, "both kinds of numbers are tested")
}
