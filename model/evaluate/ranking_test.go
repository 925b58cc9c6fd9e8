package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/integrate"
	"gonum.org/v1/gonum/stat"
)

// tied has ties within and across the kinds. The figures that scikit-learn
// 1.2.1 gives for it are in the tests.
func tied(t *testing.T) *Ranking {
	t.Helper()
	labels := make([]bool, 14)
	for _, i := range []int{0, 1, 4, 6, 10} {
		labels[i] = true
	}
	r, err := Rank([]float64{9, 8, 8, 7, 7, 7, 6, 5, 5, 4, 3, 3, 2, 1}, labels)
	require.NoError(t, err)
	return r
}

func TestMetricsAreScikitLearns(t *testing.T) {
	r := tied(t)
	assert.Equal(t, []int{5, 9}, []int{r.Anomalies(), r.Others()})
	assert.InDelta(t, 0.7333333333333334, r.AUC(), 1e-15)
	assert.InDelta(t, 0.6309523809523809, r.AveragePrecision(), 1e-15)
	want := []Point{{math.Inf(1), 0, 0}, {9, 0, 1}, {8, 1, 2}, {7, 3, 3}, {6, 3, 4}, {5, 5, 4}, {4, 6, 4}, {3, 7, 5}, {2, 8, 5}, {1, 9, 5}}
	for i := range want {
		want[i].FPR /= 9
		want[i].TPR /= 5
	}
	assert.Equal(t, want, r.ROC())
}

func TestPrecisionAt(t *testing.T) {
	r := tied(t)
	tests := map[int]float64{
		-1: 0, 0: 0,
		1:  1,
		2:  (1 + 0.5) / 2, // the second place is shared by an anomaly and another row
		3:  2. / 3,
		4:  (2 + 1./3) / 4,
		6:  3. / 6,
		14: 5. / 14, 99: 5. / 14,
	}
	for k, want := range tests {
		assert.InDelta(t, want, r.PrecisionAt(k), 1e-15, "k = %d", k)
	}
}

func TestAt(t *testing.T) {
	r := tied(t)
	tests := []struct {
		fpr  float64
		want Detection
	}{
		{0, Detection{9, 1, 5, 0, 9}},
		{0.11, Detection{9, 1, 5, 0, 9}}, // less than one of nine
		{0.12, Detection{8, 2, 5, 1, 9}},
		{0.3, Detection{8, 2, 5, 1, 9}}, // the next two false alarms come together, and would be three
		{0.34, Detection{6, 4, 5, 3, 9}},
		{1, Detection{1, 5, 5, 9, 9}},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, r.At(tt.fpr), "FPR %v", tt.fpr)
	}
	d := r.At(0.34)
	assert.Equal(t, []float64{0.8, 3. / 9}, []float64{d.TPR(), d.FPR()})
	assert.Equal(t, Wilson(4, 5), d.TPRInterval())

	all, err := Rank([]float64{2, 1}, []bool{false, true})
	require.NoError(t, err)
	assert.Equal(t, Detection{math.Inf(1), 0, 1, 0, 1}, all.At(0.5), "nothing can be called")
}

// AUC by its definition, average precision by its, ROC by gonum.
func TestMetricsFollowTheirDefinitions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		n := 2 + random.IntN(200)
		scores, labels := make([]float64, n), make([]bool, n)
		for i := range scores {
			scores[i] = float64(random.IntN(1 + n/3))
			labels[i] = random.IntN(4) == 0
		}
		labels[0], labels[1] = true, false
		r, err := Rank(scores, labels)
		require.NoError(t, err)

		wins, precisions, anomalies := 0.0, 0.0, 0
		for i := range n {
			if !labels[i] {
				continue
			}
			anomalies++
			atLeast, found := 0, 0
			for j := range n {
				if scores[j] >= scores[i] {
					atLeast++
					if labels[j] {
						found++
					}
				}
				if labels[j] {
					continue
				}
				if scores[i] > scores[j] {
					wins++
				} else if scores[i] == scores[j] {
					wins += 0.5
				}
			}
			precisions += float64(found) / float64(atLeast)
		}
		require.InDelta(t, wins/float64(anomalies)/float64(n-anomalies), r.AUC(), 1e-12)
		require.InDelta(t, precisions/float64(anomalies), r.AveragePrecision(), 1e-12)

		sorted, sortedLabels := slices.Clone(scores), slices.Clone(labels)
		stat.SortWeightedLabeled(sorted, sortedLabels, nil)
		tpr, fpr, thresholds := stat.ROC(nil, sorted, sortedLabels, nil)
		require.InDelta(t, integrate.Trapezoidal(fpr, tpr), r.AUC(), 1e-12)
		curve := r.ROC()
		require.Len(t, curve, len(thresholds))
		for i, p := range curve {
			require.Equal(t, thresholds[i], p.Threshold)
			require.InDelta(t, fpr[i], p.FPR, 1e-12)
			require.InDelta(t, tpr[i], p.TPR, 1e-12)
		}
	}
}

