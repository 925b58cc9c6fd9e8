package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var drillVerb = verb{
	name:     "drill",
	logs:     true,
	synopsis: "-m MODEL [OPTION …] LOG …",
	short:    "lay attacks over a log and report which would have been found",
	about: `Lays attacks as rows over conn.log, dns.log, http.log or ssl.log, begun by its own hosts at times when
they are at work, scores the whole with the model, and reports what would have raised
an alert at the budget, how soon, and for which reason. Each attack is laid over the
log alone, several times in different places. Their shapes were measured from captures,
named below the table. The log should be newer than the rows of the model.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		modelPath := modelFlag(flags)
		var perDay float64
		budgetVar(flags, &perDay, alerts.DefaultPerDay, "the budget: `N` alerts a day at most")
		flags.Var(flags.Lookup("alerts-per-day").Value, "per-day", "what --alerts-per-day was called")
		flags.Lookup("per-day").Hidden = true
		times := numberFlag(flags, "times", 10, between(1, 1000), "lay each attack over the log `N` times")
		seed := numberFlag(flags, "seed", 1, anySeed, "the same seed chooses the same places")
		allow := flags.String("allow", "", "leave out what the allow-list in `FILE` names, as a sensor does")
		x509 := x509Flag(flags)
		asJSON := flags.Bool("json", false, "print JSON")
		return func(s *session, files []string) error {
			k, err := s.keptLog(flags, files, x509)
			if err != nil {
				return err
			}
			m, err := readModelOf(k, *modelPath)
			if err != nil {
				return err
			}
			if flags.Changed("per-day") {
				s.say("--per-day is now called --alerts-per-day")
			}
			d := drill{kind: k, model: m, perDay: perDay, times: *times, seed: *seed}
			if *allow != "" {
				if d.allow, err = s.readAllow(*allow, false); err != nil {
					return err
				}
			}
			report, err := d.run(s, files)
			if err != nil {
				return err
			}
			if *asJSON {
				return json.NewEncoder(s.stdout).Encode(report)
			}
			return report.print(s.stdout)
		}
	},
}

// drill lays attacks over a log.
type drill struct {
	kind   *logKind // of the log, nil for conn.log
	model  *model.Model
	perDay float64
	times  int
	seed   uint64
	allow  []alert.AllowLine
}

// drillReport is what drill prints.
type drillReport struct {
	Of      string        `json:"of"` // what the rows are
	Rows    int           `json:"rows"`
	Days    float64       `json:"days"`
	PerDay  float64       `json:"alerts_per_day"`
	Alerts  int           `json:"alerts_of_the_log_alone"`
	Attacks []drillResult `json:"attacks"`
}

// drillResult is how one attack fared over all its drills.
type drillResult struct {
	evaluate.Attack
	Times   int     `json:"times"`
	Found   int     `json:"found"`
	Rows    float64 `json:"rows"`              // laid, median
	Alerted float64 `json:"alerts"`            // on its rows, median
	Seconds float64 `json:"seconds_to_alert"`  // from its start, median of those found
	Row     float64 `json:"row_of_alert"`      // which of its rows, median of those found
	Score   float64 `json:"highest_score"`     // median
	OneIn   float64 `json:"highest_one_in"`    // the same as anomaly_rank
	Reason  string  `json:"reason_of_highest"` // of the drill with the median score
	places  []drillPlace
}

// drillPlace is one drill.
type drillPlace struct {
	rows, alerted, first int // first: which row raised the first alert, from 1
	seconds              float64
	score, oneIn         float64
	reason               string
}

func (d *drill) run(s *session, files []string) (*drillReport, error) {
	log, err := s.readUsable(d.kind, files)
	if err != nil {
		return nil, err
	}
	site, err := evaluate.NewSite(log)
	if err != nil {
		return nil, hinted(err, "drill needs rows of your own hosts, and Zeek's local_nets to tell which they are")
	}
	report := &drillReport{Of: rowsOf(d.kind), Rows: len(log), PerDay: d.perDay}
	first, last := log[0].Conn.TS, log[0].Conn.TS
	for i := range log {
		first, last = min(first, log[i].Conn.TS), max(last, log[i].Conn.TS)
	}
	report.Days = (last - first).Seconds() / (24 * 60 * 60)
	if report.Days < 1.5 {
		s.say("the logs span %.1f days: on its first day a budget allows only its share of what has passed, so two days say more", report.Days)
	}
	report.Alerts = d.alone(log)
	attacks := evaluate.Attacks
	if d.kind != nil {
		attacks = d.kind.drills
	}
	bar := s.progress(int64(len(attacks)*d.times), "drills")
	defer bar.Finish()
	for i, a := range attacks {
		r := drillResult{Attack: a}
		for n := range d.times {
			if err := s.Err(); err != nil {
				return nil, err
			}
			laid, err := site.Lay(a, rand.New(rand.NewPCG(d.seed, uint64(i)<<32|uint64(n))))
			bar.Add(1)
			if err != nil {
				s.warn("%v", err)
				break
			}
			r.places = append(r.places, d.once(laid))
		}
		if len(r.places) > 0 {
			r.sum()
			report.Attacks = append(report.Attacks, r)
		}
	}
	return report, nil
}

// alone returns how many alerts the log raises without an attack.
func (d *drill) alone(log []evaluate.Row) (alerts int) {
	laid := d.over(func(toldLine[bool]) {})
	for i := range log {
		laid.observe(&log[i], false)
	}
	laid.end()
	return int(laid.Raised)
}

// drilled is a log with an attack laid over it, on its way.
type drilled struct {
	stream stream.Stream
	record func(*evaluate.Row) stream.Record
	latest *stream.Scored
	*told[bool]
}

func (d *drill) over(each func(toldLine[bool])) *drilled {
	l := &drilled{stream: stream.Stream{Model: d.model}, record: replayedRows(d.kind), told: newTold(d.perDay, each)}
	l.allowed = func() bool { return alert.FindOf(l.latest.Log(), d.allow, l.latest.Record.Subject()) != nil }
	return l
}

// observe takes the next row.
func (l *drilled) observe(of *evaluate.Row, attack bool) *stream.Scored {
	record := l.record(of)
	record.Observe()
	l.latest = l.stream.Score(record)
	row := l.latest.Alert()
	l.told.observe(&row, attack)
	return l.latest
}

// once scores a log with an attack laid over it.
func (d *drill) once(laid *evaluate.Laid) drillPlace {
	p := drillPlace{rows: len(laid.Rows)}
	row, shortest, now := 0, 0.0, conn.Micros(0)
	l := d.over(func(line toldLine[bool]) {
		if !line.strangest && !line.most {
			return
		}
		if p.alerted++; p.alerted == 1 {
			p.first, p.seconds = row, (now - laid.Start).Seconds()
		}
	})
	laid.Each(func(of *evaluate.Row, attack bool) {
		now = max(now, of.Conn.End())
		if attack {
			row++
		}
		scored := l.observe(of, attack)
		if attack && (row == 1 || scored.Path < shortest) {
			shortest = scored.Path
			p.score, p.oneIn, p.reason = scored.Value, float64(scored.OneIn()), string(scored.AppendReason(nil))
		}
	})
	l.end()
	return p
}

// sum sums the drills up by their medians.
func (r *drillResult) sum() {
	slices.SortStableFunc(r.places, func(a, b drillPlace) int { return cmp.Compare(a.score, b.score) })
	middle := func(of func(drillPlace) float64, only func(drillPlace) bool) float64 {
		var values []float64
		for _, p := range r.places {
			if only == nil || only(p) {
				values = append(values, of(p))
			}
		}
		if len(values) == 0 {
			return 0
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	found := func(p drillPlace) bool { return p.alerted > 0 }
	r.Times = len(r.places)
	for _, p := range r.places {
		if found(p) {
			r.Found++
		}
	}
	r.Rows = middle(func(p drillPlace) float64 { return float64(p.rows) }, nil)
	r.Alerted = middle(func(p drillPlace) float64 { return float64(p.alerted) }, nil)
	r.Seconds = middle(func(p drillPlace) float64 { return p.seconds }, found)
	r.Row = middle(func(p drillPlace) float64 { return float64(p.first) }, found)
	median := r.places[len(r.places)/2]
	r.Score, r.OneIn, r.Reason = median.score, median.oneIn, median.reason
}

func (r *drillReport) print(w io.Writer) error {
	fmt.Fprintf(w, "%s over %.1f days; at %g alerts a day the log alone raises %d\n\n", pluralOf(uint64(r.Rows), r.Of), r.Days, r.PerDay, r.Alerts)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "attack\tfound\trows\talerts\tfirst alert\tscore\t1 in\treason")
	for _, a := range r.Attacks {
		first := "never"
		if a.Found > 0 {
			first = fmt.Sprintf("row %.0f, after %v", a.Row, time.Duration(a.Seconds*1e9).Round(time.Second/10))
		}
		fmt.Fprintf(t, "%s\t%d of %d\t%.0f\t%.0f\t%s\t%.4f\t%.0f\t%s\n", a.Name, a.Found, a.Times, a.Rows, a.Alerted, first, a.Score, a.OneIn, a.Reason)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nFigures are medians over the drills; score, rank and reason are those of an attack's highest row. Shapes:")
	for _, a := range r.Attacks {
		fmt.Fprintf(w, "  %s: %s\n", a.Name, a.Source)
	}
	return nil
}
