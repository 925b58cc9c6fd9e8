package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

//go:embed day.html
var dayHTML string

// DayPage is what a page about a day is made of.
type DayPage struct {
	*Day
	Top       int    // how many events are shown
	Files     string // which logs
	Several   bool   // rows of several logs, not connections alone
	Allow     string // the allow-list's file, "" for none
	Other     uint64 // rows of other days
	Unscored  uint64 // rows of the day without a score
	Bad       uint64 // rows that cannot be read
	Cold      uint64 // rows of the day whose host's last minutes are not known
	Model     string // the fingerprint of the model given, "" for none
	Learnt    uint64 // rows that it was made of
	From, To  time.Time
	HasReason bool
	Told      []Told // alerts, in the order in which a sensor would have raised them
}

// Told is an alert: a connection, or an incident of several.
type Told struct {
	At     time.Time
	Score  float64
	Text   string
	Reason string // of a connection
}

// rankLine compares how many rows are as rare as 1 in N with what N says.
type rankLine struct {
	OneIn, Found uint64
	Expected     float64
}

// dayView is what the template sees.
type dayView struct {
	*DayPage
	Hosts              []*DayHost
	Events             int
	HostCount          int
	AllowedRows        uint64
	Lead, Age, Verdict string
	Sick               bool // the verdict is none that one wants to read
	RankLines          []rankLine
	ModelNames         []string
	Wide, Narrow       []template.HTML // scores, volume
}

// numbered is how many events the plot points out.
const numbered = 9

// WriteHTML writes the page: one file that needs nothing from the network.
func (p *DayPage) WriteHTML(w io.Writer) error {
	v := &dayView{DayPage: p, Hosts: p.Strange(p.Top), HostCount: len(p.hosts)}
	var events []*DayEvent
	for _, h := range v.Hosts {
		v.Events += len(h.Events)
		for _, t := range h.Events {
			if t.Number <= numbered {
				events = append(events, t)
			}
		}
	}
	for _, a := range p.Allows {
		v.AllowedRows += a.Rows
	}
	for i, n := 0, uint64(10); i < len(p.Ranks) && p.Ranked > 0; i, n = i+1, n*10 {
		v.RankLines = append(v.RankLines, rankLine{n, p.Ranks[i], float64(p.Ranked) / float64(n)})
	}
	v.Verdict, v.Sick = verdict(v.RankLines)
	v.Lead = v.lead()
	if p.Learnt > 0 {
		v.Age = age(p.To, p.Date.Add(24*time.Hour))
	}
	for name, n := range p.Models {
		v.ModelNames = append(v.ModelNames, fmt.Sprintf("%s (%s)", name, amount(n, "connection")))
	}
	slices.Sort(v.ModelNames)
	if p.Rows > 0 {
		for _, size := range []struct {
			to             *[]template.HTML
			width          vg.Length
			scores, volume vg.Length
		}{{&v.Wide, 25, 9, 4.5}, {&v.Narrow, 9.4, 8, 4.5}} {
			for _, draw := range []func(io.Writer) error{
				func(w io.Writer) error { return p.WriteScores(w, events, size.width, size.scores) },
				func(w io.Writer) error { return p.WriteVolume(w, size.width, size.volume) },
			} {
				var svg bytes.Buffer
				if err := draw(&svg); err != nil {
					return err
				}
				*size.to = append(*size.to, inline(svg.String()))
			}
		}
	}
	t, err := template.New("day").Funcs(template.FuncMap{
		"amount": amount, "thousands": thousands, "clock": clock, "span": span,
		"payload": payload, "to": responders, "ports": portList,
		"score": func(s float64) string { return strconv.FormatFloat(s, 'f', 4, 64) },
		"date":  func(t time.Time) string { return t.UTC().Format("2006-01-02") },
		"round": func(f float64) string { return thousands(uint64(math.Round(f))) },
	}).Parse(dayHTML)
	if err != nil {
		return err
	}
	return t.Execute(w, v)
}

