package main

import (
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// offlineAlerts are the notices that a sensor with this model would have raised.
type offlineAlerts struct {
	*model.Alerts
	raised []raisedAlert
}

// raisedAlert is a connection, or a storm of several.
type raisedAlert struct {
	conn   conn.Conn
	score  float64
	oneIn  uint64
	reason string
	storm  *model.Storm
}

// alertsFlag defines --alerts-per-day.
func alertsFlag(flags *pflag.FlagSet) func() *offlineAlerts {
	var perDay float64
	budgetVar(flags, &perDay, 0, "print the connections for which a sensor with this model and a budget of `N` would have raised a notice, instead of a log")
	return func() *offlineAlerts {
		if perDay == 0 {
			return nil
		}
		return &offlineAlerts{Alerts: model.NewAlerts(perDay)}
	}
}

// observe takes the next connection; nil takes none.
func (a *offlineAlerts) observe(m *model.Model, c *conn.Conn, w feature.Window) {
	if a == nil {
		return
	}
	s := m.Score(c, w)
	a.Storms(false, a.storm)
	if a.Unusual(c, s, m) && a.Raise(c, s) == model.Raise {
		r := raisedAlert{conn: *c, score: s.Value, oneIn: oneIn(m, s), reason: string(m.AppendReason(nil, c, w))}
		r.conn.UID, r.conn.Service, r.conn.TunnelParents = strings.Clone(c.UID), strings.Clone(c.Service), nil
		a.raised = append(a.raised, r)
	}
}

func (a *offlineAlerts) storm(t model.Storm) {
	a.raised = append(a.raised, raisedAlert{score: t.Score, storm: &t})
}

// table prints the alerts in the order in which they were raised.
func (a *offlineAlerts) table(w io.Writer) error {
	a.Storms(true, a.storm)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "time (UTC)\tscore\t1 in\tconnection\tservice\tstate\tuid\treason")
	for _, r := range a.raised {
		if s := r.storm; s != nil {
			from := "several originators"
			if s.Orig != (netip.Addr{}) {
				from = s.Orig.String()
			}
			fmt.Fprintf(t, "%s\t%.4f\t-\t%s → %v\t-\t-\t-\ta storm: %s, until %s\n", s.Begun.Time().Format("2006-01-02 15:04:05"), s.Score, from, s.Resp,
				plural(s.Count, "further connection"), s.Latest.Time().Format("15:04:05"))
			continue
		}
		c := &r.conn
		fmt.Fprintf(t, "%s\t%.4f\t%d\t%v → %v %v\t%s\t%v\t%s\t%s\n", c.TS.Time().Format("2006-01-02 15:04:05"), r.score, r.oneIn,
			c.Orig, c.Resp, c.Proto, orUnset(c.Service), c.State, c.UID, r.reason)
	}
	return t.Flush()
}
