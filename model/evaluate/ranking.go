// Package evaluate measures scores against labels. It knows scores, not
// forests, and is never part of the sensor. A higher score is stranger.
package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Ranking is the labelled rows from the strangest to the most usual. Rows of
// equal score share a place: no metric depends on their order.
type Ranking struct {
	places    []place
	anomalies int
	others    int
}

// place counts the rows of one score, and all rows down to it.
type place struct {
	score                 float64
	anomalies, others     int
	anomaliesTo, othersTo int
}

// Rank ranks rows by their scores; labels[i] says whether row i is an anomaly.
// It fails for scores that are NaN and where either kind of row is missing,
// since no metric means anything then.
func Rank(scores []float64, labels []bool) (*Ranking, error) {
	if len(scores) != len(labels) {
		return nil, fmt.Errorf("%d scores with %d labels", len(scores), len(labels))
	}
	order := make([]int, len(scores))
	for i, s := range scores {
		if math.IsNaN(s) {
			return nil, fmt.Errorf("score of row %d is not a number", i)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	r := &Ranking{}
	for _, i := range order {
		if n := len(r.places); n == 0 || r.places[n-1].score != scores[i] {
			r.places = append(r.places, place{score: scores[i]})
		}
		p := &r.places[len(r.places)-1]
		if labels[i] {
			p.anomalies++
			r.anomalies++
		} else {
			p.others++
			r.others++
		}
		p.anomaliesTo, p.othersTo = r.anomalies, r.others
	}
	switch {
	case r.anomalies == 0:
		return nil, fmt.Errorf("none of %d rows is labelled an anomaly", len(scores))
	case r.others == 0:
		return nil, fmt.Errorf("all of %d rows are labelled anomalies", len(scores))
	}
	return r, nil
}

// Anomalies and Others are the numbers of rows of either kind.
func (r *Ranking) Anomalies() int { return r.anomalies }

// Others returns the number of rows that are not anomalies.
func (r *Ranking) Others() int { return r.others }

// AUC returns the area under the ROC curve: the chance that an anomaly drawn at
// random is stranger than another row drawn at random, a tie counting half.
func (r *Ranking) AUC() float64 {
	twice := 0.0
	for _, p := range r.places {
		twice += float64(p.others) * float64(2*p.anomaliesTo-p.anomalies)
	}
	return twice / 2 / float64(r.anomalies) / float64(r.others)
}

// AveragePrecision returns the mean, over the anomalies, of the precision at the
// place of each: the area under the precision-recall curve as steps, not
// interpolated.
func (r *Ranking) AveragePrecision() float64 {
	sum := 0.0
	for _, p := range r.places {
		if p.anomalies > 0 {
			sum += float64(p.anomalies) * float64(p.anomaliesTo) / float64(p.anomaliesTo+p.othersTo)
		}
	}
	return sum / float64(r.anomalies)
}

// Point is a point of the ROC curve: calling everything that scores at least
// Threshold an anomaly finds TPR of the anomalies and FPR of the other rows.
type Point struct{ Threshold, FPR, TPR float64 }

// ROC returns the ROC curve from (0, 0), whose threshold is +Inf, to (1, 1), one
// point for each different score.
func (r *Ranking) ROC() []Point {
	curve := make([]Point, 1, len(r.places)+1)
	curve[0].Threshold = math.Inf(1)
	for _, p := range r.places {
		curve = append(curve, Point{p.score, float64(p.othersTo) / float64(r.others), float64(p.anomaliesTo) / float64(r.anomalies)})
	}
	return curve
}

// PrecisionAt returns the share of anomalies among the k strangest rows. Where the
// k-th row's place holds more rows than are wanted, they count by their
// average. k is limited to the number of rows; 0 gives 0.
func (r *Ranking) PrecisionAt(k int) float64 {
	k = min(k, r.anomalies+r.others)
	if k <= 0 {
		return 0
	}
	found, left := 0.0, k
	for _, p := range r.places {
		rows := p.anomalies + p.others
		if rows >= left {
			found += float64(p.anomalies) * float64(left) / float64(rows)
			break
		}
		found += float64(p.anomalies)
		left -= rows
	}
	return found / float64(k)
}

// Detection is what a threshold finds, and how many rows stand behind it.
type Detection struct {
	Threshold   float64 // score from which a row is called an anomaly; +Inf calls none
	Found       int     // anomalies called
	Anomalies   int     // in all
	FalseAlarms int     // other rows called
	Others      int     // in all
}

// At returns the detection of the most anomalies for which at most the share fpr of
// the other rows are called.
func (r *Ranking) At(fpr float64) Detection {
	d := Detection{Threshold: math.Inf(1), Anomalies: r.anomalies, Others: r.others}
	for _, p := range r.places {
		if float64(p.othersTo) > fpr*float64(r.others) {
			break
		}
		d.Threshold, d.Found, d.FalseAlarms = p.score, p.anomaliesTo, p.othersTo
	}
	return d
}

// TPR returns the share of the anomalies that were found.
func (d Detection) TPR() float64 { return float64(d.Found) / float64(d.Anomalies) }

// TPRInterval returns the 95 % interval of TPR, with the threshold held fixed.
func (d Detection) TPRInterval() Interval { return Wilson(d.Found, d.Anomalies) }

// FPR returns the share of the other rows that were called.
func (d Detection) FPR() float64 { return float64(d.FalseAlarms) / float64(d.Others) }
