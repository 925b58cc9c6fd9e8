package alert

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

const (
	repeatAfter = conn.Micros(3600e6) // one alert of the same originator, responder and port within it
	quiet       = conn.Micros(300e6)  // a storm is over after so long without a connection
	ownAlerts   = 2                   // of an originator within repeatAfter, further ones are a storm
	crowd       = 10                  // connections beyond the limit of an hour are worth a line
	gather      = 500 * time.Millisecond
	gatherRows  = conn.Micros(gather / time.Microsecond)

	maxFolds      = 1 << 14 // triples and originators that are remembered
	maxSamples    = 10
	maxPorts      = 20
	maxResponders = 1000
)

// triple is what makes two connections the same for the reader of alerts.
type triple struct {
	Orig, Resp netip.Addr
	Port       uint16
}

func tripleOf(c *conn.Conn) triple { return triple{c.Orig.Addr(), c.Resp.Addr(), c.Resp.Port()} }

// gathered is a group of connections that becomes one alert.
type gathered struct {
	Alert   Alert               `json:"alert"`
	Begun   conn.Micros         `json:"begun"`  // the log's time
	Latest  conn.Micros         `json:"latest"` // the same
	Targets map[string]struct{} `json:"targets"`
	AllPort map[uint16]struct{} `json:"all_ports"`
	held    time.Time           // since when it waits for more, the machine's clock
}

// hit is a connection that is unusual enough.
type hit struct {
	conn    *conn.Conn
	score   float64
	oneIn   uint64
	reason  func() string
	repeats uint64
}

func gatherFrom(k Kind, h *hit, now conn.Micros) *gathered {
	at := h.conn.TS.Time()
	g := &gathered{
		Alert:   Alert{ID: newID(k, h.conn), Kind: k, Repeats: h.repeats, First: at, Last: at},
		Begun:   now,
		Targets: map[string]struct{}{}, AllPort: map[uint16]struct{}{},
	}
	g.add(h, now)
	return g
}

func (g *gathered) add(h *hit, now conn.Micros) {
	a, c := &g.Alert, h.conn
	if a.Count++; a.Count == 1 || h.score > a.Score {
		a.Score, a.OneIn, a.Reason, a.Connection, a.Time = h.score, h.oneIn, strings.Clone(h.reason()), summary(c), c.TS.Time()
	}
	if len(a.UIDs) < maxSamples {
		a.UIDs = append(a.UIDs, strings.Clone(c.UID))
	}
	if at := c.TS.Time(); at.Before(a.First) {
		a.First = at
	} else if at.After(a.Last) {
		a.Last = at
	}
	if len(g.Targets) < maxResponders {
		g.Targets[c.Resp.Addr().String()] = struct{}{}
	}
	if _, known := g.AllPort[c.Resp.Port()]; !known {
		g.AllPort[c.Resp.Port()] = struct{}{}
		if len(a.Ports) < maxPorts {
			a.Ports = append(a.Ports, c.Resp.Port())
		}
	}
	g.Latest = now
}

// done is the alert.
func (g *gathered) done() *Alert {
	a := g.Alert
	a.Responders, a.MorePorts = len(g.Targets), len(g.AllPort)-len(a.Ports)
	slices.Sort(a.Ports)
	return &a
}

// said is an alert that was raised, so that its repeats are not.
type said struct {
	At      conn.Micros `json:"at"`
	Repeats uint64      `json:"repeats"`
}

// Folds decides which connections become alerts of their own. Its clock is the
// log's. All of it goes into the state file.
type Folds struct {
	PerHour int `json:"-"` // the hard limit, over all originators; 0 for none

	Now     conn.Micros              `json:"now"`
	Said    map[string]*said         `json:"said"`    // by triple
	Own     map[string][]conn.Micros `json:"own"`     // alerts of an originator
	Held    map[string]*gathered     `json:"held"`    // about to be sent, by originator
	Storms  map[string]*gathered     `json:"storms"`  // by originator
	Beyond  *gathered                `json:"beyond"`  // the limit of the hour
	Ready   []*gathered              `json:"ready"`   // complete
	Alerts  []conn.Micros            `json:"alerts"`  // of the last hour
	Folded  uint64                   `json:"folded"`  // connections that are in another's alert
	Skipped uint64                   `json:"skipped"` // repeats
}

func newFolds(perHour int) *Folds {
	return &Folds{PerHour: perHour, Said: map[string]*said{}, Own: map[string][]conn.Micros{}, Held: map[string]*gathered{}, Storms: map[string]*gathered{}}
}

func (t triple) String() string {
	return netip.AddrPortFrom(t.Resp, t.Port).String() + " " + t.Orig.String()
}

// known takes a connection that belongs to an alert which was raised already,
// and reports whether it does. Such a connection costs no part of the budget.
func (f *Folds) known(h *hit) bool {
	if len(f.Said) == 0 && len(f.Storms) == 0 {
		return false
	}
	f.advance(h.conn.TS)
	orig := h.conn.Orig.Addr().String()
	if g := f.Held[orig]; g != nil && f.Now-g.Begun >= gatherRows {
		f.Ready = append(f.Ready, g) // a backlog is read faster than the machine's clock goes
		delete(f.Held, orig)
	} else if g != nil {
		g.add(h, f.Now)
		f.Folded++
		f.Said[tripleOf(h.conn).String()] = &said{At: f.Now}
		return true
	}
	if s := f.Said[tripleOf(h.conn).String()]; s != nil && f.Now-s.At < repeatAfter {
		s.Repeats++
		f.Skipped++
		return true
	}
	if g := f.Storms[orig]; g != nil {
		if f.over(g, f.Now) {
			f.Ready = append(f.Ready, g)
			delete(f.Storms, orig)
			return false
		}
		g.add(h, f.Now)
		f.Folded++
		return true
	}
	return false
}

