package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/report"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var reportVerb = verb{
	name:     "report",
	logs:     true,
	synopsis: "[--html FILE] [-m MODEL] [OPTION …] [CONN.LOG …]",
	short:    "write a page about one day: what was strange, and how the model fares",
	about: `The page is one HTML file that needs no network: what was strange, folded by
host and reason, the score over the day, the model's health, what was allowed.

Several logs are read in the order given, which should be that of time. The day
is the one (UTC) of the latest row, unless --day names another; rows of other
days only tell what hosts did before. Rows that have anomaly_score are taken as
they are, others are scored with the model, which also gives the reasons that
the log does not have.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		modelPath := modelFlag(flags)
		html := flags.String("html", "-", "write the page to `FILE`")
		date := flags.String("day", "", "the `DAY` the page is about, 2027-01-31 (default the latest)")
		top := numberFlag(flags, "top", 20, positive, "show the `N` strangest things")
		allow := flags.String("allow", "", "leave out what the allow-list in `FILE` names, and count it")
		strict := strictFlag(flags)
		var perDay float64
		budgetVar(flags, &perDay, alerts.DefaultPerDay, "list the alerts of a sensor with a budget of `N` a day")
		return func(s *session, files []string) error {
			r := &reporting{session: s, record: stream.NewConns(nil), latest: *date == "", policy: alerts.New(perDay)}
			r.page = &report.DayPage{Top: *top, Files: dayFiles(orStdin(files)), Allow: *allow}
			if *date != "" {
				at, err := time.Parse(time.DateOnly, *date)
				if err != nil {
					return fmt.Errorf("--day: %q is not a day such as 2027-01-31", *date)
				}
				r.begin(at)
			}
			if *modelPath != "" {
				var err error
				if r.model, err = readAnyModel(*modelPath); err != nil {
					return err
				}
				r.stream.Model, r.record.Hosts = r.model, feature.NewHosts(model.DefaultHosts)
			}
			k, err := s.watchedKind(r.model, orStdin(files))
			if err != nil {
				return err
			}
			if k != nil {
				r.rowsOf, r.kind = newAlertRows(k), k
			}
			if *allow != "" {
				var err error
				if r.allow, err = s.readAllow(*allow, false); err != nil {
					return err
				}
			}
			o, err := s.output(*html)
			if err != nil {
				return err
			}
			defer o.discard()
			if err := r.read(files, *strict); err != nil {
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
	model  *model.Model // or nil
	stream stream.Stream
	record *stream.Conn
	kind   *logKind   // nil for conn.log
	rowsOf alert.Rows // of kind
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

func (r *reporting) read(files []string, strict bool) error {
	rows := r.rows(files, strict)
	rows.kind = r.kind
	defer rows.close()
	for {
		var c conn.Conn
		if err := rows.next(&c); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		record, err := r.recordOf(&c, rows)
		var row *stream.Scored
		if err == nil {
			row, err = r.stream.NextLogged(record, rows.Value)
		}
		if err != nil && err != stream.ErrUnscored {
			if strict {
				return err
			}
			r.unused(err)
			continue
		}
		of := *record.Subject()
		of.UID = strings.Clone(of.UID)
		if r.page.Day == nil || r.latest && of.TS >= conn.Micros(r.page.Date.Add(24*time.Hour).UnixMicro()) {
			r.begin(of.TS.Time())
		}
		r.row(row, &of, rows.Value)
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

// recordOf is the record of a row.
func (r *reporting) recordOf(c *conn.Conn, rows *rows) (stream.Record, error) {
	if r.rowsOf == nil {
		return r.record.Of(c), nil
	}
	if err := r.rowsOf.Take(rows.reader.Fields()); err != nil {
		return nil, placed(err, rows.name, rows.row.Line)
	}
	return r.rowsOf, nil
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
	if name, ok := value("anomaly_model"); ok { // the page names the models of the log
		row.Model = strings.Clone(name)
	}
	row.Reason = func() string {
		reason := string(scored.AppendReasons(nil))
		p.HasReason = p.HasReason || reason != ""
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
	if m := r.model; m != nil {
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
