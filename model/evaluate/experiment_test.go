package evaluate

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExperiment(t *testing.T) {
	table := &Table{Name: "t", Features: []string{"a", "b"}, Rows: []float32{1, 0, 2, 0, 3, 0, 4, 0}, Labels: []bool{false, true, false, true}}
	// the first feature is the score; with seed 2 it is the other way round
	var seeds []uint64
	score := func(rows []float32, dim int, seed uint64) ([]float64, error) {
		seeds = append(seeds, seed)
		scores := make([]float64, len(rows)/dim)
		for i := range scores {
			scores[i] = float64(rows[i*dim])
			if seed == 2 {
				scores[i] = -scores[i]
			}
		}
		return scores, nil
	}
	got, err := Experiment(table, 2, score)
	require.NoError(t, err)
	assert.Equal(t, []uint64{1, 2}, seeds)
	assert.Equal(t, 0.5, got.AUC, "mean of 3/4 and 1/4")
	assert.InDelta(t, 0.3535533905932738, got.AUCSD, 1e-15)
	assert.InDelta(t, ((1+2./3)/2+(1./2+2./4)/2)/2, got.AP, 1e-15)

	got, err = Experiment(table, 1, score)
	require.NoError(t, err)
	text, err := json.Marshal(Report{Tables: []TableResult{got}})
	require.NoError(t, err)
	assert.Equal(t, `{"tables":[{"table":"t","rows":4,"features":2,"anomalies":2,"auc":0.75,"auc_sd":0,"ap":0.8333333333333333}]}`, string(text))
}

func TestExperimentRefuses(t *testing.T) {
	table := &Table{Name: "t", Features: []string{"a"}, Rows: []float32{1, 2}, Labels: []bool{false, false}}
	broken := errors.New("broken")
	_, err := Experiment(table, 0, nil)
	assert.EqualError(t, err, "t: 0 seeds, want at least 1")
	_, err = Experiment(table, 1, func([]float32, int, uint64) ([]float64, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
	_, err = Experiment(table, 1, func([]float32, int, uint64) ([]float64, error) { return []float64{1, 2}, nil })
	assert.EqualError(t, err, "t: none of 2 rows is labelled an anomaly")
}
