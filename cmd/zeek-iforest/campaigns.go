package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// campaignsFound is what a sensor with the model of one seed would have told
// of the campaigns in the logs.
type campaignsFound struct {
	PerDay    float64         `json:"alerts_per_day"`
	Days      float64         `json:"days"`
	Told      uint64          `json:"told"`  // alerts and incidents
	False     int             `json:"false"` // of them, without a row of a campaign
	Found     int             `json:"found"`
	Campaigns []campaignFound `json:"campaigns"`
}

// campaignFound is one campaign.
type campaignFound struct {
	Name    string  `json:"campaign"`
	Rows    int     `json:"rows"`
	Told    int     `json:"told"`             // alerts, and incidents of which it is the most or the strangest
	Row     int     `json:"row_of_alert"`     // how many of its rows were written when it was first told; 0 for never
	Seconds float64 `json:"seconds_to_alert"` // from its first packet, on the log's clock
}

// campaigns runs the sensor's alerts over the rows in their order.
func (e *logEval) campaigns(rows []evaluate.Row, scores [][]float64) (all []campaignsFound, err error) {
	for _, of := range scores {
		found := e.campaignsBy(rows, of)
		if len(found.Campaigns) == 0 {
			return nil, fmt.Errorf("no anomalous row has a value in the column %q", e.labels.campaign)
		}
		all = append(all, found)
	}
	if len(all) == 0 {
		return nil, errors.New("no model scored the rows")
	}
	return all, nil
}

func (e *logEval) campaignsBy(rows []evaluate.Row, scores []float64) campaignsFound {
	r := campaignsFound{PerDay: e.perDay}
	seen := map[string]*campaignFound{}
	begun := map[string]conn.Micros{}
	now := conn.Micros(0)
	t := newTold(e.perDay, func(line toldLine[string]) {
		if line.strangest == "" && line.most == "" {
			r.False++
		}
		for i, name := range []string{line.strangest, line.most} {
			c := seen[name]
			if c == nil || i == 1 && line.most == line.strangest {
				continue
			}
			if c.Told++; c.Told == 1 {
				c.Row, c.Seconds = c.Rows, (now - begun[name]).Seconds()
			}
		}
	})
	first, last := conn.Micros(math.MaxInt64), conn.Micros(0)
	for i := range rows {
		row := &rows[i]
		c := &row.Conn
		now, first, last = max(now, c.End()), min(first, c.TS), max(last, c.TS)
		if name := row.Campaign; name != "" {
			if seen[name] == nil {
				seen[name], begun[name] = &campaignFound{Name: name}, c.TS
			}
			seen[name].Rows++
			begun[name] = min(begun[name], c.TS)
		}
		// As the log has it: a path length is the score's, rounded.
		score := math.Round(math.Exp2(scores[i]/e.average)*1e4) / 1e4
		at := alertRow(e.kind, row, score)
		t.observe(&at, row.Campaign)
	}
	t.end()
	r.Told, r.Days = t.Raised, (last-first).Seconds()/(24*60*60)
	for _, c := range slices.SortedFunc(maps.Values(seen), func(a, b *campaignFound) int { return cmp.Compare(a.Name, b.Name) }) {
		r.Campaigns = append(r.Campaigns, *c)
		if c.Told > 0 {
			r.Found++
		}
	}
	return r
}

// alertRow returns what an alert policy needs of a kept row.
func alertRow(k *logKind, row *evaluate.Row, score float64) alerts.Row {
	if k == nil {
		return alerts.RowOf(&row.Conn, score, false, "")
	}
	return alerts.RowOfLog(k.set.Log, &row.Conn, row.Name, score, false, "")
}

// manyCampaigns is from how many on only their number is printed.
const manyCampaigns = 50

// printCampaigns prints what each seed found, and each campaign over all seeds.
func printCampaigns(w io.Writer, all []campaignsFound) error {
	if len(all) == 0 {
		return nil
	}
	fmt.Fprintln(w)
	byName := map[string][]campaignFound{}
	for i, r := range all {
		fmt.Fprintf(w, "seed %d: %d of %s with an alert; %s in %.1f days at %g a day at most, %d false\n",
			i+1, r.Found, plural(uint64(len(r.Campaigns)), "campaign"), plural(r.Told, "line"), r.Days, r.PerDay, r.False)
		for _, c := range r.Campaigns {
			byName[c.Name] = append(byName[c.Name], c)
		}
	}
	if len(byName) > manyCampaigns {
		return nil
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "campaign\trows\tfound\tfirst alert")
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		var found []campaignFound
		for _, c := range byName[name] {
			if c.Told > 0 {
				found = append(found, c)
			}
		}
		first := "never"
		if len(found) > 0 {
			slices.SortFunc(found, func(a, b campaignFound) int { return cmp.Compare(a.Seconds, b.Seconds) })
			c := found[len(found)/2]
			first = fmt.Sprintf("row %d, after %v", c.Row, time.Duration(c.Seconds*1e9).Round(time.Second/10))
		}
		fmt.Fprintf(t, "%s\t%d\t%d of %d\t%s\n", name, byName[name][0].Rows, len(found), len(all), first)
	}
	return t.Flush()
}
