package alert

import (
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Scored are rows with their scores, in the order of the log.
type Scored interface {
	Len() int
	Conn(i int) *conn.Conn
	Row(i int) alerts.Row
}

// Incident is what people are told of as one thing: an alert, or several, of a
// host, and what was folded into it. One without a host is what the hour, or
// the day, had no room for.
type Incident struct {
	alerts.ID
	Rows   []int       // unusual connections, in the order of the log
	Alerts []int       // of them, those that were an alert of their own
	Lines  int         // told in all: alerts, and the incident when it grew or was over
	Count  uint64      // connections when it was told for the last time, without Alerts
	Period conn.Micros // of a beacon, whose only row here is the one that showed it; else 0
}

// Rehearsal is what a budget and an allow-list make of rows.
type Rehearsal struct {
	Incidents []*Incident // in the order of their first row
	Allowed   []int       // unusual rows that nobody is told of
	Lines     int         // told in all
	Beyond    int         // connections for which there was no room
}

// Rehearse runs the sensor's policy over rows that were scored.
func Rehearse(rows Scored, perDay float64, allow []AllowLine) *Rehearsal {
	r, policy, by := &Rehearsal{}, alerts.New(perDay), map[alerts.ID]*Incident{}
	tell := func(i *alerts.Incident) {
		r.Lines++
		if in := by[i.ID()]; in != nil {
			in.Lines++
			in.Count, in.Period = i.Count, i.Period
		}
	}
	add := func(id alerts.ID, row int) *Incident {
		in := by[id]
		if in == nil {
			in = &Incident{ID: id}
			by[id] = in
			r.Incidents = append(r.Incidents, in)
		}
		in.Rows = append(in.Rows, row)
		return in
	}
	for i := range rows.Len() {
		row := rows.Row(i)
		policy.Incidents(false, tell)
		if !policy.Unusual(&row) {
			continue
		}
		if c := rows.Conn(i); Find(allow, c, c.TS.Time()) != nil {
			r.Allowed = append(r.Allowed, i)
			continue
		}
		verdict := policy.Raise(&row)
		if b := policy.Beacon(); b != nil {
			in := add(b.ID(), i)
			in.Alerts = append(in.Alerts, i)
		}
		incident := policy.Incident()
		if incident == nil {
			continue
		}
		in := add(incident.ID(), i)
		switch verdict {
		case alerts.Raise: // told at once; a beacon is told by Incidents
			in.Alerts = append(in.Alerts, i)
			in.Lines++
			r.Lines++
		case alerts.Suppressed:
			r.Beyond++
		}
	}
	policy.Incidents(true, tell)
	return r
}

// alerts returns the rows that were alerts.
func (r *Rehearsal) alerts() map[int]bool {
	all := map[int]bool{}
	for _, in := range r.Incidents {
		for _, i := range in.Alerts {
			all[i] = true
		}
	}
	return all
}

// Difference is what another allow-list changes.
type Difference struct {
	Before, After *Rehearsal
	Gone, New     []int // rows that are no alerts any more, and those that become alerts
	Quieted       int   // unusual rows of which nobody is told only with it
}

// Compare says what another allow-list would have changed.
func Compare(rows Scored, perDay float64, before, after []AllowLine) *Difference {
	d := &Difference{Before: Rehearse(rows, perDay, before), After: Rehearse(rows, perDay, after)}
	was, is := d.Before.alerts(), d.After.alerts()
	for _, i := range d.After.Allowed {
		if c := rows.Conn(i); Find(before, c, c.TS.Time()) == nil {
			d.Quieted++
		}
	}
	for i := range rows.Len() {
		switch {
		case was[i] && !is[i]:
			d.Gone = append(d.Gone, i)
		case is[i] && !was[i]:
			d.New = append(d.New, i)
		}
	}
	return d
}
