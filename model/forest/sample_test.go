package forest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSampleIsWithoutReplacementAndUniform(t *testing.T) {
	const n, k, rounds = 20, 5, 40_000
	var s Sampler
	var times [n]int
	sample := make([]int32, k)
	for tree := range rounds {
		s.Draw(sample, n, 7, tree)
		seen := map[int32]bool{}
		for _, row := range sample {
			require.False(t, seen[row], "row %d twice", row)
			seen[row] = true
			times[row]++
		}
	}
	// each row is expected in rounds·k/n samples; sd = sqrt(rounds·¼·¾) ≈ 87
	for row, got := range times {
		assert.InDelta(t, rounds*k/n, got, 5*87, "row %d", row)
	}
}

func TestSampleOfAllRows(t *testing.T) {
	sample := make([]int32, 130)
	new(Sampler).Draw(sample, 130, 1, 0)
	seen := map[int32]bool{}
	for _, row := range sample {
		seen[row] = true
	}
	assert.Len(t, seen, 130)
}

// A draw leaves nothing behind, also when the tables differ in size.
func TestSamplerForgets(t *testing.T) {
	var used Sampler
	got, want := make([]int32, 64), make([]int32, 64)
	used.Draw(got, 100_000, 3, 0)
	used.Draw(got, 100, 3, 1)
	new(Sampler).Draw(want, 100, 3, 1)
	assert.Equal(t, want, got)
}
