package learn

import (
	"fmt"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

// The test that a new model must pass to take the place of the old one.
const (
	// Of the held-back rows that are the strangest twentieth for the old model,
	// half must be among the strangest fifth for the new one; two models that
	// know nothing of each other agree on a fifth of them.
	strangest     = 1.0 / 20
	stillStrange  = 1.0 / 5
	leastAgreed   = 1.0 / 2
	leastHeldBack = 200
	// A hundredth of the rows should be the strangest hundredth; a model for
	// which many more are has not seen what comes now.
	strangeRank = 0.01
	mostStrange = 0.05
	// What was worth an alert must be among the strangest fiftieth still, for
	// half of the alerts, if there are enough to say; of what is labelled bad,
	// whatever is for the old model. Two models of the same traffic differ by so
	// much: of alerts of one (1 in 1,000) the next found 28 % less strange than 1 in
	// 200, but 7 % less than 1 in 50.
	alertRank   = 0.001
	stillRank   = 0.02
	leastAlerts = 8
	maxAlerts   = 256
	// After that much of refusing, what is here is what is normal here, unless it
	// is labelled bad: somebody has looked at it.
	longestRefusal = 7 * day

	comparedPerStep = 24
)

// alerts are the latest rows of each kind of connection that the model found
// strangest.
type alerts struct {
	table *recent.Table[uint64]
	rows  *samples
	hosts [maxAlerts]uint32 // of the originators; 0 is not known
}

func newAlerts(set *feature.Set) *alerts {
	return &alerts{table: recent.New[uint64](maxAlerts), rows: newSamples(set, maxAlerts)}
}

func (a *alerts) add(r *feature.Row) {
	place, _ := a.table.Use(r.Cell)
	a.rows.put(place, &r.Sample)
	a.hosts[place] = r.Host
}

// each gives f the alerts, the earliest first.
func (a *alerts) each(f func(cell uint64, host uint32, s *feature.Sample)) {
	at := a.table.Oldest()
	for range a.table.Len() {
		s := a.rows.at(at)
		f(a.table.Key(at), a.hosts[at], &s)
		at = a.table.Newer(at)
	}
}

// Refused says why a new model did not take the place of the old one.
type Refused struct {
	Reason string
	bad    bool // for what is labelled bad
}

func (r *Refused) Error() string { return "model refused: " + r.Reason }

// trial compares a new model with the old one, some rows a step.
type trial struct {
	now, next *model.Model
	held      int // rows compared
	alerts    int

	nowPath, nextPath       []float64 // of the rows compared
	strangeNow, strangeNext int
	still                   int
	labelled, lost          int // rows labelled bad that were compared; of them, no longer strange
}

// step compares some more rows; done says that there are none left.
func (t *trial) step(p *past, a *alerts, bad *labelledRows) (done bool) {
	for range comparedPerStep {
		switch {
		case t.held < p.heldBack.n:
			s := p.heldBack.at(t.held)
			now, next := path(t.now, &s), path(t.next, &s)
			t.held++
			t.nowPath, t.nextPath = append(t.nowPath, now), append(t.nextPath, next)
			if t.now.Rank(now) <= strangeRank {
				t.strangeNow++
			}
			if t.next.Rank(next) <= strangeRank {
				t.strangeNext++
			}
		case t.alerts < a.table.Len():
			s := a.rows.at(t.alerts)
			next := path(t.next, &s)
			t.alerts++
			if t.next.Rank(next) <= stillRank {
				t.still++
			}
		case t.labelled < len(bad.of):
			s := bad.rows.at(t.labelled)
			t.labelled++
			if t.now.Rank(path(t.now, &s)) <= stillRank && t.next.Rank(path(t.next, &s)) > stillRank {
				t.lost++
			}
		default:
			return true
		}
	}
	return false
}

func path(m *model.Model, s *feature.Sample) float64 {
	var v feature.Vector
	m.Encoder().Finish(&v, s)
	return m.Forest().MeanPath(v[:])
}

// agreed returns the share of the rows strangest for the old model that the new one
// finds strange too.
func (t *trial) agreed() float64 {
	shortest := func(paths []float64, share float64) float64 {
		sorted := slices.Sorted(slices.Values(paths))
		return sorted[int(share*float64(len(sorted)))]
	}
	now, next := shortest(t.nowPath, strangest), shortest(t.nextPath, stillStrange)
	var of, both float64
	for i := range t.nowPath {
		if t.nowPath[i] <= now {
			of++
			if t.nextPath[i] <= next {
				both++
			}
		}
	}
	return both / of
}

// verdict is nil if the new model passes.
func (t *trial) verdict() *Refused {
	if t.lost > 0 {
		return &Refused{Reason: fmt.Sprintf("it finds %d of %d kinds of connection that are labelled bad less strange than 1 in %.0f; no such model is taken before those labels are taken out", t.lost, t.labelled, 1/stillRank), bad: true}
	}
	if n := float64(t.held); t.held >= leastHeldBack {
		if agreed := t.agreed(); agreed < leastAgreed {
			return &Refused{Reason: fmt.Sprintf("it agrees on %.0f %% of the strangest of %d held-back connections, at least %.0f %% is wanted", 100*agreed, t.held, 100*leastAgreed)}
		}
		now, next := float64(t.strangeNow)/n, float64(t.strangeNext)/n
		if next > max(mostStrange, 2*now) {
			return &Refused{Reason: fmt.Sprintf("it finds %.0f %% of %d held-back connections strange, the old one %.0f %%", 100*next, t.held, 100*now)}
		}
	}
	if t.alerts >= leastAlerts && 2*t.still < t.alerts {
		return &Refused{Reason: fmt.Sprintf("it finds only %d of the last %d kinds of alert strange", t.still, t.alerts)}
	}
	return nil
}
