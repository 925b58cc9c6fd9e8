package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
)

var evalVerb = verb{
	name:     "eval",
	logs:     true,
	synopsis: "{-m MODEL | --train LOG | --cv K} LABELLED.LOG … | --table TABLE.csv …",
	short:    "measure detection against labels",
	about: `Scores labelled logs, of conn.log, dns.log, http.log or ssl.log, and compares with the labels, beside the best rule on a single
column: with the model of -m, with a model for each seed made of the normal rows
of the --train logs, or with models made of the normal rows before each part (--cv).

--table repeats the paper's experiment: the forest is fitted to a table of numbers
(CSV with a header, plain, gzip or zstd) without its labels and scores the same
rows; the labels, 0 or 1 in the last column or that of --label, say how well.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		e, l := tableEval{}, logEval{}
		modelPath := modelFlag(flags)
		flags.StringArrayVar(&l.train, "train", nil, "make the models of the normal rows of `LOG`; may be given several times")
		numberVar(flags, &l.folds, "cv", 0, between(2, 10_000), "cross-validate over `K` parts in the order of time")
		flags.StringArrayVar(&l.attacks, "attack", nil, "count all rows of `LOG` as anomalies of a family named after the file; may be given several times")
		l.labels.define(flags)
		flags.StringVar(&l.labels.campaign, "campaign", "", "the `COLUMN` that names the campaign, unset in ordinary rows: also count campaigns with an alert; without --label it tells the anomalies too")
		budgetVar(flags, &l.perDay, alerts.DefaultPerDay, "with --campaign: the budget, `N` alerts a day at most")
		flags.StringVar(&l.labels.family, "family", "", "the `COLUMN` that names the attack family")
		flags.StringSliceVar(&l.avoid, "no-rule-on", nil, "`COLUMNS` that the single-column rules leave out")
		l.learn = learningFlags(flags)
		flags.StringArrayVar(&e.tables, "table", nil, "evaluate on the table in `FILE`; may be given several times")
		numberVar(flags, &e.seeds, "seeds", 10, between(1, 10_000), "repeat with `N` seeds")
		x509 := x509Flag(flags)
		asJSON := flags.Bool("json", false, "print JSON")
		page := flags.String("report", "", "also write a page with the figures and plots to `FILE`, HTML that needs no network")
		return func(s *session, files []string) error {
			var report any
			var print func() error
			switch {
			case len(e.tables) > 0 && len(files) > 0:
				return errors.New("--table and logs cannot be evaluated together")
			case len(e.tables) > 0:
				o, err := l.learn(feature.Conn)
				if err != nil {
					return err
				}
				e.forest = forest.Options{ // the paper's, whatever the sampling of connections
					Trees:     cmp.Or(o.Trees, model.PaperTrees),
					Subsample: cmp.Or(o.Subsample, model.PaperSubsample),
					MaxDepth:  o.MaxDepth,
				}
				if flags.Changed("label") {
					e.label = l.labels.column
				}
				tables, err := e.run(s)
				if err != nil {
					return err
				}
				report, print = tables, func() error { return printTables(s.stdout, tables) }
			case len(files) > 0:
				l.model, l.seeds = *modelPath, e.seeds
				if l.labels.campaign != "" && !flags.Changed("label") {
					l.labels.column = ""
				}
				var err error
				if l.kind, err = s.keptLog(flags, files, x509); err != nil {
					return err
				}
				logs, err := l.run(s, files)
				if err != nil {
					return err
				}
				if *page != "" {
					if err := s.writeEvaluation(*page, &l, files, logs); err != nil {
						return err
					}
				}
				report, print = logs, func() error { return printGroups(s.stdout, logs) }
			default:
				return hinted(errors.New("nothing to evaluate"), "name a labelled log, or a table with --table FILE")
			}
			if *asJSON {
				return json.NewEncoder(s.stdout).Encode(report)
			}
			return print()
		}
	},
}

// tableEval is the paper's experiment on tables.
type tableEval struct {
	tables []string
	label  string
	seeds  int
	forest forest.Options
}

func (e *tableEval) run(s *session) (report evaluate.Report, err error) {
	bar := s.progress(int64(len(e.tables)*e.seeds), "fits")
	defer bar.Finish()
	for _, path := range e.tables {
		table, err := s.readTable(path, e.label)
		if err != nil {
			return report, err
		}
		result, err := evaluate.Experiment(table, e.seeds, func(rows []float32, dim int, seed uint64) ([]float64, error) {
			if err := s.Err(); err != nil {
				return nil, err
			}
			bar.Add(1)
			return e.score(rows, dim, seed)
		})
		if err != nil {
			return report, err
		}
		report.Tables = append(report.Tables, result)
	}
	return report, nil
}

// score fits a forest to the rows and scores them.
func (e *tableEval) score(rows []float32, dim int, seed uint64) ([]float64, error) {
	o := e.forest
	o.Seed = seed
	f, err := forest.Grow(rows, dim, o)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(rows)/dim)
	f.MeanPaths(scores, rows, 0)
	for i, path := range scores {
		scores[i] = f.Score(path)
	}
	return scores, nil
}

// readTable reads a table, compressed or not.
func (s *session) readTable(path, label string) (*evaluate.Table, error) {
	input, err := openInput(path, s.stdin)
	if err != nil {
		return nil, err
	}
	defer input.Close()
	table, err := evaluate.ReadTable(input, displayName(path), label)
	if err != nil {
		return nil, err
	}
	table.Name, _, _ = strings.Cut(filepath.Base(path), ".")
	return table, nil
}

func printTables(w io.Writer, report evaluate.Report) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "table\trows\tfeatures\tanomalies\tAUC\t± sd\tAP\t")
	for _, r := range report.Tables {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.4f\t%.4f\t%.4f\t\n", r.Table, r.Rows, r.Features, r.Anomalies, r.AUC, r.AUCSD, r.AP)
	}
	return t.Flush()
}
