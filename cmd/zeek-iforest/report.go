package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/report"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var reportVerb = verb{
	name:     "report",
	logs:     true,
	synopsis: "[--html FILE] [-m MODEL] [OPTION …] [LOG …]",
	short:    "write a page about one day: what was strange, and how the model fares",
	about: `The page is one HTML file that needs no network: what was strange, folded by
host and reason, the score over the day, the model's health, what was allowed.

Several logs are read in the order given, which should be that of time. The day
is the one (UTC) of the latest row, unless --day names another; rows of other
days only tell what hosts did before. Rows that have anomaly_score are taken as
they are, others are scored with the model, which also gives the reasons that
the log does not have.

conn.log, dns.log, http.log and ssl.log may be named together: their rows are taken in
the order of their times, share the budget, and are put together by their uid. -m then
names a model of each.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		models := modelsFlag(flags)
		html := flags.String("html", "-", "write the page to `FILE`")
		date := flags.String("day", "", "the `DAY` the page is about, 2027-01-31 (default the latest)")
		top := numberFlag(flags, "top", 20, positive, "show the `N` strangest things")
		allow := flags.String("allow", "", "leave out what the allow-list in `FILE` names, and count it")
		x509, strict := x509Flag(flags), strictFlag(flags)
		var perDay float64
		budgetVar(flags, &perDay, alerts.DefaultPerDay, "list the alerts of a sensor with a budget of `N` a day")
		return func(s *session, files []string) error {
			r := &reporting{session: s, latest: *date == "", policy: alerts.New(perDay)}
			r.page = &report.DayPage{Top: *top, Files: dayFiles(orStdin(files)), Allow: *allow}
			if *date != "" {
				at, err := time.Parse(time.DateOnly, *date)
				if err != nil {
					return fmt.Errorf("--day: %q is not a day such as 2027-01-31", *date)
				}
				r.begin(at)
			}
			by, err := readModels(*models)
			if err != nil {
				return err
			}
			if r.dayLogs, err = s.dayLogsOf(orStdin(files), by); err != nil {
				return err
			}
			if err := x509(s, r.kinds()...); err != nil {
				return err
			}
			r.page.Several = r.cases != nil
			r.start(s, *strict)
			defer r.close()
			if *allow != "" {
				if r.allow, err = s.readAllow(*allow, false); err != nil {
					return err
				}
			}
			o, err := s.output(*html)
			if err != nil {
				return err
			}
			defer o.discard()
			if err := r.read(*strict); err != nil {
				return err
			}
			if err := r.finish().WriteHTML(o); err != nil {
				return err
			}
			return o.commit()
		}
	},
}

// reporting reads the rows of a day's page.
type reporting struct {
	*session
	*dayLogs
	allow  []alert.AllowLine
	hits   map[int]uint64 // of the day, by line
	policy *alerts.Policy
	latest bool // the day is that of the latest row
	page   *report.DayPage
	other  uint64 // rows before the day
}

// begin begins the page of another day.
func (r *reporting) begin(at time.Time) {
	p := r.page
	if p.Day != nil {
		r.other += p.Rows + p.Unscored
		for _, n := range r.hits {
			r.other += n
		}
	}
	p.Day, p.Unscored, p.Cold, p.HasReason, p.Told = report.NewDay(at), 0, 0, false, nil
	r.hits = map[int]uint64{}
}

func (r *reporting) read(strict bool) error {
	for {
		l, err := r.next()
		if err != nil {
			return err
		} else if l == nil {
			break
		}
		record, err := l.record()
		var row *stream.Scored
		if err == nil {
			row, err = l.stream.NextLogged(record, l.rows.Value)
		}
		if err != nil && err != stream.ErrUnscored {
			if strict {
				return l.placed(err)
			}
			r.unused(l.placed(err))
			continue
		}
		if row != nil && !row.Logged {
			l.lack(r.session)
		}
		of := *record.Subject()
		of.UID = strings.Clone(of.UID)
		if r.page.Day == nil || r.latest && of.TS >= conn.Micros(r.page.Date.Add(24*time.Hour).UnixMicro()) {
			r.begin(of.TS.Time())
		}
		if row != nil && r.cases != nil {
			r.cases.Next(row)
		}
		r.row(row, &of, l.rows.Value)
	}
	if r.page.Day == nil {
		return errors.New("there is no connection in these logs")
	}
	if p := r.page; p.Rows == 0 && p.Unscored > 0 {
		return hinted(alert.ErrNoScores, "-m FILE names a model; zeek-iforest train makes one")
	} else if p.Rows == 0 && r.other > 0 && !r.latest {
		return fmt.Errorf("there is no connection of %s in these logs", p.Date.Format(time.DateOnly))
	}
	return nil
}

// row takes a row, nil for one without a score; value gives its columns that
// conn.log does not know.
func (r *reporting) row(scored *stream.Scored, c *conn.Conn, value stream.Values) {
	p := r.page
	here := p.Has(c.TS)
	if !here {
		r.other++
	}
	if scored == nil {
		if here {
			p.Unscored++
		}
		return
	}
	r.policy.Incidents(false, r.incident)
	policyRow := scored.Alert()
	unusual := r.policy.Unusual(&policyRow)
	if by := alert.FindOf(scored.Log(), r.allow, c); by != nil {
		if here {
			r.hits[by.Number]++
		}
		return
	}
	raised := unusual && r.policy.Raise(&policyRow) == alerts.Raise
	if !here {
		return
	}
	if scored.IsCold() {
		p.Cold++
	}
	row := report.Scored{Conn: c, Score: scored.CaseScore(), OneIn: scored.OneIn()}
	log := ""
	if r.cases != nil {
		log = scored.Log()
	}
	if name, ok := value("anomaly_model"); ok && log == "" { // the page names the models of conn.log, or of the one log
		row.Model = strings.Clone(name)
	}
	row.Reason = func() string {
		reason := string(scored.AppendReasons(nil))
		if p.HasReason = p.HasReason || reason != ""; log != "" {
			return log + ".log: " + reason
		}
		return reason
	}
	if raised {
		p.Told = append(p.Told, report.Told{At: c.TS.Time(), Score: row.Score, Text: at(c), Reason: row.Reason()})
	}
	p.Observe(&row)
}

func (r *reporting) incident(i *alerts.Incident) {
	if r.page.Day != nil && r.page.Has(i.Latest) {
		r.page.Told = append(r.page.Told, report.Told{At: i.Latest.Time(), Score: i.Score, Text: describe(i)})
	}
}

// finish fills in what is known when all rows are read.
func (r *reporting) finish() *report.DayPage {
	p := r.page
	r.policy.Incidents(true, r.incident)
	p.Other, p.Bad = r.other, r.unusable
	if m := r.logs[0].stream.Model; m != nil {
		sum := m.Summary()
		p.Model, p.Learnt, p.From, p.To = seed.Name(m), uint64(sum.Rows), sum.First.Time(), sum.Last.Time()
	}
	for i := range r.allow {
		e := &r.allow[i]
		if e.Bad {
			continue
		}
		a := &report.Allowed{Entry: e.Describe(), Comment: e.Comment, Rows: r.hits[e.Number], Expires: "for good"}
		if !e.Expires.IsZero() {
			a.Expires, a.Over = e.Expires.UTC().Format("2006-01-02 15:04"), !p.Date.Add(24*time.Hour).Before(e.Expires)
		}
		p.Allows = append(p.Allows, a)
	}
	return p
}

// dayFiles names the logs.
func dayFiles(files []string) string {
	if len(files) == 1 {
		return filepath.Base(displayName(files[0]))
	}
	return fmt.Sprintf("%d logs, %s to %s", len(files), filepath.Base(files[0]), filepath.Base(files[len(files)-1]))
}
