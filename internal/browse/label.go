package browse

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/internal/alert"
)

// labelling is what somebody says of a row.
type labelling struct {
	Row     int    `json:"row"`
	Verdict string `json:"verdict"` // "benign" or "bad"
	Scope   string `json:"scope"`
	Why     string `json:"why"`
	Days    int    `json:"days"` // until a benign one ends
}

const (
	longestWhy = 500
	mostDays   = 3650
)

// tried is what a label would change.
type tried struct {
	Words   string    `json:"words"`
	Before  int       `json:"before"` // lines told
	After   int       `json:"after"`
	Quieted int       `json:"quieted"`
	Gone    []rowLine `json:"gone"`
	New     []rowLine `json:"new"`
	Wrong   string    `json:"wrong,omitempty"` // why it cannot be written
}

func (s *Server) entry(l *labelling) (*alert.Entry, error) {
	if _, err := s.number(fmt.Sprint(l.Row)); err != nil {
		return nil, err
	}
	if !slices.Contains(alert.Scopes, l.Scope) {
		return nil, fmt.Errorf("scope: %q is none of %s", l.Scope, strings.Join(alert.Scopes, ", "))
	}
	if len(l.Why) > longestWhy {
		return nil, fmt.Errorf("the reason is longer than %d bytes", longestWhy)
	}
	e := alert.Like(s.log.Conn(l.Row), alert.Scope(l.Scope))
	switch e.Comment = l.Why; l.Verdict {
	case "bad":
		e.MakeBad()
	case "benign":
		if l.Days < 1 || l.Days > mostDays {
			return nil, fmt.Errorf("days: want from 1 to %d", mostDays)
		}
		e.Expires = s.Now().AddDate(0, 0, l.Days)
	default:
		return nil, fmt.Errorf("verdict: %q is neither benign nor bad", l.Verdict)
	}
	return e, nil
}

// mostShown of the alerts that a label changes.
const mostShown = 20

func (s *Server) tryLabel(l *labelling) (*tried, error) {
	e, err := s.entry(l)
	if err != nil {
		return nil, err
	}
	d := alert.Compare(s.log, s.PerDay, s.lines, append(slices.Clone(s.lines), alert.AllowLine{Entry: *e}))
	t := &tried{Words: e.Describe(), Before: d.Before.Lines, After: d.After.Lines, Quieted: d.Quieted, Gone: []rowLine{}, New: []rowLine{}}
	if err := e.Check(); err != nil {
		t.Wrong = err.Error()
	}
	for _, i := range d.Gone[:min(mostShown, len(d.Gone))] {
		t.Gone = append(t.Gone, s.line(i))
	}
	for _, i := range d.New[:min(mostShown, len(d.New))] {
		t.New = append(t.New, s.line(i))
	}
	return t, nil
}

// written says that the allow-list has changed.
type written struct {
	Words string `json:"words"`
	File  string `json:"file"`
}

func (s *Server) writeLabel(l *labelling) (*written, error) {
	e, err := s.entry(l)
	if err != nil {
		return nil, err
	}
	if err := alert.AppendAllow(s.Allow, e); err != nil {
		return nil, err
	}
	s.reload()
	return &written{e.Describe(), s.Allow}, nil
}

// removeLabel takes a line out, if it is still the one that the page showed.
func (s *Server) removeLabel(line int, text string) (*written, error) {
	s.reload()
	shown := slices.ContainsFunc(s.lines, func(l alert.AllowLine) bool { return l.Number == line && l.String() == text })
	now, err := os.ReadFile(s.Allow)
	if err != nil {
		return nil, err
	}
	if !shown || !bytes.Equal(now, s.text) {
		return nil, errors.New("the allow-list has changed meanwhile: look again")
	}
	e, err := alert.RemoveAllow(s.Allow, line)
	if err != nil {
		return nil, err
	}
	s.reload()
	return &written{e.Describe(), s.Allow}, nil
}
