package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

//go:embed evaluation.html
var evaluationHTML string

// Evaluation is what a page about a measurement against labels is made of. The
// first group holds all rows.
type Evaluation struct {
	Title   string
	Origin  string // one sentence: which rows, which models
	Seeds   int
	Groups  []evaluate.Group
	Rule    Curve                 // the best single-column rule on all rows
	ToScore func(float64) float64 // a ranking's score as anomaly_score
}

// page is what the template sees.
type page struct {
	*Evaluation
	Short, Warnings                      []string
	Budgets                              []evaluate.AtBudget
	Histogram, ROCLog, ROC, PR, Families template.HTML
}

// maxFamilies is how many curves a picture shows at most.
const maxFamilies = 6

// WriteHTML writes the page: one file that needs nothing from the network.
func (e *Evaluation) WriteHTML(w io.Writer) error {
	all := e.Groups[0]
	p := page{Evaluation: e, Short: short(all), Warnings: warnings(e.Groups), Budgets: all.Budgets}
	var thresholds []Threshold
	for _, at := range all.At {
		if !math.IsInf(at.Threshold, 0) {
			thresholds = append(thresholds, Threshold{e.ToScore(at.Threshold), percent(at.FPR) + " false alarms"})
		}
	}
	score := Curve{Name: "anomaly_score", Ranking: all.First}
	var families []Curve
	for _, g := range e.Groups[1:] {
		if len(families) < maxFamilies {
			families = append(families, Curve{Name: groupName(g.Name), Ranking: g.First})
		}
	}
	for _, d := range []struct {
		to   *template.HTML
		draw func(io.Writer) error
	}{
		{&p.Histogram, func(w io.Writer) error { return ByLabel(w, "", all.First, e.ToScore, thresholds) }},
		{&p.ROCLog, func(w io.Writer) error { return ROC(w, "All connections, logarithmic", true, e.Rule, score) }},
		{&p.ROC, func(w io.Writer) error { return ROC(w, "All connections", false, e.Rule, score) }},
		{&p.PR, func(w io.Writer) error { return PrecisionRecall(w, "Precision and recall", e.Rule, score) }},
		{&p.Families, func(w io.Writer) error {
			if len(families) == 0 {
				return nil
			}
			return ROC(w, "Groups of connections, logarithmic", true, families...)
		}},
	} {
		var svg bytes.Buffer
		if err := d.draw(&svg); err != nil {
			return err
		}
		*d.to = inline(svg.String())
	}
	t, err := template.New("evaluation").Funcs(template.FuncMap{
		"percent": percent, "groupName": groupName, "times100": func(share float64) float64 { return 100 * share },
	}).Parse(evaluationHTML)
	if err != nil {
		return err
	}
	return t.Execute(w, &p)
}

// inline returns an SVG file without what only stands at the head of a file.
func inline(svg string) template.HTML {
	if i := strings.Index(svg, "<svg"); i >= 0 {
		svg = svg[i:]
	}
	return template.HTML(svg) // made by plot, which escapes its texts
}

// short says the result in words.
func short(all evaluate.Group) (lines []string) {
	for _, at := range all.At {
		than := "ahead of"
		switch {
		case at.TPR.Mean < at.RuleTPR:
			than = "behind"
		case at.TPR.Mean == at.RuleTPR:
			than = "level with"
		}
		lines = append(lines, fmt.Sprintf("With a threshold that one in %.0f ordinary connections passes, %s of the anomalies are found: %s the best rule on a single column (%s), which finds %s.",
			1/at.FPR, percent(at.TPR.Mean), than, at.Rule, percent(at.RuleTPR)))
	}
	return lines
}

// fewRows is how many false alarms a figure should have behind it.
const fewRows = 10

func warnings(groups []evaluate.Group) (lines []string) {
	all := groups[0]
	for _, at := range all.At {
		if n := at.FPR * float64(all.Normal); n < fewRows {
			lines = append(lines, fmt.Sprintf("At %s false alarms the figures rest on so few false alarms, %.0f, that one more or less moves them: a firm figure needs at least %.0f ordinary connections.", percent(at.FPR), math.Floor(n), math.Ceil(fewRows/at.FPR)))
		}
	}
	if all.Normal < all.Anomalies {
		lines = append(lines, "There are more anomalies than ordinary connections here. On a real network it is the other way round by far: precision will be lower there.")
	}
	return lines
}

// percent prints a share, with more digits near its ends.
func percent(share float64) string {
	v := 100 * share
	switch {
	case v == math.Trunc(v):
		return fmt.Sprintf("%.0f %%", v)
	case v < 1 || v > 99:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".") + " %"
	}
	return fmt.Sprintf("%.1f %%", v)
}

func groupName(name string) string {
	switch name {
	case "all":
		return "all connections"
	case "established":
		return "established connections"
	}
	return name
}
