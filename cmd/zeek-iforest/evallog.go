package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// logEval measures scores on labelled logs.
type logEval struct {
	kind    *logKind // of the logs, nil for conn.log
	labels  labelFlags
	perDay  float64  // the budget for campaigns
	model   string   // -m
	train   []string // logs whose normal rows a model is made of, for each seed
	attacks []string // logs whose rows are all anomalies
	avoid   []string // columns that the single-column rules leave out
	seeds   int
	folds   int // --cv
	learn   func(*feature.Set) (learn.Options, error)

	rows    []evaluate.Row // that were scored, for the page
	average float64        // c(ψ) of the models: what turns a path length into a score
}

// logReport is what eval prints of labelled logs.
type logReport struct {
	Rows      int              `json:"rows"`
	LeftOut   int              `json:"left_out"`
	Seeds     int              `json:"seeds"`
	Trained   int              `json:"trained_on,omitempty"`
	Folds     int              `json:"folds,omitempty"`
	Groups    []evaluate.Group `json:"groups"`
	Campaigns []campaignsFound `json:"campaigns,omitempty"` // by seed
}

func (e *logEval) run(s *session, files []string) (*logReport, error) {
	if err := e.check(); err != nil {
		return nil, err
	}
	var m *model.Model
	if e.model != "" {
		var err error
		if m, err = readModelOf(e.kind, e.model); err != nil {
			return nil, err
		}
	}
	test, err := s.readLabelled(e.kind, files, &e.labels)
	if err == nil {
		err = test.need(&e.labels, len(e.attacks) == 0)
	}
	if err != nil {
		return nil, err
	}
	attacks, err := s.readAttacks(e.kind, e.attacks)
	if err != nil {
		return nil, err
	}
	report := &logReport{LeftOut: test.leftOut}
	rows := append(test.rows, attacks...)

	var scores [][]float64
	switch {
	case e.folds > 0:
		report.Folds = e.folds
		rows, scores, err = e.crossValidate(s, rows)
	case len(e.train) > 0:
		scores, report.Trained, err = e.trainEach(s, rows)
	default:
		e.average = m.Forest().AverageLength()
		scores = [][]float64{scoreRows(m, e.kind, rows)}
	}
	if err != nil {
		return nil, err
	}
	e.rows = rows
	report.Rows, report.Seeds = len(rows), len(scores)
	if report.Groups, err = e.groups(s, rows, scores); err == nil && e.labels.campaign != "" {
		report.Campaigns, err = e.campaigns(rows, scores)
	}
	return report, err
}

// check refuses what contradicts itself or would be ignored.
func (e *logEval) check() error {
	ways := 0
	for _, given := range []bool{e.model != "", len(e.train) > 0, e.folds > 0} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		return hinted(errors.New("no model given"), "-m FILE names one, --train LOG makes one for each seed, --cv K one for each part of the logs")
	case ways > 1:
		return errors.New("-m, --train and --cv are three ways to come by a model: give one of them")
	}
	columns := evaluate.ColumnNames(rules(e.kind))
	for _, avoid := range e.avoid {
		if !slices.Contains(columns, avoid) {
			return hinted(fmt.Errorf("--no-rule-on: no rule looks at a column %q", avoid), "the rules' columns are "+strings.Join(columns, ", "))
		}
	}
	return nil
}

// trainEach makes a model of the training logs' normal rows for each seed.
func (e *logEval) trainEach(s *session, rows []evaluate.Row) (scores [][]float64, trained int, err error) {
	labels := e.labels
	labels.family = "" // of no use here, nor is the campaign, but where it tells the anomalies
	training, err := s.readLabelled(e.kind, e.train, &labels)
	if err == nil {
		err = training.need(&labels, false)
	}
	if err != nil {
		return nil, 0, err
	}
	normal := normalRows(training.rows)
	bar := s.progress(int64(e.seeds), "seeds")
	defer bar.Finish()
	for seed := range e.seeds {
		if err := s.Err(); err != nil {
			return nil, 0, err
		}
		m, err := e.fit(normal, seed)
		if err != nil {
			return nil, 0, err
		}
		scores = append(scores, scoreRows(m, e.kind, rows))
		bar.Add(1)
	}
	return scores, len(normal), nil
}

// crossValidate cuts the rows into equal parts in the order of time and scores
// each part but the first with a model of the normal rows before it. Rows are
// never shuffled: neighbours in time are alike, and a model that has seen an
// attack's neighbours has seen the attack.
func (e *logEval) crossValidate(s *session, rows []evaluate.Row) ([]evaluate.Row, [][]float64, error) {
	slices.SortStableFunc(rows, func(a, b evaluate.Row) int { return int(min(max(a.Conn.TS-b.Conn.TS, -1), 1)) })
	scores := make([][]float64, e.seeds)
	first := len(rows) / e.folds
	for fold := 1; fold < e.folds; fold++ {
		from, to := fold*len(rows)/e.folds, (fold+1)*len(rows)/e.folds
		normal := normalRows(rows[:from])
		for seed := range scores {
			if err := s.Err(); err != nil {
				return nil, nil, err
			}
			m, err := e.fit(normal, seed)
			if err != nil {
				return nil, nil, hinted(fmt.Errorf("the normal rows before part %d of %d: %w", fold+1, e.folds, err),
					"with fewer parts there are more rows before the second one")
			}
			// The windows see what came before, the scores only this part.
			scores[seed] = append(scores[seed], scoreRows(m, e.kind, rows[:to])[from:]...)
		}
	}
	return rows[first:], scores, nil
}

