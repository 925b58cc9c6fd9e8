package calibrate

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWidthFor(t *testing.T) {
	assert.Equal(t, 0x1p-8, WidthFor(10.2487), "ψ = 256")
	assert.Equal(t, 0x1p-9, WidthFor(4.7615), "ψ = 16")
	assert.Equal(t, 0x1p-12, WidthFor(1.0/1.5))
	for _, c := range []float64{1, 2.3, 7.4878, 10.2487, 26.8} {
		w := WidthFor(c)
		assert.True(t, isPowerOfTwo(w))
		assert.GreaterOrEqual(t, w*Bins, 1.5*c)
		assert.Less(t, w*Bins, 3*c)
	}
}

func TestRank(t *testing.T) {
	h := NewHistogram(0x1p-8)
	for _, path := range []float64{3, 5, 5, 7.5, 12, 1000, math.Inf(1), -1, math.NaN()} {
		h.Add(path)
	}
	c, err := h.Curve()
	require.NoError(t, err)
	assert.EqualValues(t, 9, c.Rows())
	tests := []struct {
		path   float64
		atMost int // rows, this one included
	}{
		{-5, 3}, {0, 3}, {2.99, 3}, // −1 and NaN are in the first bin
		{3, 4}, {4.99, 4},
		{5, 6}, {7.4, 6},
		{7.5, 7}, {11, 7},
		{12, 8}, {15.9, 8},
		{16, 10}, {1e300, 10}, {math.Inf(1), 10},
	}
	for _, tt := range tests {
		assert.Equal(t, float64(tt.atMost)/10, c.Rank(tt.path), "path %v", tt.path)
	}
}

// A bin is narrow enough that the curve's rank is nearly that of sorted paths.
func TestRankAgreesWithSortedPaths(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	h := NewHistogram(WidthFor(10.2487))
	paths := make([]float64, 20_000)
	for i := range paths {
		paths[i] = 11 - 1.3*random.ExpFloat64()
		h.Add(paths[i])
	}
	c, err := h.Curve()
	require.NoError(t, err)
	for _, path := range paths[:1000] {
		least, most := 1, 1
		for _, p := range paths {
			if p <= path {
				least++
			}
			if p < path+0x1p-8 {
				most++
			}
		}
		rank := c.Rank(path)
		require.GreaterOrEqual(t, rank, float64(least)/20_001)
		require.LessOrEqual(t, rank, float64(most)/20_001)
	}
}

func TestThresholdIsTheInverseOfRank(t *testing.T) {
	h := NewHistogram(0x1p-8)
	for i := range 1000 {
		h.Add(4 + float64(i)/200)
	}
	c, err := h.Curve()
	require.NoError(t, err)
	for _, share := range []float64{0.001, 0.0137, 0.1, 0.5, 0.999} {
		path := c.Threshold(share)
		assert.LessOrEqual(t, c.Rank(path-1e-9), share)
		assert.Greater(t, c.Rank(path), share)
	}
	assert.Equal(t, 4.0, c.Threshold(0.001), "no row is more unusual than the first")
	assert.Equal(t, 0.0, c.Threshold(0.0005), "not even the shortest path is that unusual")
	assert.Equal(t, math.Inf(1), c.Threshold(1))
}

func TestOneIn(t *testing.T) {
	assert.EqualValues(t, 1, OneIn(1))
	assert.EqualValues(t, 2, OneIn(0.5))
	assert.EqualValues(t, 12001, OneIn(1.0/12001))
}

func TestCountsRebuildTheCurve(t *testing.T) {
	h := NewHistogram(0x1p-9)
	for i := range 5000 {
		h.Add(float64(i*i%97) / 7)
	}
	want, err := h.Curve()
	require.NoError(t, err)
	got, err := NewCurve(want.Counts())
	require.NoError(t, err)
	assert.Equal(t, want, got)

	before := want.Rank(3)
	h.Add(3)
	assert.Equal(t, before, want.Rank(3), "a frozen curve does not follow its histogram")
}

func TestNewCurveRefuses(t *testing.T) {
	good := make([]uint32, Bins)
	good[7] = 1
	tests := []struct {
		name   string
		width  float64
		counts []uint32
		want   string
	}{
		{"no rows", 0x1p-8, make([]uint32, Bins), "calibration: no rows"},
		{"bins missing", 0x1p-8, good[:99], "calibration: 99 bins, want 4096"},
		{"odd width", 0.3, good, "calibration: bins of width 0.3, want a power of two from 2^-20 to 1"},
		{"width zero", 0, good, "calibration: bins of width 0, want a power of two from 2^-20 to 1"},
		{"width negative", -0.5, good, "calibration: bins of width -0.5, want a power of two from 2^-20 to 1"},
		{"width NaN", math.NaN(), good, "calibration: bins of width NaN, want a power of two from 2^-20 to 1"},
		{"width infinite", math.Inf(1), good, "calibration: bins of width +Inf, want a power of two from 2^-20 to 1"},
		{"width tiny", 0x1p-21, good, "calibration: bins of width 4.76837158203125e-07, want a power of two from 2^-20 to 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewCurve(tt.width, tt.counts)
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestCountsDoNotWrap(t *testing.T) {
	h := NewHistogram(1)
	h.counts[3] = math.MaxUint32
	h.Add(3)
	assert.EqualValues(t, uint32(math.MaxUint32), h.counts[3])
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	h := NewHistogram(0x1p-8)
	h.Add(1)
	c, err := h.Curve()
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(1000, func() { h.Add(5) }))
	assert.Zero(t, testing.AllocsPerRun(1000, func() { c.Rank(5) }))
}
