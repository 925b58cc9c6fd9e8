package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

var tuneVerb = verb{
	name:     "tune",
	logs:     true,
	synopsis: "[OPTION …] LOG …",
	short:    "try forests of different sizes on one's own logs",
	about: `The logs are of conn.log, dns.log, http.log or ssl.log. Makes models with every combination of the options, each with several seeds, of the
first half of the rows in time, and scores the second half. With labels (--label) the
measure is the share of anomalies found at --fpr false alarms; without, it is stability:
of the rows that would raise an alert with one seed, the share that would with another.
Stability says whether the forest is large enough, not whether it finds attacks: drill
and eval say that. Recommended is the cheapest that is not clearly worse than the best.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		t := tuning{}
		numbersVar(flags, &t.trees, "trees", []int{50, 100, 200, 400}, between(1, forest.MaxTrees), "`NUMBERS` of trees to try")
		numbersVar(flags, &t.subsamples, "subsample", []int{32, 64, 256}, between(2, forest.MaxSubsample), "`NUMBERS` of connections per tree to try")
		numbersVar(flags, &t.depths, "max-depth", []int{0}, treeDepths, "`DEPTHS` to end trees at; 0 is the paper's ⌈log₂ subsample⌉")
		without := flags.StringArray("without", nil, "also try trees that do not split by these `FEATURES`, comma-separated; may be given several times")
		samplings := flags.StringSlice("sampling", []string{"balanced", "uniform"}, "`WAYS` to draw connections to try")
		usage.List(flags, "sampling", learn.Balanced.String(), learn.Uniform.String())
		numberVar(flags, &t.seeds, "seeds", 5, between(2, 10_000), "repeat with `N` seeds, at least 2: one says nothing about chance")
		numberVar(flags, &t.fpr, "fpr", 0.001, aShare, "the share `F` of ordinary rows that may raise an alert")
		flags.BoolVar(&t.unlabelled, "unlabelled", false, "the logs have no labels: measure stability")
		t.labels.define(flags)
		x509 := x509Flag(flags)
		asJSON := flags.Bool("json", false, "print JSON")
		return func(s *session, files []string) error {
			for _, name := range *samplings {
				sampling, err := learn.ParseSampling(name)
				if err != nil {
					return fmt.Errorf("--sampling: %w", err)
				}
				t.samplings = append(t.samplings, sampling)
			}
			var err error
			if t.kind, err = s.keptLog(flags, files, x509); err != nil {
				return err
			}
			t.without = []uint32{0}
			for _, list := range *without {
				set, err := learn.ParseFeatures(setOf(t.kind), list)
				if err != nil {
					return fmt.Errorf("--without: %w", err)
				}
				t.without = append(t.without, set)
			}
			report, err := t.run(s, files)
			if err != nil {
				return err
			}
			if *asJSON {
				return json.NewEncoder(s.stdout).Encode(report)
			}
			return report.print(s.stdout)
		}
	},
}

// tuning is the grid and how it is measured.
type tuning struct {
	kind                      *logKind // of the logs, nil for conn.log
	trees, subsamples, depths []int
	samplings                 []learn.Sampling
	without                   []uint32
	seeds                     int
	fpr                       float64
	unlabelled                bool
	labels                    labelFlags
}

// tuneReport is what tune prints.
type tuneReport struct {
	Measure     string       `json:"measure"`
	Of          string       `json:"of"` // what the rows are
	Trained     int          `json:"trained_on"`
	Tested      int          `json:"tested_on"`
	Top         int          `json:"rows_behind"` // ordinary rows that may raise an alert
	Seeds       int          `json:"seeds"`
	Tried       []tuneResult `json:"tried"` // best first
	Recommended tuneResult   `json:"recommended"`
}

// tuneResult is one combination. Cost is trees × depth: the nodes that a score
// visits.
type tuneResult struct {
	Trees     int             `json:"trees"`
	Subsample int             `json:"subsample"`
	MaxDepth  int             `json:"max_depth"`
	Sampling  string          `json:"sampling"`
	Without   string          `json:"without_features"`
	Value     evaluate.Spread `json:"value"`
	AUC       evaluate.Spread `json:"auc"` // 0 without labels
	Cost      int             `json:"nodes_per_score"`
}

func (t *tuning) run(s *session, files []string) (*tuneReport, error) {
	rows, err := t.read(s, files)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b evaluate.Row) int { return cmp.Compare(a.Conn.TS, b.Conn.TS) })
	half := len(rows) / 2
	train, test := normalRows(rows[:half]), rows[half:]
	ordinary := len(normalRows(test))
	report := &tuneReport{Of: rowsOf(t.kind), Trained: len(train), Tested: len(test), Seeds: t.seeds, Top: int(t.fpr * float64(ordinary))}
	report.Measure = fmt.Sprintf("found at %g %% false alarms", 100*t.fpr)
	if t.unlabelled {
		report.Measure, report.Top = "stability", max(report.Top, 1)
	} else if ordinary == len(test) || ordinary == 0 {
		return nil, hinted(errors.New("the second half of the rows needs both normal and anomalous ones"), "--unlabelled measures without labels")
	}
	grid := t.grid()
	bar := s.progress(int64(len(grid)*t.seeds), "models")
	defer bar.Finish()
	for _, o := range grid {
		scores := make([][]float64, t.seeds)
		var cost int
		for seed := range scores {
			if err := s.Err(); err != nil {
				return nil, err
			}
			o.Seed = uint64(seed + 1)
			m, err := fitRows(t.kind, train, o)
			if err != nil {
				return nil, err
			}
			cost = m.Summary().Trees * m.Summary().HeightLimit
			scores[seed] = scoreRows(m, t.kind, rows)[half:] // the windows see what came before
			bar.Add(1)
		}
		r := tuneResult{Trees: o.Trees, Subsample: o.Subsample, MaxDepth: o.MaxDepth, Sampling: o.Sampling.String(), Without: learn.FeatureNames(setOf(t.kind), o.Without), Cost: cost}
		if t.unlabelled {
			r.Value = evaluate.Stability(scores, report.Top)
		} else if r.Value, r.AUC, err = evaluate.Found(test, scores, t.fpr); err != nil {
			return nil, err
		}
		report.Tried = append(report.Tried, r)
	}
	slices.SortStableFunc(report.Tried, func(a, b tuneResult) int {
		return cmp.Or(cmp.Compare(b.Value.Mean, a.Value.Mean), cmp.Compare(a.Cost, b.Cost))
	})
	report.Recommended = t.recommend(report.Tried)
	return report, nil
}

// read reads the rows; without labels all are normal.
func (t *tuning) read(s *session, files []string) ([]evaluate.Row, error) {
	if !t.unlabelled {
		read, err := s.readLabelled(t.kind, files, &t.labels)
		if err == nil {
			err = read.need(&t.labels, true)
		}
		if err != nil {
			return nil, err
		}
		return read.rows, nil
	}
	return s.readUsable(t.kind, files)
}

// grid is every combination.
func (t *tuning) grid() (all []learn.Options) {
	for _, sampling := range t.samplings {
		for _, subsample := range t.subsamples {
			for _, depth := range t.depths {
				for _, trees := range t.trees {
					for _, without := range t.without {
						all = append(all, learn.Options{Trees: trees, Subsample: subsample, MaxDepth: depth, Sampling: sampling, Without: without})
					}
				}
			}
		}
	}
	return all
}

// recommend returns the cheapest that is within one standard error of the best, so
// that chance does not choose (Breiman et al. 1984, the one-SE rule).
func (t *tuning) recommend(sorted []tuneResult) tuneResult {
	best := sorted[0]
	least := best.Value.Mean - best.Value.SD/math.Sqrt(float64(t.seeds))
	choice := best
	for _, r := range sorted {
		if r.Value.Mean >= least && r.Cost < choice.Cost {
			choice = r
		}
	}
	return choice
}

func (r *tuneReport) print(w io.Writer) error {
	fmt.Fprintf(w, "%s in training, %d later ones scored; %d seeds; %s, %s behind it\n\n", pluralOf(uint64(r.Trained), r.Of), r.Tested, r.Seeds, r.Measure, plural(uint64(r.Top), "row"))
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintf(t, "%s\t± sd\tAUC\tsampling\tsubsample\ttrees\tmax depth\tnodes a score\twithout\n", r.Measure)
	for _, c := range r.Tried {
		auc, depth := "-", "paper's"
		if c.AUC.Mean > 0 {
			auc = fmt.Sprintf("%.4f", c.AUC.Mean)
		}
		if c.MaxDepth > 0 {
			depth = fmt.Sprint(c.MaxDepth)
		}
		fmt.Fprintf(t, "%.3f\t%.3f\t%s\t%s\t%d\t%d\t%s\t%d\t%s\n", c.Value.Mean, c.Value.SD, auc, c.Sampling, c.Subsample, c.Trees, depth, c.Cost, cmp.Or(c.Without, "-"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	c, best := r.Recommended, r.Tried[0]
	fmt.Fprintf(w, "\nrecommended: --sampling %s --subsample %d --trees %d", c.Sampling, c.Subsample, c.Trees)
	if c.MaxDepth > 0 {
		fmt.Fprintf(w, " --max-depth %d", c.MaxDepth)
	}
	if c.Without != "" {
		fmt.Fprintf(w, " --without %q", c.Without)
	}
	fmt.Fprintf(w, "\n  %.3f ± %.3f against the best's %.3f ± %.3f: the cheapest within one standard error of it\n", c.Value.Mean, c.Value.SD, best.Value.Mean, best.Value.SD)
	if r.Top < 10 {
		fmt.Fprintf(w, "  with only %s behind the measure this is a hint, not a finding: more rows or a higher --fpr say more\n", plural(uint64(r.Top), "row"))
	}
	return nil
}
