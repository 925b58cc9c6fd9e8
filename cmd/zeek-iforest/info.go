package main

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

var infoVerb = verb{
	name:     "info",
	synopsis: "MODEL|seed",
	short:    "tell what a model was made of and what it knows as usual",
	define: func(*pflag.FlagSet) func(*session, []string) error {
		return func(s *session, files []string) error {
			if len(files) != 1 {
				return hinted(errors.New("one model wanted"), "zeek-iforest info MODEL; info seed tells of the one that comes with this program")
			}
			return s.info(files[0])
		}
	},
}

func (s *session) info(path string) error {
	m, err := readAnyModel(path)
	if err != nil {
		return err
	}
	sum := m.Summary()
	t := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
	line := func(what, format string, args ...any) { fmt.Fprintf(t, what+"\t"+format+"\n", args...) }
	line("model", "%s", seed.Name(m))
	rows := m.Set().Rows
	if log := m.Set().Log; log != "conn" {
		line("log", "%s.log", log)
	}
	line("schema", "%s (%d features)", m.Set().ID, m.Set().N())
	line("learnt from", "%d %s, %s to %s", sum.Rows, rows, day(sum.First), day(sum.Last))
	line("sampling", "%s%s", sum.Sampling, kinds(sum.Cells, rows))
	line("forest", "%d trees of %d %s, height limit %d, seed %d", sum.Trees, sum.Subsample, rows, sum.HeightLimit, sum.Seed)
	line("average path", "c(%d) = %.4f", sum.Subsample, m.Forest().AverageLength())
	line("calibrated on", "%d %s%s", sum.Calibration, rows, map[bool]string{true: ", none of them in the trees"}[sum.Disjoint])
	if sum.ZeekVersion != "" {
		line("zeek", "%s", sum.ZeekVersion)
	}
	fmt.Fprintln(t, "\nfeature\tmade from\tusual\twhat it is there to find")
	for i, f := range m.Set().Features {
		usual := m.Usual(i)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Name, f.Field, m.Set().AppendUsual(nil, i, &usual, usual[len(usual)-1]), f.Why)
	}
	return t.Flush()
}

func kinds(cells int, rows string) string {
	if cells == 0 {
		return ""
	}
	if rows == "connections" {
		rows = "connection"
	}
	return fmt.Sprintf(" over %d kinds of %s", cells, rows)
}

func day(m conn.Micros) string { return m.Time().Format(time.DateTime + " UTC") }
