package evaluate

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Spread is a figure over the seeds.
type Spread struct {
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
}

func spread(values []float64) Spread {
	mean, sd := stat.MeanStdDev(values, nil)
	if math.IsNaN(sd) {
		sd = 0
	}
	return Spread{mean, sd}
}

// AtFPR is what is found when that share of the normal rows raises alarms.
type AtFPR struct {
	FPR         float64  `json:"fpr"`
	TPR         Spread   `json:"tpr"`
	Interval    Interval `json:"tpr_95"`       // of the first seed, by Wilson
	FalseAlarms int      `json:"false_alarms"` // rows behind it, first seed
	Threshold   float64  `json:"threshold"`    // first seed
	Rule        string   `json:"best_rule"`    // the best single-column rule in hindsight
	RuleTPR     float64  `json:"best_rule_tpr"`
}

// AtBudget is what is found when the threshold is set to so many alerts a day.
type AtBudget struct {
	PerDay float64 `json:"alerts_per_day"`
	Alerts int     `json:"alerts"` // over the days of these rows: no more can be found
	Found  Spread  `json:"tpr"`
	False  Spread  `json:"false_alarms_per_day"`
}

// Group is the figures for one group of rows: all, the established ones, one
// attack family against all normal rows.
type Group struct {
	Name      string     `json:"name"`
	Anomalies int        `json:"anomalies"`
	Normal    int        `json:"normal"`
	AUC       Spread     `json:"auc"`
	AUC95     Interval   `json:"auc_95"` // of the first seed, by bootstrap
	AP        Spread     `json:"ap"`
	Precision [2]Spread  `json:"precision_at_10_100"`
	At        []AtFPR    `json:"at"`
	Budgets   []AtBudget `json:"budgets,omitempty"`
	RuleAUC   float64    `json:"best_rule_auc"`
	Rule      string     `json:"best_rule"`

	First *Ranking `json:"-"` // of the first seed, for plots
}

// The figures that are always given.
var (
	falsePositiveRates = []float64{0.01, 0.001}
	alertBudgets       = []float64{5, 20, 100}
)

const bootstraps = 200

// Measure compares the scores of one or more seeds, scores[seed][row], with the
// rows' labels. days is the time that the rows span, or 0 if that says nothing.
func Measure(name string, rows []Row, scores [][]float64, rules []Rule, days float64) (Group, error) {
	g := Group{Name: name}
	labels := make([]bool, len(rows))
	for i := range rows {
		labels[i] = rows[i].Anomaly
	}
	rankings := make([]*Ranking, len(scores))
	for s := range scores {
		var err error
		if rankings[s], err = Rank(scores[s], labels); err != nil {
			return g, err
		}
	}
	over := func(metric func(*Ranking) float64) Spread {
		values := make([]float64, len(rankings))
		for s, r := range rankings {
			values[s] = metric(r)
		}
		return spread(values)
	}
	g.First = rankings[0]
	g.Anomalies, g.Normal = g.First.Anomalies(), g.First.Others()
	g.AUC = over((*Ranking).AUC)
	g.AUC95 = Bootstrap(g.First, bootstraps, 1, (*Ranking).AUC)
	g.AP = over((*Ranking).AveragePrecision)
	for i, k := range []int{10, 100} {
		g.Precision[i] = over(func(r *Ranking) float64 { return r.PrecisionAt(k) })
	}
	best, value, err := BestRule(rows, rules, (*Ranking).AUC)
	if err != nil {
		return g, err
	}
	g.Rule, g.RuleAUC = best.Name, value
	for _, fpr := range falsePositiveRates {
		tpr := func(r *Ranking) float64 { return r.At(fpr).TPR() }
		first := g.First.At(fpr)
		best, value, err := BestRule(rows, rules, tpr)
		if err != nil {
			return g, err
		}
		g.At = append(g.At, AtFPR{FPR: fpr, TPR: over(tpr), Interval: first.TPRInterval(),
			FalseAlarms: first.FalseAlarms, Threshold: first.Threshold, Rule: best.Name, RuleTPR: value})
	}
	if days > 0 {
		for _, perDay := range alertBudgets {
			n := int(math.Round(perDay * days))
			g.Budgets = append(g.Budgets, AtBudget{
				PerDay: perDay,
				Alerts: min(n, len(rows)),
				Found: over(func(r *Ranking) float64 {
					return r.PrecisionAt(n) * float64(min(n, len(rows))) / float64(r.Anomalies())
				}),
				False: over(func(r *Ranking) float64 { return (1 - r.PrecisionAt(n)) * float64(min(n, len(rows))) / days }),
			})
		}
	}
	return g, nil
}
