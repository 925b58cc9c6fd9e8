package evaluate

// Each calls f for each different score, the strangest first, with how many
// anomalies and other rows have it.
func (r *Ranking) Each(f func(score float64, anomalies, others int)) {
	for _, p := range r.places {
		f(p.score, p.anomalies, p.others)
	}
}

// Recalled is a point of the precision-recall curve: of the anomalies the share
// Recall scores at least Threshold, and of the rows that do the share Precision
// are anomalies.
type Recalled struct{ Threshold, Recall, Precision float64 }

// PrecisionRecall returns the precision-recall curve, one point for each different
// score, the strangest first.
func (r *Ranking) PrecisionRecall() []Recalled {
	curve := make([]Recalled, len(r.places))
	for i, p := range r.places {
		curve[i] = Recalled{p.score, float64(p.anomaliesTo) / float64(r.anomalies), float64(p.anomaliesTo) / float64(p.anomaliesTo+p.othersTo)}
	}
	return curve
}
