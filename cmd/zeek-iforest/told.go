package main

import "github.com/zeek-iforest/zeek-iforest/model/alerts"

// told runs the sensor's alerts over labelled rows, and says whose each is.
type told[Label comparable] struct {
	*alerts.Policy
	incidents map[alerts.ID]*toldIncident[Label]
	each      func(toldLine[Label])
	allowed   func() bool // whether nobody is told of the row; may be nil
}

// toldLine is an alert or an incident: of a connection both labels are its own.
type toldLine[Label comparable] struct {
	strangest Label // of its strangest connection
	most      Label // of more than half of its connections, else strangest
}

type toldIncident[Label comparable] struct {
	count     map[Label]uint64
	strangest Label
	score     float64
}

func newTold[Label comparable](perDay float64, each func(toldLine[Label])) *told[Label] {
	return &told[Label]{Policy: alerts.New(perDay), incidents: map[alerts.ID]*toldIncident[Label]{}, each: each}
}

// observe takes the next row.
func (t *told[Label]) observe(row *alerts.Row, label Label) {
	t.Incidents(false, t.incident)
	if !t.Unusual(row) || t.allowed != nil && t.allowed() {
		return
	}
	verdict := t.Raise(row)
	if b := t.Beacon(); b != nil {
		t.incidents[b.ID()] = &toldIncident[Label]{strangest: label}
	}
	i := t.Incident()
	if i == nil {
		return
	}
	in := t.incidents[i.ID()]
	if in == nil {
		in = &toldIncident[Label]{count: map[Label]uint64{}}
		t.incidents[i.ID()] = in
	}
	if row.Score > in.score {
		in.score, in.strangest = row.Score, label
	}
	if verdict == alerts.Raise {
		t.each(toldLine[Label]{label, label})
	} else {
		in.count[label]++
	}
}

// end tells of the incidents that are open.
func (t *told[Label]) end() { t.Incidents(true, t.incident) }

func (t *told[Label]) incident(i *alerts.Incident) {
	in := t.incidents[i.ID()]
	line := toldLine[Label]{in.strangest, in.strangest}
	for label, n := range in.count {
		if 2*n > i.Count {
			line.most = label
		}
	}
	t.each(line)
	if i.Over {
		delete(t.incidents, i.ID())
	}
}
