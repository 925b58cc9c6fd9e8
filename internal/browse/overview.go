package browse

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

const (
	bins     = 144 // of the time line: ten minutes each
	pageRows = 100
	daySecs  = 24 * 60 * 60
)

type overview struct {
	Files     string         `json:"files"`
	Rows      int            `json:"rows"`
	Model     string         `json:"model"`
	Learnt    bool           `json:"learnt"` // of these rows
	Day       string         `json:"day"`
	Days      []string       `json:"days"`
	Begin     int64          `json:"begin"` // of the day
	Bins      []bin          `json:"bins"`
	Incidents []incident     `json:"incidents"`
	Services  []serviceCount `json:"services"`
	Reasons   []reason       `json:"reasons"`
	Reasoned  int            `json:"reasoned"` // rows that can be found by their reason
	Allow     string         `json:"allow"`
	Entries   []entry        `json:"entries"`
	Allowed   int            `json:"allowed"`
	Wrong     string         `json:"wrong,omitempty"`
}

// bin is ten minutes of the time line.
type bin struct {
	Rows   int     `json:"rows"`
	Score  float64 `json:"score"` // the highest
	Alerts int     `json:"alerts"`
}

type serviceCount struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

type incident struct {
	Number  int     `json:"number"`
	Host    string  `json:"host"` // "" for what had no room
	Inbound bool    `json:"inbound"`
	Rows    int     `json:"rows"`
	Others  int     `json:"others"` // other hosts
	Ports   int     `json:"ports"`
	Score   float64 `json:"score"`
	Row     int     `json:"row"` // the strangest
	From    float64 `json:"from"`
	To      float64 `json:"to"`
	Reason  string  `json:"reason"`
	Period  float64 `json:"period,omitempty"` // of a beacon, seconds
	Times   uint64  `json:"times,omitempty"`  // of a beacon
}

// entry is a line of the allow-list.
type entry struct {
	Line    int    `json:"line"`
	Text    string `json:"text"` // of the file
	Bad     bool   `json:"bad"`
	Words   string `json:"words"`
	Comment string `json:"comment"`
	Expires string `json:"expires"`
	Over    bool   `json:"over"`
}

func secondsOf(t conn.Micros) float64 { return float64(t) / 1e6 }

