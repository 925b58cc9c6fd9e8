package evaluate

import (
	"math"
	"math/rand/v2"
	"sort"
)

// Interval is a 95 % confidence interval.
type Interval struct{ Low, High float64 }

// z is the two-sided 95 % point of the normal distribution.
const z = 1.959963984540054

// Wilson returns the interval of a share of which k of n were seen (Wilson 1927).
// It stays inside [0, 1] and makes sense for 0 of n too. For n = 0 it is
// [0, 1]: nothing is known.
func Wilson(k, n int) Interval {
	if n == 0 {
		return Interval{0, 1}
	}
	p, m := float64(k)/float64(n), float64(n)
	middle := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return Interval{max(0, middle-half), min(1, middle+half)}
}

// Bootstrap returns the interval of any metric: that of the middle 95 % of its
// values when rows are drawn anew with replacement, anomalies and others each
// as often as there are, for so many rounds. The same seed gives the same
// interval. It treats rows as independent, which connections are not: the true
// interval is wider.
func Bootstrap(r *Ranking, rounds int, seed uint64, metric func(*Ranking) float64) Interval {
	random := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, rounds)
	drawn := &Ranking{places: make([]place, len(r.places)), anomalies: r.anomalies, others: r.others}
	for i := range values {
		for j, p := range r.places {
			drawn.places[j] = place{score: p.score}
		}
		for range r.anomalies {
			n := random.IntN(r.anomalies) // the place of the n-th anomaly
			drawn.places[sort.Search(len(r.places), func(j int) bool { return r.places[j].anomaliesTo > n })].anomalies++
		}
		for range r.others {
			n := random.IntN(r.others)
			drawn.places[sort.Search(len(r.places), func(j int) bool { return r.places[j].othersTo > n })].others++
		}
		anomalies, others := 0, 0
		for j := range drawn.places {
			p := &drawn.places[j]
			anomalies += p.anomalies
			others += p.others
			p.anomaliesTo, p.othersTo = anomalies, others
		}
		values[i] = metric(drawn)
	}
	sort.Float64s(values)
	at := func(share float64) float64 { return values[int(math.Round(share*float64(rounds-1)))] }
	return Interval{at(0.025), at(0.975)}
}
