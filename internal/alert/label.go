package alert

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// A label is what somebody said of a connection: benign, or bad. It is an entry
// of the allow-list that names what is alike: the connection's kind, which is
// what the learner tells apart (model/learn/cells.go), and the kinds beside it.
// A benign one is left out of alerts until it ends; a bad one holds against all
// other entries and has no end.

// label is what an entry names beyond an allow-list's columns.
type label struct {
	Bad       bool       // what is named is told, whatever other entries say
	OfProto   conn.Proto // of any port; UnknownTransport for any
	Side      Side       // who originated it
	State     string     // conn_state, "" for any
	OrigBytes Span       // orig_ip_bytes
	RespBytes Span       // resp_ip_bytes
	UID       string     // of the connection that was labelled
}

// Side says whose host the originator is.
type Side uint8

const (
	AnySide Side = iota
	Own          // the site's, as model/alerts has it
	Others
)

// Span is a range of numbers, both ends included.
type Span struct {
	Low, High uint64
	Set       bool
}

func (s Span) has(n uint64) bool { return !s.Set || n >= s.Low && n <= s.High }

func (s Span) String() string { return fmt.Sprintf("%d-%d", s.Low, s.High) }

// beside returns the range of the numbers of n's magnitude and the two beside it.
func beside(n uint64) Span {
	magnitude := bits.Len64(n)
	s := Span{High: 1<<min(magnitude+1, 63) - 1, Set: true}
	if magnitude > 1 {
		s.Low = 1 << (magnitude - 2)
	}
	return s
}

func (l *label) names(c *conn.Conn) bool {
	return (l.State == "" || l.State == c.State.String()) && l.OrigBytes.has(c.OrigIPBytes) && l.RespBytes.has(c.RespIPBytes) &&
		(l.OfProto == conn.UnknownTransport || l.OfProto == c.Proto) && (l.Side == AnySide || (l.Side == Own) == alerts.Own(c))
}

func (l *label) write(add func(bool, string)) {
	add(l.Bad, "bad")
	add(l.OfProto != conn.UnknownTransport, l.OfProto.String())
	add(l.Side != AnySide, map[Side]string{Own: "T", Others: "F"}[l.Side])
	add(l.State != "", l.State)
	add(l.OrigBytes.Set, l.OrigBytes.String())
	add(l.RespBytes.Set, l.RespBytes.String())
	uid := strings.Join(strings.Fields(clean(l.UID)), "")
	add(uid != "", uid)
}

func (l *label) describe(words []string) []string {
	if l.OfProto != conn.UnknownTransport {
		words = append(words, "any port/"+l.OfProto.String())
	}
	switch l.Side {
	case Own:
		words = append(words, "originated here")
	case Others:
		words = append(words, "originated elsewhere")
	}
	if l.State != "" {
		words = append(words, "conn_state "+l.State)
	}
	if l.OrigBytes.Set {
		words = append(words, fmt.Sprintf("%v bytes sent", l.OrigBytes))
	}
	if l.RespBytes.Set {
		words = append(words, fmt.Sprintf("%v received", l.RespBytes))
	}
	return words
}

// set sets a field from its text.
func (l *label) set(name, value string) error {
	switch name {
	case "verdict":
		switch value {
		case "bad":
			l.Bad = true
		case "benign":
		default:
			return fmt.Errorf("%q is neither benign nor bad", value)
		}
	case "proto":
		var ok bool
		if l.OfProto, ok = conn.ParseProto(value); !ok {
			return fmt.Errorf("there is no protocol %q", value)
		}
	case "local_orig":
		switch value {
		case "T":
			l.Side = Own
		case "F":
			l.Side = Others
		default:
			return fmt.Errorf("%q is neither T nor F", value)
		}
	case "conn_state":
		if _, ok := conn.ParseState(value); !ok {
			return fmt.Errorf("there is no conn_state %q", value)
		}
		l.State = value
	case "orig_ip_bytes", "resp_ip_bytes":
		low, high, _ := strings.Cut(value, "-")
		s := Span{Set: true}
		var errs [2]error
		s.Low, errs[0] = strconv.ParseUint(low, 10, 63)
		s.High, errs[1] = strconv.ParseUint(high, 10, 63)
		if errors.Join(errs[:]...) != nil || s.Low > s.High {
			return fmt.Errorf("%q is not a range such as 1024-8191", value)
		}
		if name == "orig_ip_bytes" {
			l.OrigBytes = s
		} else {
			l.RespBytes = s
		}
	case "uid":
		l.UID = value
	}
	return nil
}

// wholeLabel refuses a header with only some of a label's columns.
func wholeLabel(columns []int) error {
	var missing []string
	for i, name := range labelFields {
		if !slices.Contains(columns, len(allowFields)+i) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 && len(missing) < len(labelFields) {
		return fmt.Errorf("some columns of labels are missing: %s", strings.Join(missing, ", "))
	}
	return nil
}

func hasLabels(lines []AllowLine) bool {
	return slices.ContainsFunc(lines, func(l AllowLine) bool { return l.label != (label{}) })
}

// Scope says for whom a label holds.
type Scope string

// The scopes.
const (
	ScopePair Scope = "pair" // the site's host with the same other host
	ScopeHost Scope = "host" // the site's host
	ScopeSite Scope = "site" // all hosts
)

// Scopes are the scopes, the narrowest first.
var Scopes = []string{string(ScopePair), string(ScopeHost), string(ScopeSite)}

// Like returns a label of the connection: what is alike has its port, service,
// direction, conn_state, and about its bytes. Of attempts that came to nothing
// the bytes do not count, and for a host, not the port of those in which it sent
// nothing itself or that came from outside: a host that tries ports stays loud.
func Like(c *conn.Conn, scope Scope) *Entry {
	e := &Entry{Port: c.Resp.Port(), HasPort: true, Proto: c.Proto, Service: c.Service}
	e.UID = strings.Clone(c.UID)
	if c.State != conn.NoState {
		e.State = c.State.String()
	}
	if !c.State.Failed() {
		e.OrigBytes, e.RespBytes = beside(c.OrigIPBytes), beside(c.RespIPBytes)
	}
	own := alerts.Own(c)
	if own || scope == ScopePair {
		e.Originator = c.Orig.Addr()
	}
	if !own || scope == ScopePair {
		e.Responder = c.Resp.Addr()
	}
	e.Side = Others
	if own {
		e.Side = Own
	}
	switch {
	case scope == ScopeSite:
		e.Originator, e.Responder = netip.Addr{}, netip.Addr{}
	case c.State.Failed() && (!own || c.OrigIPBytes == 0):
		if own {
			e.OrigBytes = Span{Set: true}
		}
		e.Port, e.HasPort, e.Proto, e.OfProto = 0, false, conn.UnknownTransport, c.Proto
	}
	return e
}

// MakeBad makes the label a bad one. Its end has been: an older sensor, which
// knows no verdicts, would take it for a benign one otherwise.
func (e *Entry) MakeBad() { e.Bad, e.Expires = true, time.Unix(0, 0) }

// Find returns the entry by which nobody is to be told of the connection, nil
// where there is none or a bad one names it, too.
func Find(lines []AllowLine, c *conn.Conn, now time.Time) (by *AllowLine) {
	for i := range lines {
		if by != nil && !lines[i].Bad || !lines[i].Names(c, now) {
			continue
		}
		if lines[i].Bad {
			return nil
		}
		by = &lines[i]
	}
	return by
}
