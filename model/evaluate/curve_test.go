package evaluate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrecisionRecall(t *testing.T) {
	r, err := Rank([]float64{4, 3, 3, 2, 1}, []bool{true, true, false, false, true})
	require.NoError(t, err)
	require.Equal(t, []Recalled{
		{4, 1. / 3, 1},
		{3, 2. / 3, 2. / 3},
		{2, 2. / 3, 2. / 4},
		{1, 1, 3. / 5},
	}, r.PrecisionRecall())

	var scores []float64
	anomalies, others := 0, 0
	r.Each(func(score float64, a, o int) {
		scores = append(scores, score)
		anomalies += a
		others += o
	})
	require.Equal(t, []float64{4, 3, 2, 1}, scores)
	require.Equal(t, 3, anomalies)
	require.Equal(t, 2, others)
}