func (e *logEval) fit(normal []evaluate.Row, seed int) (*model.Model, error) {
	o, err := e.learn(setOf(e.kind))
	if err != nil {
		return nil, err
	}
	o.Seed += uint64(seed)
	m, err := fitRows(e.kind, normal, o)
	if err != nil {
		return nil, err
	}
	e.average = m.Forest().AverageLength()
	return m, nil
}

func normalRows(rows []evaluate.Row) (normal []evaluate.Row) {
	for i := range rows {
		if !rows[i].Anomaly {
			normal = append(normal, rows[i])
		}
	}
	return normal
}

// scoreRows scores rows in order, with windows that begin empty. By the path
// length, not by the rounded score: rounding makes ties.
func scoreRows(m *model.Model, k *logKind, rows []evaluate.Row) []float64 {
	scores := make([]float64, len(rows))
	s, record := stream.Stream{Model: m}, replayedRows(k)
	for i := range rows {
		r := record(&rows[i])
		r.Observe()
		scores[i] = -s.Score(r).Path
	}
	return scores
}

// groups measures all rows, the established connections (and handshakes), and each family
// against all normal rows and, where several have established ones, among these.
func (e *logEval) groups(s *session, rows []evaluate.Row, scores [][]float64) ([]evaluate.Group, error) {
	type choice struct {
		name        string
		established bool
		family      string // "" for all
	}
	choices := []choice{{name: "all"}, {name: "established", established: true}}
	families, more := largestFamilies(rows)
	if more > 0 {
		s.warn("there are %d attack families: figures are given for the %d with the most rows", len(families)+more, len(families))
	}
	for _, f := range families {
		choices = append(choices, choice{name: f, family: f}, choice{f + ", established", true, f})
	}
	var groups []evaluate.Group
	established := 0 // anomalies among established connections
	for _, ch := range choices {
		var some []evaluate.Row
		of := make([][]float64, len(scores))
		anomalies := 0
		first, last := conn.Micros(1<<62), conn.Micros(0)
		for i := range rows {
			r := &rows[i]
			if ch.established && !areEstablished(r) || r.Anomaly && ch.family != "" && r.Family != ch.family {
				continue
			}
			some = append(some, rows[i])
			if rows[i].Anomaly {
				anomalies++
			}
			first, last = min(first, rows[i].Conn.TS), max(last, rows[i].Conn.TS)
			for seed := range scores {
				of[seed] = append(of[seed], scores[seed][i])
			}
		}
		if anomalies == 0 || anomalies == len(some) {
			if ch.name == "all" {
				return nil, errors.New("the logs need both normal and anomalous rows")
			}
			continue
		}
		if ch.name == "established" {
			established = anomalies
		} else if ch.established && anomalies == established { // one family has all of them
			continue
		}
		days := 0.0
		if len(e.attacks) == 0 { // logs of different times span nothing together
			days = (last - first).Seconds() / (24 * 60 * 60)
		}
		g, err := evaluate.Measure(ch.name, some, of, evaluate.Rules(rules(e.kind), some, e.avoid...), days)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ch.name, err)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// maxFamilies bounds the families with figures of their own: a column that
// names rows, not attacks, has thousands.
const maxFamilies = 50

// largestFamilies returns the attack families with the most rows, by name, and how
// many others there are.
func largestFamilies(rows []evaluate.Row) (families []string, more int) {
	counts := map[string]int{}
	for i := range rows {
		if f := rows[i].Family; f != "" {
			counts[f]++
		}
	}
	families = slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	families = families[:min(len(families), maxFamilies)]
	slices.Sort(families)
	return families, len(counts) - len(families)
}

func printGroups(w io.Writer, r *logReport) error {
	fmt.Fprintf(w, "%d rows, %d left out; %s\n\n", r.Rows, r.LeftOut, plural(uint64(r.Seeds), "seed"))
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "group\tanomalies\tnormal\tfigure\tscore\t± sd\tbest single column\tits figure\tnote")
	for _, g := range r.Groups {
		line := func(figure string, s evaluate.Spread, rule string, value float64, note string) {
			fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%.4f\t%.4f\t%s\t%.4f\t%s\n", g.Name, g.Anomalies, g.Normal, figure, s.Mean, s.SD, rule, value, note)
		}
		line("AUC", g.AUC, g.Rule, g.RuleAUC, fmt.Sprintf("95 %% %.4f to %.4f", g.AUC95.Low, g.AUC95.High))
		for _, at := range g.At {
			line(fmt.Sprintf("TPR at %g %% FPR", 100*at.FPR), at.TPR, at.Rule, at.RuleTPR,
				fmt.Sprintf("%d false alarms; 95 %% %.3f to %.3f", at.FalseAlarms, at.Interval.Low, at.Interval.High))
		}
		fmt.Fprintf(t, "%s\t%d\t%d\taverage precision\t%.4f\t%.4f\t\t\tprecision at 10: %.2f, at 100: %.2f\n", g.Name, g.Anomalies, g.Normal, g.AP.Mean, g.AP.SD, g.Precision[0].Mean, g.Precision[1].Mean)
		for _, b := range g.Budgets {
			fmt.Fprintf(t, "%s\t%d\t%d\tTPR at %g alerts a day\t%.4f\t%.4f\t\t\t%s in all, %.1f false a day\n", g.Name, g.Anomalies, g.Normal, b.PerDay, b.Found.Mean, b.Found.SD, plural(uint64(b.Alerts), "alert"), b.False.Mean)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printCampaigns(w, r.Campaigns)
}