func (s *Server) overview(day string) (*overview, error) {
	latest := s.index.facts[s.index.byTime[0]].ts.Time().UTC().Format(time.DateOnly)
	at, err := time.Parse(time.DateOnly, orElse(day, latest))
	if err != nil {
		return nil, fmt.Errorf("%q is not a day such as 2027-01-31", day)
	}
	o := &overview{
		Files: s.Files, Rows: len(s.log.Rows), Learnt: s.log.Learnt, Day: at.Format(time.DateOnly), Begin: at.Unix(), Bins: make([]bin, bins),
		Incidents: []incident{}, Entries: []entry{}, Reasons: s.index.reasons, Reasoned: min(withReason, len(s.log.Rows)),
		Allow: s.Allow, Allowed: len(s.told.Allowed), Wrong: s.wrong,
	}
	if s.log.Model != nil {
		o.Model = s.log.Model.Fingerprint()
	}
	begin := conn.Micros(at.UnixMicro())
	days := map[int64]bool{}
	for i := range s.index.facts {
		f := &s.index.facts[i]
		days[int64(f.ts/1e6/daySecs)] = true
		if f.ts < begin || f.ts >= begin+daySecs*1e6 {
			continue
		}
		b := &o.Bins[(f.ts-begin)*bins/(daySecs*1e6)]
		b.Rows++
		b.Score = max(b.Score, s.log.Rows[i].Score)
		if s.alone[i] {
			b.Alerts++
		}
	}
	for d := range days {
		o.Days = append(o.Days, time.Unix(d*daySecs, 0).UTC().Format(time.DateOnly))
	}
	slices.Sort(o.Days)
	for n, in := range s.told.Incidents {
		first, last := s.index.facts[in.Rows[0]].ts, s.index.facts[in.Rows[len(in.Rows)-1]].ts
		if first < begin+daySecs*1e6 && last >= begin {
			o.Incidents = append(o.Incidents, s.incident(n, in))
		}
	}
	slices.SortStableFunc(o.Incidents, func(a, b incident) int {
		if (a.Host == "") != (b.Host == "") {
			if a.Host == "" {
				return 1
			}
			return -1
		}
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	for i, name := range s.index.services {
		o.Services = append(o.Services, serviceCount{name, s.index.counts[i]})
	}
	slices.SortFunc(o.Services, func(a, b serviceCount) int { return b.Rows - a.Rows })
	for i := range s.lines {
		l := &s.lines[i]
		e := entry{Line: l.Number, Text: l.String(), Bad: l.Bad, Words: l.Describe(), Comment: l.Comment}
		if !l.Bad && !l.Expires.IsZero() {
			e.Expires, e.Over = l.Expires.UTC().Format(time.DateOnly), !s.Now().Before(l.Expires)
		}
		o.Entries = append(o.Entries, e)
	}
	return o, nil
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func (s *Server) incident(n int, in *alert.Incident) incident {
	i := incident{Number: n, Rows: len(in.Rows), Row: in.Rows[0], Inbound: in.Inbound}
	if i.Period = in.Period.Seconds(); i.Period > 0 {
		i.Times = in.Count
	}
	if in.Host.IsValid() {
		i.Host = in.Host.String()
	}
	others, ports := map[int32]bool{}, map[uint16]bool{}
	from, to := s.index.facts[in.Rows[0]].ts, conn.Micros(0)
	for _, row := range in.Rows {
		r, f := &s.log.Rows[row], &s.index.facts[row]
		if from, to = min(from, f.ts), max(to, f.ts); r.Score > i.Score {
			i.Score, i.Row = r.Score, row
		}
		if in.Inbound {
			others[f.orig] = true
		} else {
			others[f.resp] = true
		}
		ports[r.Conn.Resp.Port()] = true
	}
	i.From, i.To, i.Others, i.Ports = secondsOf(from), secondsOf(to), len(others), len(ports)
	i.Reason = s.reason(i.Row)
	return i
}

func (s *Server) reason(i int) string {
	if s.log.Model == nil {
		return ""
	}
	return string(s.log.scored(i).AppendReason(nil))
}

type rowsPage struct {
	Total  int       `json:"total"`
	Offset int       `json:"offset"`
	Rows   []rowLine `json:"rows"`
}

// rowLine is a row of the table.
type rowLine struct {
	I       int     `json:"i"`
	TS      float64 `json:"ts"`
	UID     string  `json:"uid"`
	Orig    string  `json:"orig"`
	Resp    string  `json:"resp"`
	Proto   string  `json:"proto"`
	Service string  `json:"service"`
	State   string  `json:"state"`
	Sent    uint64  `json:"sent"`
	Got     uint64  `json:"got"`
	Score   float64 `json:"score"`
	OneIn   uint64  `json:"one_in,omitempty"`
	Reason  string  `json:"reason"`
	Alert   bool    `json:"alert"`
	Label   string  `json:"label"` // "benign", "bad" or ""
}

func (s *Server) line(i int) rowLine {
	r := &s.log.Rows[i]
	c := &r.Conn
	l := rowLine{
		I: i, TS: secondsOf(c.TS), UID: c.UID, Orig: c.Orig.String(), Resp: c.Resp.String(), Proto: c.Proto.String(), Service: c.Service,
		State: c.State.String(), Sent: c.OrigIPBytes, Got: c.RespIPBytes, Score: r.Score, Reason: s.reason(i), Alert: s.alone[i],
	}
	if s.log.Model != nil {
		l.OneIn = s.log.scored(i).OneIn()
	}
	at := c.TS.Time()
	if slices.ContainsFunc(s.lines, func(l alert.AllowLine) bool { return l.Bad && l.Names(c, at) }) {
		l.Label = "bad"
	} else if alert.Find(s.lines, c, at) != nil {
		l.Label = "benign"
	}
	return l
}

func (s *Server) rows(v url.Values) (*rowsPage, error) {
	q, err := parseQuery(v)
	if err != nil {
		return nil, err
	}
	offset := 0
	if text := v.Get("offset"); text != "" {
		if offset, err = strconv.Atoi(text); err != nil || offset < 0 {
			return nil, fmt.Errorf("offset: %q is not a number of rows", text)
		}
	}
	if s.found == nil || q != s.asked {
		var within []int
		if q.incident >= 0 {
			if q.incident >= len(s.told.Incidents) {
				return nil, fmt.Errorf("%w: incident %d", errNotThere, q.incident)
			}
			within = s.told.Incidents[q.incident].Rows
		}
		s.asked, s.found = q, s.index.find(q, within)
	}
	p := &rowsPage{Total: len(s.found), Offset: offset, Rows: []rowLine{}}
	for _, i := range s.found[min(offset, len(s.found)):min(offset+pageRows, len(s.found))] {
		p.Rows = append(p.Rows, s.line(int(i)))
	}
	return p, nil
}
