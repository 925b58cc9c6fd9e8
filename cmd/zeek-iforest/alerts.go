package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// offlineAlerts are the notices that a sensor with this model would have raised.
type offlineAlerts struct {
	*alerts.Policy
	raised []raisedAlert
}

// raisedAlert is a connection, a row of another log, or an incident of several.
type raisedAlert struct {
	conn     conn.Conn
	log      string   // "" for conn.log
	cells    []string // of the row, as a table of its log has them
	score    float64
	oneIn    uint64
	reason   string
	incident *alerts.Incident
}

// alertsFlag defines --alerts-per-day.
func alertsFlag(flags *pflag.FlagSet) func() *offlineAlerts {
	var perDay float64
	budgetVar(flags, &perDay, 0, "print what a sensor with this model and a budget of `N` would have raised notices for, instead of a log")
	return func() *offlineAlerts {
		if perDay == 0 {
			return nil
		}
		return &offlineAlerts{Policy: alerts.New(perDay)}
	}
}

// observe takes the next row.
func (a *offlineAlerts) observe(s *stream.Scored) {
	row, c := s.Alert(), s.Record.Subject()
	a.Incidents(false, a.incident)
	if a.Unusual(&row) && a.Raise(&row) == alerts.Raise {
		r := raisedAlert{conn: *c, log: s.Log(), score: s.CaseScore(), oneIn: s.OneIn(), reason: string(s.AppendReasons(nil))}
		if other, ok := s.Record.(logRow); ok {
			r.cells = other.cells()
		} else {
			r.cells = []string{strings.Clone(orUnset(c.Service)), c.State.String()}
		}
		r.conn.UID, r.conn.Service, r.conn.TunnelParents = strings.Clone(c.UID), strings.Clone(c.Service), nil
		a.raised = append(a.raised, r)
	}
}

func (a *offlineAlerts) incident(i *alerts.Incident) {
	told := *i
	a.raised = append(a.raised, raisedAlert{score: i.Score, incident: &told})
}

// table prints the alerts in the order in which they were raised: of conn.log, of
// another log, or of several, whose rows have one cell each for all that they say.
func (a *offlineAlerts) table(w io.Writer, of *logKind, several bool) error {
	a.Incidents(true, a.incident)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	header := []string{"service", "state"}
	if of != nil {
		header = of.header
	}
	if several {
		header = []string{"log", "row"}
	}
	fmt.Fprintf(t, "time (UTC)\tscore\t1 in\tconnection\t%s\tuid\treason\n", strings.Join(header, "\t"))
	for _, r := range a.raised {
		if i := r.incident; i != nil {
			fmt.Fprintf(t, "%s\t%.4f\t-\t%v → %v\t%s-\t%s\n", i.Begun.Time().Format("2006-01-02 15:04:05"), i.Score, i.Orig, i.Resp, strings.Repeat("-\t", len(header)), describe(i))
			continue
		}
		c := &r.conn
		if several {
			r.cells = []string{cmp.Or(r.log, "conn"), strings.Join(r.cells, " ")}
		}
		fmt.Fprintf(t, "%s\t%.4f\t%d\t%s\t%s\t%s\t%s\n", c.TS.Time().Format("2006-01-02 15:04:05"), r.score, r.oneIn,
			whoWithWhom(c), strings.Join(r.cells, "\t"), c.UID, r.reason)
	}
	return t.Flush()
}

// describe says what an incident is.
func describe(i *alerts.Incident) string {
	if i.Period > 0 {
		text := fmt.Sprintf("beacon: %v calls %v every %v, %s so far", i.Host, i.Resp, (time.Duration(i.Period) * time.Microsecond).Round(time.Second), plural(i.Count, "time"))
		if i.Pairs > 1 {
			text += fmt.Sprintf("; the %dth such endpoint today", i.Pairs)
		}
		return text
	}
	what, others := "of several hosts, beyond the alerts of their hour", ""
	switch {
	case i.Host.IsValid() && i.Inbound:
		what = fmt.Sprintf("to %v", i.Host)
		if !i.OneOrig {
			others = ", from several originators"
		}
	case i.Host.IsValid():
		what = fmt.Sprintf("of %v", i.Host)
		if !i.OneResp {
			others = ", to several endpoints"
		}
	}
	state := "so far, the latest at"
	if i.Over {
		state = "until"
	}
	rows := plural(i.Count, "more unusual connection")
	switch {
	case !i.OneLog:
		rows = plural(i.Count, "more unusual row") + " of several logs"
	case i.Log != "":
		rows = plural(i.Count, "more unusual row") + fmt.Sprintf(" of %s.log", i.Log)
	}
	return fmt.Sprintf("incident: %s %s%s, %s %s", rows, what, others, state, i.Latest.Time().Format("15:04:05"))
}