// row returns what a row is.
func (v *dayView) row() string {
	if v.Several {
		return "row"
	}
	return "connection"
}

// lead returns the day in two sentences.
func (v *dayView) lead() string {
	if v.Rows == 0 {
		return "No connection of this day has a score."
	}
	text := fmt.Sprintf("%s of %s were scored. ", amount(v.Rows, v.row()), amount(uint64(v.HostCount), "originator"))
	if len(v.Hosts) == 0 {
		return text + "Nothing stands out."
	}
	first := v.Hosts[0].Events[0]
	text += fmt.Sprintf("The strangest is one from %v to %v", first.Conn.OrigHost(), first.Conn.Resp.Addr())
	if first.Conn.Proto == conn.ICMP { // its ports are a type and a code
		text += " by icmp"
	} else {
		text += fmt.Sprintf(" port %d", first.Conn.Resp.Port())
	}
	text += fmt.Sprintf(", score %.4f", first.Score)
	if first.OneIn > 0 {
		text += fmt.Sprintf(", which one in %s is", thousands(first.OneIn))
	}
	return text + "."
}

// verdict says what the ranks' counts mean, and whether it is bad.
func verdict(lines []rankLine) (text string, sick bool) {
	for i := len(lines) - 1; i >= 0; i-- {
		l := lines[i]
		if l.Expected < fewRows {
			continue
		}
		switch times := float64(l.Found) / l.Expected; {
		case times > 3:
			return fmt.Sprintf("%.0f times as many connections as expected are as rare as 1 in %s: either something is going on, or the traffic has changed since the model was made; then train it anew.", times, thousands(l.OneIn)), true
		case times < 1.0/3:
			return fmt.Sprintf("Far fewer connections than expected are as rare as 1 in %s: what the model was made of was more varied than this day.", thousands(l.OneIn)), true
		}
		return "The model fits this day: about as many connections are rare as it expects.", false
	}
	return "There are too few connections to tell whether the model still fits.", true
}

// age returns how old the model is at the end of the day.
func age(learnt, end time.Time) string {
	switch d := end.Sub(learnt); {
	case d < 0:
		return "it has learnt from later days, too"
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f hours before the end of this day", d.Hours())
	default:
		return fmt.Sprintf("%.0f days before the end of this day", d.Hours()/24)
	}
}

// span returns when something happened.
func span(first, last time.Time) string {
	if last.Sub(first) < time.Minute {
		return clock(first)
	}
	return clock(first) + " to " + clock(last)
}

// responders names the first responders.
func responders(t *DayEvent) string {
	var names []string
	for _, a := range t.Responders {
		names = append(names, a.String())
	}
	return more(names, t.MoreHosts)
}

// portList names the first ports; ICMP's are no ports.
func portList(t *DayEvent) string {
	if t.Conn.Proto == conn.ICMP {
		return ""
	}
	ports := slices.Clone(t.Ports)
	slices.Sort(ports)
	var names []string
	for _, p := range ports {
		names = append(names, strconv.Itoa(int(p)))
	}
	if len(names) == 1 {
		return ", port " + names[0]
	}
	return ", ports " + more(names, t.MorePorts)
}

func more(names []string, n int) string {
	text := strings.Join(names, ", ")
	if n > 0 {
		text += fmt.Sprintf(" and %s more", thousands(uint64(n)))
	}
	return text
}

// amount is "1 row", "2 rows", "12,345 rows".
func amount(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}

// thousands sets commas.
func thousands(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// payload says how much was sent and received, as far as it is known.
func payload(c conn.Conn) (text string) {
	if c.Has(conn.OrigBytes) {
		text = ", " + byteCount(c.OrigBytes) + " sent"
	}
	if c.Has(conn.RespBytes) {
		text += ", " + byteCount(c.RespBytes) + " received"
	}
	return text
}

func byteCount(n uint64) string {
	for _, unit := range []string{"bytes", "kB", "MB", "GB"} {
		if n < 10_000 {
			return thousands(n) + " " + unit
		}
		n = (n + 500) / 1000
	}
	return thousands(n) + " TB"
}
