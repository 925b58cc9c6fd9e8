package evaluate

import (
	"cmp"
	"slices"
)

// Found returns the share of anomalies found at a share of false alarms, and the
// AUC, over the seeds: scores[seed][row].
func Found(rows []Row, scores [][]float64, fpr float64) (found, auc Spread, err error) {
	labels := make([]bool, len(rows))
	for i := range rows {
		labels[i] = rows[i].Anomaly
	}
	var shares, aucs []float64
	for _, s := range scores {
		r, err := Rank(s, labels)
		if err != nil {
			return found, auc, err
		}
		shares, aucs = append(shares, r.At(fpr).TPR()), append(aucs, r.AUC())
	}
	return spread(shares), spread(aucs), nil
}

// Stability is, over all pairs of seeds, the share of the top rows by one
// seed's scores that are among the top rows by the other's. Equal scores are
// taken in the order of rows.
func Stability(scores [][]float64, top int) Spread {
	among := make([]map[int]bool, len(scores))
	for seed, s := range scores {
		order := make([]int, len(s))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s[b], s[a]) })
		among[seed] = map[int]bool{}
		for _, i := range order[:min(top, len(order))] {
			among[seed][i] = true
		}
	}
	var shares []float64
	for a := range among {
		for b := range a {
			both := 0
			for i := range among[a] {
				if among[b][i] {
					both++
				}
			}
			shares = append(shares, float64(both)/float64(max(1, len(among[a]))))
		}
	}
	return spread(shares)
}