// raise takes a connection that is worth an alert. clock says when, for how
// long it is held.
func (f *Folds) raise(h *hit, clock func() time.Time) {
	f.advance(h.conn.TS)
	key, orig := tripleOf(h.conn).String(), h.conn.Orig.Addr().String()
	if s := f.Said[key]; s != nil {
		h.repeats = s.Repeats
	}
	f.forget()
	f.Own[orig] = recent(f.Own[orig], f.Now)
	f.Alerts = recent(f.Alerts, f.Now)
	switch {
	case len(f.Own[orig]) >= ownAlerts:
		f.Storms[orig] = gatherFrom(Storm, h, f.Now)
		f.Folded++
		return
	case f.PerHour > 0 && len(f.Alerts) >= f.PerHour:
		f.beyond(h)
		return
	}
	f.Own[orig], f.Alerts = append(f.Own[orig], f.Now), append(f.Alerts, f.Now)
	f.Said[key] = &said{At: f.Now}
	if before := f.Held[orig]; before != nil {
		f.Ready = append(f.Ready, before)
	}
	g := gatherFrom(Connection, h, f.Now)
	g.held = clock()
	f.Held[orig] = g
}

// storm takes a connection that is unusual enough, but one too many for its
// hour, and reports whether it belongs to an originator with an alert: then it
// is part of a storm.
func (f *Folds) storm(h *hit) bool {
	orig := h.conn.Orig.Addr().String()
	if len(f.Own[orig]) == 0 {
		return false
	}
	f.advance(h.conn.TS)
	if f.Own[orig] = recent(f.Own[orig], f.Now); len(f.Own[orig]) == 0 {
		return false
	}
	f.Storms[orig] = gatherFrom(Storm, h, f.Now)
	f.Folded++
	return true
}

// beyond takes a connection that is one too many for its hour.
func (f *Folds) beyond(h *hit) {
	f.advance(h.conn.TS)
	if g := f.Beyond; g != nil && f.over(g, f.Now) {
		if f.Beyond = nil; g.Alert.Count >= crowd {
			f.Ready = append(f.Ready, g)
		}
	}
	if f.Beyond == nil {
		f.Beyond = gatherFrom(Limit, h, f.Now)
	} else {
		f.Beyond.add(h, f.Now)
	}
}

// recent drops times that are repeatAfter ago.
func recent(times []conn.Micros, now conn.Micros) []conn.Micros {
	return slices.DeleteFunc(times, func(t conn.Micros) bool { return now-t >= repeatAfter || t > now })
}

// advance brings the clock to a row's time. A row that is earlier counts as
// now, and one that is a day or more off sets the clock anew.
func (f *Folds) advance(ts conn.Micros) {
	const day = 24 * repeatAfter
	if ts > f.Now || f.Now-ts > day {
		if f.Now != 0 && (ts-f.Now > day || f.Now-ts > day) {
			clear(f.Said)
			clear(f.Own)
			f.Alerts = nil
		}
		f.Now = ts
	}
}

// forget keeps memory bounded.
func (f *Folds) forget() {
	if len(f.Said) < maxFolds && len(f.Own) < maxFolds {
		return
	}
	for key, s := range f.Said {
		if f.Now-s.At >= repeatAfter {
			delete(f.Said, key)
		}
	}
	for key, times := range f.Own {
		if len(recent(times, f.Now)) == 0 {
			delete(f.Own, key)
		}
	}
	if len(f.Said) >= maxFolds {
		clear(f.Said)
	}
	if len(f.Own) >= maxFolds {
		clear(f.Own)
	}
}

// due returns the alerts that are complete. clock is the machine's; passed is
// how much of its time has gone by since the last row, for a log that has
// fallen silent; all takes everything.
func (f *Folds) due(clock time.Time, passed time.Duration, all bool) []*Alert {
	var out []*Alert
	for _, g := range f.Ready {
		out = append(out, g.done())
	}
	f.Ready = nil
	now := f.Now + conn.Micros(passed.Microseconds())
	for key, g := range f.Held {
		if all || clock.Sub(g.held) >= gather {
			out = append(out, g.done())
			delete(f.Held, key)
		}
	}
	for key, g := range f.Storms {
		if all || f.over(g, now) {
			out = append(out, g.done())
			delete(f.Storms, key)
		}
	}
	if g := f.Beyond; g != nil && (all || f.over(g, now)) {
		if f.Beyond = nil; g.Alert.Count >= crowd {
			out = append(out, g.done())
		}
	}
	slices.SortFunc(out, func(a, b *Alert) int {
		return strings.Compare(a.First.Format(time.RFC3339Nano)+a.ID, b.First.Format(time.RFC3339Nano)+b.ID)
	})
	return out
}

func (f *Folds) over(g *gathered, now conn.Micros) bool {
	return now-g.Latest >= quiet || now-g.Begun >= repeatAfter || g.Latest > now
}
