package evaluate

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStability(t *testing.T) {
	same := Stability([][]float64{{1, 5, 4, 2}, {0, 9, 7, 1}}, 2)
	require.Equal(t, Spread{Mean: 1}, same)
	half := Stability([][]float64{{1, 5, 4, 2}, {8, 9, 7, 1}}, 2)
	require.Equal(t, 0.5, half.Mean)
	three := Stability([][]float64{{1, 2, 3}, {3, 2, 1}, {1, 2, 3}}, 1)
	require.InDelta(t, 1./3, three.Mean, 1e-12, "one pair of three agrees")
}

func TestFound(t *testing.T) {
	rows := []Row{{Anomaly: true}, {Anomaly: true}, {}, {}}
	found, auc, err := Found(rows, [][]float64{{9, 8, 7, 6}, {9, 5, 7, 6}}, 0.1)
	require.NoError(t, err)
	require.Equal(t, 0.75, found.Mean, "both, then one")
	require.Equal(t, 0.75, auc.Mean)
	_, _, err = Found(rows[:2], [][]float64{{1, 2}}, 0.1)
	require.Error(t, err)
}
