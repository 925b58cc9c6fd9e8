package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/browse"
	"github.com/zeek-iforest/zeek-iforest/internal/usage"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

var labelVerb = verb{
	name:     "label",
	logs:     true,
	synopsis: "UID benign|bad [--why TEXT] [OPTION …] CONN.LOG …|LOGDIR",
	short:    "say that a connection is benign or bad, and what is like it",
	about: `Shows which alerts of the logs the label would have changed, then writes it into the
allow-list, which watch and the sensor (IForest::allow_file) read again when it changes.
With --dry-run it only shows.

A benign label quiets what is alike: the same port, service, direction and conn_state,
and bytes of the same magnitude or of one beside it; of attempts that came to nothing
the bytes do not count. It holds for the host, for --scope pair only towards the same
other host, for --scope site for all hosts, and ends after --expires. A bad label keeps
what is alike loud, whatever the list says besides, until it is taken out.

Name the logs of the last days: they tell what would change. Rows that have
anomaly_score are taken as they are, others are scored with the model; without -m it
learns from these logs.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		file := flags.StringP("file", "f", "zeek-iforest-allow.tsv", "the allow-list `FILE`")
		why := flags.String("why", "", "keep `TEXT` with the label")
		scope := flags.String("scope", string(alert.ScopeHost), "label what is alike of: pair, host, site")
		usage.Choices(flags, "scope", alert.Scopes...)
		expires := flags.String("expires", "90d", "end a benign label after a `TIME`: 12h, 30d or 2027-01-31 (UTC)")
		modelPath := modelFlag(flags)
		var perDay float64
		budgetVar(flags, &perDay, alerts.DefaultPerDay, "show the alerts of a sensor with a budget of `N` a day")
		dry := flags.Bool("dry-run", false, "show what would change, and write nothing")
		return func(s *session, args []string) error {
			if len(args) < 3 {
				return hinted(errors.New("a label needs a connection, a verdict and logs"), "zeek-iforest label UID benign|bad CONN.LOG …")
			}
			uid, verdict := args[0], args[1]
			if verdict != "benign" && verdict != "bad" {
				return fmt.Errorf("%q is neither benign nor bad", verdict)
			}
			if !slices.Contains(alert.Scopes, *scope) {
				return fmt.Errorf("--scope: %q is none of %s", *scope, strings.Join(alert.Scopes, ", "))
			}
			if verdict == "bad" && flags.Changed("expires") {
				return errors.New("--expires means nothing with bad: such a label holds until it is taken out")
			}
			now := time.Now()
			end, err := parseExpiry(*expires, now)
			if err != nil {
				return err
			}
			if !end.After(now) {
				return fmt.Errorf("--expires: %s is over", *expires)
			}
			before, err := s.readAllow(*file, true)
			if err != nil {
				return err
			}
			log, err := s.scoredLog(*modelPath, args[2:], false)
			if err != nil {
				return err
			}
			at := slices.IndexFunc(log.Rows, func(r browse.Row) bool { return r.Conn.UID == uid })
			if at < 0 {
				return fmt.Errorf("there is no connection %q in the logs", uid)
			}
			e := alert.Like(log.Conn(at), alert.Scope(*scope))
			if e.Comment, e.Expires = *why, end; verdict == "bad" {
				e.MakeBad()
			}
			after := append(slices.Clone(before), alert.AllowLine{Entry: *e})
			fmt.Fprintf(s.stdout, "%s: %s\n", verdict, e.Describe())
			if err := s.difference(log, alert.Compare(log, perDay, before, after)); err != nil {
				return err
			}
			if *dry {
				return nil
			}
			if err := alert.AppendAllow(*file, e); err != nil {
				return err
			}
			s.say("written to %s", *file)
			return nil
		}
	},
}

// difference prints which alerts a label changes.
func (s *session) difference(log *browse.Log, d *alert.Difference) error {
	fmt.Fprintf(s.stdout, "without it %s told, with it %d; %s quieted\n", plural(uint64(d.Before.Lines), "line"), d.After.Lines,
		plural(uint64(d.Quieted), "unusual connection"))
	t := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
	for _, list := range []struct {
		name string
		rows []int
	}{{"gone", d.Gone}, {"new", d.New}} {
		for _, i := range list.rows {
			r := &log.Rows[i]
			fmt.Fprintf(t, "%s\t%s\t%.4f\t%s\t%s\t%v\n", list.name, r.Conn.TS.Time().Format("2006-01-02 15:04:05"), r.Score,
				at(&r.Conn), orUnset(r.Conn.Service), r.Conn.State)
		}
	}
	return t.Flush()
}
