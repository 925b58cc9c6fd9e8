package report

import (
	"net/netip"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

const (
	dayBins    = 1000        // of the score, for the lines of the plot
	daySlots   = 24 * 6      // of ten minutes
	maxHosts   = 1 << 16     // that are counted
	namedHosts = 5           // responders and ports that are named
	slot       = 600_000_000 // microseconds
)

// Scored is a connection of the day and what its score says. Reason is called
// where it is needed, before the next row is observed.
type Scored struct {
	Conn   *conn.Conn
	Score  float64 // (0, 1)
	OneIn  uint64  // N of "1 in N", or 0 if it is not known
	Model  string  // the fingerprint, or "" if it is not known
	Reason func() string
}

// Day gathers what a page about one day (UTC) says. Rows come in the order of
// the log; those of other days are left out. Memory is bounded by the kinds of
// connection, of which it forgets the ordinary half when there are too many.
// It is for one goroutine.
type Day struct {
	Date   time.Time // midnight UTC
	Rows   uint64    // scored
	Models map[string]uint64
	Allows []*Allowed // for the caller to fill
	Ranks  [4]uint64  // rows at least as rare as 1 in 10, 100, 1000, 10000
	Ranked uint64     // rows with a rank

	begin, end conn.Micros
	kinds      *Strangest[dayKind]
	hosts      map[conn.Host]struct{}
	scores     [daySlots][dayBins]uint32
	most       [daySlots]float64
}

// Allowed is an entry of the allow-list and what it kept off the page.
type Allowed struct {
	Entry, Expires, Comment string
	Over                    bool // it has expired
	Rows                    uint64
}

// dayKind is what connections have in common that are one thing to look at.
type dayKind struct {
	orig, resp conn.Host
	port       uint16
	service    string
	state      conn.State
}

// NewDay returns an empty day.
func NewDay(date time.Time) *Day {
	date = date.UTC().Truncate(24 * time.Hour)
	begin := conn.Micros(date.UnixMicro())
	return &Day{
		Date: date, begin: begin, end: begin + 24*3600e6,
		Models: map[string]uint64{}, kinds: NewStrangest[dayKind](), hosts: map[conn.Host]struct{}{},
	}
}

// Has reports whether a time is of the day.
func (d *Day) Has(at conn.Micros) bool { return at >= d.begin && at < d.end }

// Observe takes a row of the day that the allow-list does not name.
func (d *Day) Observe(s *Scored) {
	c := s.Conn
	if !d.Has(c.TS) {
		return
	}
	d.Rows++
	if len(d.hosts) < maxHosts {
		d.hosts[c.OrigHost()] = struct{}{}
	}
	if s.Model != "" && (len(d.Models) < 100 || d.Models[s.Model] > 0) {
		d.Models[s.Model]++
	}
	if s.OneIn > 0 {
		d.Ranked++
		for i, n := 0, uint64(10); i < len(d.Ranks); i, n = i+1, n*10 {
			if s.OneIn >= n {
				d.Ranks[i]++
			}
		}
	}
	at := int((c.TS - d.begin) / slot)
	d.scores[at][min(int(s.Score*dayBins), dayBins-1)]++
	d.most[at] = max(d.most[at], s.Score)

	k := dayKind{c.OrigHost(), c.RespHost(), c.Resp.Port(), c.Service, c.State}
	d.kinds.Observe(k, d.Rows, s.Score, c.TS, func(t *Strange) { t.OneIn, t.Conn, t.Reason = s.OneIn, *c, strings.Clone(s.Reason()) })
}

// DayHost is an originator with what it did.
type DayHost struct {
	Host   conn.Host
	Events []*DayEvent
}

// DayEvent is what a host did for one reason: the strangest connection, and
// what is like it.
type DayEvent struct {
	Number     int // by score, from 1
	Score      float64
	OneIn      uint64
	Conn       conn.Conn
	Why, Also  string // the first reason, the others
	Count      uint64
	Responders []netip.Addr // distinct, the first few
	MoreHosts  int
	Ports      []uint16
	MorePorts  int
	First, End time.Time
}

// strangeFrom is the rank from which on something is called strange: on a quiet
// day the list ends where every tenth connection is as unusual.
const strangeFrom = 10

// Strange folds the day's connections by host and reason, the strangest first,
// and returns the hosts of the first n such things. What is known to be less rare
// than 1 in 10 is none of them.
func (d *Day) Strange(n int) []*DayHost {
	type key struct {
		host   conn.Host
		reason string
	}
	type seen struct {
		event *DayEvent
		resp  map[conn.Host]struct{}
		ports map[uint16]struct{}
	}
	found := map[key]*seen{}
	var order []*DayEvent
	var hosts []*DayHost
	of := map[conn.Host]*DayHost{}
	for _, t := range d.kinds.Sorted() {
		if t.OneIn > 0 && t.OneIn < strangeFrom {
			continue
		}
		k := key{t.Conn.OrigHost(), reasonKind(t.Reason)}
		s := found[k]
		if s == nil {
			if len(order) == n {
				break // what comes now is less strange than all that is shown
			}
			why, also, _ := strings.Cut(t.Reason, "; ")
			s = &seen{
				event: &DayEvent{Number: len(order) + 1, Score: t.Score, OneIn: t.OneIn, Conn: t.Conn, Why: why, Also: also, First: t.First.Time(), End: t.Last.Time()},
				resp:  map[conn.Host]struct{}{}, ports: map[uint16]struct{}{},
			}
			found[k] = s
			order = append(order, s.event)
			if of[k.host] == nil {
				of[k.host] = &DayHost{Host: k.host}
				hosts = append(hosts, of[k.host])
			}
			of[k.host].Events = append(of[k.host].Events, s.event)
		}
		s.event.Count += t.Alike
		if at := t.First.Time(); at.Before(s.event.First) {
			s.event.First = at
		}
		if at := t.Last.Time(); at.After(s.event.End) {
			s.event.End = at
		}
		if _, known := s.resp[t.Conn.RespHost()]; !known {
			s.resp[t.Conn.RespHost()] = struct{}{}
			if len(s.event.Responders) < namedHosts {
				s.event.Responders = append(s.event.Responders, t.Conn.Resp.Addr())
			} else {
				s.event.MoreHosts++
			}
		}
		if _, known := s.ports[t.Conn.Resp.Port()]; !known {
			s.ports[t.Conn.Resp.Port()] = struct{}{}
			if len(s.event.Ports) < namedHosts {
				s.event.Ports = append(s.event.Ports, t.Conn.Resp.Port())
			} else {
				s.event.MorePorts++
			}
		}
	}
	return hosts
}

// reasonKind returns what a reason is about: its first word, which names the feature
// ("orig_bytes 4.2 GB, …", "212 responders in five minutes, …").
func reasonKind(reason string) string {
	first, _, _ := strings.Cut(reason, ";")
	for _, word := range strings.Fields(first) {
		if c := word[0] | 0x20; c >= 'a' && c <= 'z' {
			return word
		}
	}
	return ""
}

// quantile returns the score that a share of a slot's connections does not reach;
// false where there were none.
func (d *Day) quantile(at int, share float64) (float64, bool) {
	total := uint64(0)
	for _, n := range d.scores[at] {
		total += uint64(n)
	}
	if total == 0 {
		return 0, false
	}
	want, sum := uint64(share*float64(total-1))+1, uint64(0)
	for bin, n := range d.scores[at] {
		if sum += uint64(n); sum >= want {
			return (float64(bin) + 0.5) / dayBins, true
		}
	}
	return 1, true
}
