package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// labelFlags says how labels are read.
type labelFlags struct {
	column, family, campaign string
	labels                   evaluate.Labels
}

func (l *labelFlags) define(flags *pflag.FlagSet) {
	flags.StringVar(&l.column, "label", "label", "the `COLUMN` with the labels (of a table: default the last)")
	flags.StringSliceVar(&l.labels.Anomalous, "anomalous", evaluate.CommonLabels.Anomalous, "label `VALUES` that mean an anomaly")
	flags.StringSliceVar(&l.labels.Normal, "normal", evaluate.CommonLabels.Normal, "label `VALUES` that mean normal; rows with other values are left out")
}

// meaning returns what the row's label means, the label, and whether there is one.
func (l *labelFlags) meaning(value func(string) (string, bool)) (evaluate.Label, string, bool) {
	if l.column == "" { // the campaign tells
		if campaign, ok := value(l.campaign); ok && isSet(campaign) {
			return evaluate.Anomalous, campaign, true
		} else {
			return evaluate.Normal, "", ok
		}
	}
	label, ok := value(l.column)
	return l.labels.Of(label), label, ok
}

// isSet reports whether a column has a value; "-" is Zeek's for none.
func isSet(value string) bool { return value != "" && value != "-" }

// labelledRows are the rows of some logs that have a label.
type labelledRows struct {
	rows      []evaluate.Row
	leftOut   int
	anomalies int
	others    map[string]int // values that mean neither, and their rows
}

// maxOthers bounds the values that are counted: a column may hold a word of its
// own in each row.
const maxOthers = 1 << 10

// readLabelled reads logs of a kind with labels, in order.
func (s *session) readLabelled(k *logKind, files []string, l *labelFlags) (*labelledRows, error) {
	out := &labelledRows{others: map[string]int{}}
	families := false
	for _, file := range files {
		in := s.keptRows(k, []string{file})
		read, named := 0, 0
		for {
			var row evaluate.Row
			if err := in.next(&row); err == io.EOF {
				break
			} else if err != nil {
				in.close()
				return nil, err
			}
			read++
			meaning, value, ok := l.meaning(in.Value)
			if ok {
				named++
			}
			if meaning == evaluate.LeftOut {
				out.leftOut++
				if out.others[value] > 0 || len(out.others) < maxOthers {
					out.others[strings.Clone(value)]++
				}
				continue
			}
			if row.Anomaly = meaning == evaluate.Anomalous; row.Anomaly {
				out.anomalies++
				if family, ok := in.Value(l.family); ok {
					row.Family, families = strings.Clone(family), true
				}
				if campaign, ok := in.Value(l.campaign); ok && isSet(campaign) {
					row.Campaign = strings.Clone(campaign)
				}
			}
			out.rows = append(out.rows, row)
		}
		in.close()
		if read > 0 && named == 0 {
			return nil, hinted(fmt.Errorf("%s has no column %q", displayName(file), cmp.Or(l.column, l.campaign)),
				"--label names the column with the labels; without labels there are drill and tune --unlabelled")
		}
	}
	switch {
	case len(out.rows)+out.leftOut == 0:
		return nil, errors.New("the logs hold no " + rowsOf(k))
	case l.family != "" && out.anomalies > 0 && !families:
		return nil, hinted(fmt.Errorf("the logs have no column %q", l.family), "--family names the column with the attack's family")
	}
	return out, nil
}

// need checks that there are normal rows and, where they are wanted, anomalies.
func (r *labelledRows) need(l *labelFlags, anomalies bool) error {
	kind := "normal"
	if len(r.rows) > r.anomalies {
		if r.anomalies > 0 || !anomalies {
			return nil
		}
		kind = "an anomaly"
	}
	err := fmt.Errorf("by the column %q no row is %s", l.column, kind)
	if len(r.others) == 0 {
		return err
	}
	values := slices.SortedFunc(maps.Keys(r.others), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.others[b], r.others[a]), cmp.Compare(a, b))
	})
	var found []string
	for _, value := range values[:min(len(values), 5)] {
		found = append(found, fmt.Sprintf("%.40q (%d)", value, r.others[value]))
	}
	return hinted(err, "--anomalous and --normal say what its values mean; left out were "+strings.Join(found, ", "))
}

// readAttacks reads logs whose rows are all anomalies, of the family that the
// file's name says.
func (s *session) readAttacks(k *logKind, files []string) (rows []evaluate.Row, err error) {
	for _, file := range files {
		family, _, _ := strings.Cut(filepath.Base(file), ".")
		all, err := s.readUsable(k, []string{file})
		if err != nil {
			return nil, err
		}
		for _, row := range all {
			row.Anomaly, row.Family = true, family
			rows = append(rows, row)
		}
	}
	return rows, nil
}
