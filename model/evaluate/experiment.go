package evaluate

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Scorer fits a detector to rows, dim numbers each, and returns the score of
// each of them. The same seed gives the same scores.
type Scorer func(rows []float32, dim int, seed uint64) ([]float64, error)

// TableResult is how well a table's anomalies were told from its other rows.
type TableResult struct {
	Table     string  `json:"table"`
	Rows      int     `json:"rows"`
	Features  int     `json:"features"`
	Anomalies int     `json:"anomalies"`
	AUC       float64 `json:"auc"`    // mean over the seeds
	AUCSD     float64 `json:"auc_sd"` // standard deviation over the seeds, 0 for a single one
	AP        float64 `json:"ap"`     // average precision, mean over the seeds
}

// Report is the results of several tables, as eval --table --json prints them.
type Report struct {
	Tables []TableResult `json:"tables"`
}

// Experiment returns the paper's (Liu, Ting, Zhou 2008, §5.1): the detector is
// fitted to the whole table without its labels, scores the same rows, and the
// labels say how well. It is repeated with the seeds 1, 2, … seeds.
func Experiment(t *Table, seeds int, score Scorer) (TableResult, error) {
	result := TableResult{
		Table:     t.Name,
		Rows:      len(t.Labels),
		Features:  len(t.Features),
		Anomalies: t.Anomalies(),
	}
	if seeds < 1 {
		return result, fmt.Errorf("%s: %d seeds, want at least 1", t.Name, seeds)
	}
	var aucs, aps []float64
	for seed := range uint64(seeds) {
		scores, err := score(t.Rows, len(t.Features), seed+1)
		if err != nil {
			return result, fmt.Errorf("%s: %w", t.Name, err)
		}
		ranking, err := Rank(scores, t.Labels)
		if err != nil {
			return result, fmt.Errorf("%s: %w", t.Name, err)
		}
		aucs = append(aucs, ranking.AUC())
		aps = append(aps, ranking.AveragePrecision())
	}
	result.AUC, result.AUCSD = stat.MeanStdDev(aucs, nil)
	if math.IsNaN(result.AUCSD) {
		result.AUCSD = 0
	}
	result.AP = stat.Mean(aps, nil)
	return result, nil
}