func TestRankRefuses(t *testing.T) {
	tests := []struct {
		scores []float64
		labels []bool
		want   string
	}{
		{[]float64{1}, nil, "1 scores with 0 labels"},
		{nil, nil, "none of 0 rows is labelled an anomaly"},
		{[]float64{1, 2}, []bool{false, false}, "none of 2 rows is labelled an anomaly"},
		{[]float64{1, 2}, []bool{true, true}, "all of 2 rows are labelled anomalies"},
		{[]float64{1, math.NaN()}, []bool{true, false}, "score of row 1 is not a number"},
	}
	for _, tt := range tests {
		_, err := Rank(tt.scores, tt.labels)
		assert.EqualError(t, err, tt.want)
	}
}

// scipy 1.10.1: binomtest(k, n).proportion_ci(method='wilson')
func TestWilson(t *testing.T) {
	tests := []struct {
		k, n int
		want Interval
	}{
		{8, 10, Interval{0.4901624715366418, 0.9433178485456248}},
		{0, 5, Interval{0, 0.43448246478317476}},
		{5, 5, Interval{0.5655175352168251, 1}},
		{1, 1000, Interval{0.00017654637062607809, 0.0056425585979579355}},
		{0, 0, Interval{0, 1}},
	}
	for _, tt := range tests {
		got := Wilson(tt.k, tt.n)
		assert.InDelta(t, tt.want.Low, got.Low, 1e-12, "%d of %d", tt.k, tt.n)
		assert.InDelta(t, tt.want.High, got.High, 1e-12, "%d of %d", tt.k, tt.n)
	}
}

// The interval holds the true AUC about 95 times of 100: for normal scores a
// distance d apart it is Φ(d/√2).
func TestBootstrapHoldsTheTruth(t *testing.T) {
	const truth = 0.7602499389065233 // Φ(1/√2)
	random := rand.New(rand.NewPCG(4, 4))
	held := 0
	for round := range 200 {
		scores, labels := make([]float64, 150), make([]bool, 150)
		for i := range scores {
			scores[i] = random.NormFloat64()
			if labels[i] = i < 50; labels[i] {
				scores[i]++
			}
		}
		r, err := Rank(scores, labels)
		require.NoError(t, err)
		interval := Bootstrap(r, 200, uint64(round), (*Ranking).AUC)
		require.Less(t, interval.Low, r.AUC())
		require.Greater(t, interval.High, r.AUC())
		if interval.Low <= truth && truth <= interval.High {
			held++
		}
	}
	assert.GreaterOrEqual(t, held, 180)
	assert.LessOrEqual(t, held, 199)
}

func TestBootstrapIsSeeded(t *testing.T) {
	r := tied(t)
	a := Bootstrap(r, 100, 1, (*Ranking).AveragePrecision)
	assert.Equal(t, a, Bootstrap(r, 100, 1, (*Ranking).AveragePrecision))
	assert.NotEqual(t, a, Bootstrap(r, 100, 2, (*Ranking).AveragePrecision))
	assert.InDelta(t, 0.7333333333333334, r.AUC(), 1e-15, "the ranking itself is untouched")
}
