package main

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/internal/report"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// writeEvaluation writes the page of eval --report.
func (s *session) writeEvaluation(path string, e *logEval, files []string, logs *logReport) error {
	rule, err := curveOf(e, logs.Groups[0].Rule)
	if err != nil {
		return err
	}
	page := report.Evaluation{
		Title:   "How well the anomaly score finds what is labelled in " + baseNames(files),
		Origin:  origin(e, logs),
		Seeds:   logs.Seeds,
		Groups:  logs.Groups,
		Rule:    rule,
		ToScore: func(minusPath float64) float64 { return math.Exp2(minusPath / e.average) },
	}
	o, err := s.output(path)
	if err != nil {
		return err
	}
	defer o.discard()
	if err := page.WriteHTML(o); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return o.commit()
}

// curveOf ranks the rows by the rule of that name.
func curveOf(e *logEval, name string) (report.Curve, error) {
	all := evaluate.Rules(rules(e.kind), e.rows, e.avoid...)
	rule := all[slices.IndexFunc(all, func(r evaluate.Rule) bool { return r.Name == name })]
	scores, labels := make([]float64, len(e.rows)), make([]bool, len(e.rows))
	for i := range e.rows {
		scores[i], labels[i] = rule.Score(&e.rows[i]), e.rows[i].Anomaly
	}
	ranking, err := evaluate.Rank(scores, labels)
	return report.Curve{Name: name, Ranking: ranking, Rule: true}, err
}

// origin says which rows were scored by which models.
func origin(e *logEval, logs *logReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d labelled %s", logs.Rows, rowsOf(e.kind))
	if len(e.attacks) > 0 {
		fmt.Fprintf(&b, " (all of %s counted as anomalies)", baseNames(e.attacks))
	}
	fmt.Fprintf(&b, "; %d more left out, because their label says neither. ", logs.LeftOut)
	switch {
	case logs.Folds > 0:
		fmt.Fprintf(&b, "Cut into %d parts in the order of time; each part but the first was scored by models of the ordinary %s before it.", logs.Folds, rowsOf(e.kind))
	case len(e.train) > 0:
		fmt.Fprintf(&b, "Scored by models of the %d ordinary %s in %s.", logs.Trained, rowsOf(e.kind), baseNames(e.train))
	default:
		fmt.Fprintf(&b, "Scored by the model %s.", filepath.Base(e.model))
	}
	if logs.Seeds > 1 {
		fmt.Fprintf(&b, " The figures are means over %d seeds; the curves are the first seed's.", logs.Seeds)
	}
	return b.String()
}

func baseNames(files []string) string {
	names := make([]string, len(files))
	for i, file := range files {
		names[i] = filepath.Base(file)
	}
	return strings.Join(names, ", ")
}
