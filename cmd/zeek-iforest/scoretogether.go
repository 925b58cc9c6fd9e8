package main

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/report"
)

// together are the logs of a day that score reads together: their rows share the
// budget, and those of a connection are put together by their uid, as watch and report
// do it. It makes tables and writes no log.
type together struct {
	*session
	*dayLogs
	alerts *offlineAlerts // nil where none are asked for
	best   []*strangest   // of each log
	strict bool
	rows   uint64 // that have a score
	cold   uint64 // of them, those whose hosts' past is not known
}

// oneLogOnly are options of score for which logs are not read together.
var oneLogOnly = []string{"uid-column", "partition-by", "log-start", "order-by", "fail-above", "plot"}

// togetherOf returns the logs to be read together, nil where it is one: where -m names
// several models, or none, a table is wanted, and the files are of several kinds.
func (s *session) togetherOf(flags *pflag.FlagSet, files, paths []string, without noModel, strict bool) (*together, error) {
	table := flags.Changed("top") || flags.Changed("alerts-per-day")
	if len(paths) == 1 || len(paths) == 0 && (!table || flags.Changed("uid-column") || !s.severalKinds(files)) {
		return nil, nil
	}
	models, err := readModels(paths)
	if err != nil {
		return nil, err
	}
	d, err := s.dayLogsOf(files, models)
	if err != nil {
		return nil, err
	}
	for _, name := range oneLogOnly {
		if flags.Changed(name) {
			return nil, fmt.Errorf("--%s is for one log, not for several together", name)
		}
	}
	if !table {
		return nil, hinted(errors.New("-m names several models, and logs are written one by one"), "--alerts-per-day and --top make a table of all; to write them, score each log with its model")
	}
	t := &together{session: s, dayLogs: d, strict: strict}
	if err := without.x509(s, d.kinds()...); err != nil {
		return nil, err
	}
	for _, l := range d.logs {
		if l.stream.Model != nil {
			continue
		}
		if len(paths) > 0 {
			return nil, hinted(fmt.Errorf("%s is %s.log, of which -m names no model", displayName(l.files[0]), l.log), "zeek-iforest train makes one")
		}
		without.input = l.log + ".log itself"
		if l.stream.Model, err = without.ofLogs(s, l.files, strict); err != nil {
			return nil, fmt.Errorf("%s: %w", displayName(l.files[0]), err)
		}
	}
	return t, nil
}

// severalKinds reports whether the files are known to be of several kinds.
func (s *session) severalKinds(files []string) bool {
	if len(files) < 2 || slices.ContainsFunc(files, readOnce) {
		return false
	}
	var kinds []*logKind
	for _, file := range files {
		k, err := s.log([]string{file})
		if err != nil {
			return false // it is said when it is read
		}
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return len(kinds) > 1
}

// run scores the rows, and prints the tables.
func (t *together) run(w io.Writer, best *strangest, top int) error {
	for _, l := range t.logs {
		t.best = append(t.best, &strangest{n: best.n, of: kindOf(l.log), kinds: report.NewStrangest[kind]().Only(best.n)})
	}
	t.start(t.session, t.strict)
	defer t.close()
	if err := t.read(); err != nil {
		return err
	}
	(&lake{}).sayCold(t.session, t.cold, t.rows)
	if t.alerts != nil {
		if err := t.alerts.table(w, nil, t.cases != nil); err != nil {
			return err
		}
	}
	if top == 0 {
		return nil
	}
	for i, l := range t.logs {
		if i > 0 || t.alerts != nil {
			io.WriteString(w, "\n")
		}
		fmt.Fprintf(w, "%s.log\n", l.log)
		if err := t.best[i].table(w, top); err != nil {
			return err
		}
	}
	return nil
}

// read scores the rows in the order of their times.
func (t *together) read() error {
	for place := uint64(0); ; place++ {
		l, err := t.next()
		if l == nil || err != nil {
			return err
		}
		record, err := l.record()
		if err == nil {
			row, scoreErr := l.stream.Next(record)
			if err = scoreErr; err == nil {
				l.lack(t.session)
				if t.rows++; row.IsCold() {
					t.cold++
				}
				if t.cases != nil {
					t.cases.Next(row)
				}
				if t.alerts != nil {
					t.alerts.observe(row)
				}
				t.best[slices.Index(t.logs, l)].offer(place, row)
				continue
			}
		}
		if err = l.placed(err); t.strict {
			return err
		}
		t.unused(err)
	}
}
