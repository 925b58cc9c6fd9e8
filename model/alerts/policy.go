// Package alerts is the one policy by which people hear of unusual connections.
// The sensor, score --alerts-per-day, watch, drill, report and eval --campaign
// all run it, so the same log, model and budget give the same alerts.
//
// What counts is the site's own host: a scan of it from a thousand addresses
// is one thing to look at, and so is all that an infected host does. Its first
// unusual connection is an alert, and opens an incident; the others are folded
// into that incident, which is told again when it has grown tenfold and when
// it is over. The budget is a number of lines a day, and a maximum: a quiet
// day has fewer.
package alerts

import (
	"net/netip"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// DefaultPerDay is the budget: lines a day at most.
const DefaultPerDay = 20

const (
	hour = conn.Micros(3600e6)
	day  = 24 * hour

	// Connections that score less raise nothing, however quiet the day is.
	leastScore = 0.55
	// Each alert of a host in the last day makes its next one that much harder,
	// so that a host which is always strange leaves room for others.
	repeatCost = 0.02
	// A connection that is stranger by so much than all of its incident is an
	// alert of its own.
	stranger = 0.02
	// An hour gets this share of the budget at most, but one alert at least. So
	// does the beginning, of which there is no day before.
	hourShare = 1.0 / 6
	// An incident is over after so long without a connection of it.
	quiet = hour
	// An incident is told when it has so many connections, and at ten times as
	// many again.
	growth = 10
	// Over, it is told if that many connections are in it, and twice as many as
	// when it was told before.
	worthTelling = 3
	// A model that has just come into use raises nothing before so many
	// connections have shown what it makes of them.
	freshRows = 1000

	// When a log begins, what its hosts did before is not known, so nothing is
	// raised for so long. When it began the latest of the first rows says.
	opening     = conn.Micros(300e6)
	openingRows = 64

	maxHosts = 1 << 12
	maxOpen  = 1 << 9
)

// Row is what the policy needs of a scored connection.
type Row struct {
	TS    conn.Micros
	End   conn.Micros // when it ended, or was looked at
	Orig  netip.AddrPort
	Resp  netip.AddrPort
	Own   bool    // the originator is a host of the site
	Score float64 // anomaly_score, as the log has it
	Cold  bool    // the originator's window may lack connections
	Model string  // whose score it is, "" where that is not known
	Calls bool    // it may be one of a beacon: a host of the site calls one outside
	Open  bool    // it goes on: LookRow
}

// RowOf is the row of a connection.
func RowOf(c *conn.Conn, score float64, cold bool, model string) Row {
	return Row{TS: c.TS, End: c.End(), Orig: c.Orig, Resp: c.Resp, Own: Own(c), Score: score, Cold: cold, Model: model, Calls: mayBeacon(c)}
}

// Own reports whether the originator is a host of the site: by local_orig where
// Zeek has set it, else by a private address.
func Own(c *conn.Conn) bool {
	if c.Has(conn.LocalOrig) {
		return c.LocalOrig
	}
	return c.Orig.Addr().IsPrivate()
}

// Verdict says what becomes of an unusual connection.
type Verdict uint8

const (
	Suppressed Verdict = iota // the hour, or the day, has had its alerts
	Folded                    // it belongs to an incident that was told
	Raise                     // it is worth an alert
)

// Policy decides which rows of a log are told. It knows no clock but the rows'
// own, so the same rows give the same alerts. All memory (about 1 MB) is
// reserved at once, and only the end of an incident may allocate. A Policy is
// not safe for concurrent use.
type Policy struct {
	perDay  float64
	perHour int
	model   string // of the latest row
	fresh   int    // rows until it may raise alerts

	now   conn.Micros // the latest time; it never goes back within a day
	begun conn.Micros // when the time that is known began
	rows  int         // of the opening
	hour  int64       // of now, since 1970
	aired conn.Micros // when the open incidents were last looked through

	places  *recent.Table[hostKey]
	hosts   []host   // by place
	place   int      // of the latest row's host
	at      int      // the latest row's bin
	unusual bool     // the latest row, by its score
	best    []uint32 // how many hours of hosts have their strangest row in each bin
	limit   int      // rows in bins from it on are unusual
	stale   bool     // limit must be computed anew

	open    []int32  // places of hosts with an incident
	beyond  Incident // what had no room
	beacons beacons
	pending *pair     // the latest row's, if it is a beacon to be told
	beacon  *Incident // the latest Raise's
	long    toldLong
	ready   []Incident // to be told
	lines   [24]uint32 // told, by hour
	alerts  [24]uint32 // of them, alerts
	latest  conn.Micros

	Raised     uint64 // alerts, and incidents that were told
	Folded     uint64 // connections
	Suppressed uint64 // connections
}

// New returns a policy of at most perDay lines a day, none for 0.
func New(perDay float64) *Policy {
	p := &Policy{
		perDay: perDay, stale: true, hour: noHour,
		places: recent.New[hostKey](maxHosts), hosts: make([]host, maxHosts),
		beacons: newBeacons(), long: newToldLong(), best: make([]uint32, bins), open: make([]int32, 0, maxOpen), ready: make([]Incident, 0, 2*maxOpen),
	}
	for i := range p.hosts {
		p.hosts[i].open = -1
	}
	return p
}

// noHour is before any row.
const noHour = -1 << 40

// SetPerDay changes the budget.
func (p *Policy) SetPerDay(perDay float64) { p.perDay, p.stale = perDay, true }

// SetPerHour sets how many alerts an hour may have, 0 for its share of the
// budget.
func (p *Policy) SetPerHour(n int) { p.perHour = n }

// Unusual takes the next row and reports whether it is unusual enough to be
// told; if it is, Raise may follow. A row whose window is cold never is, nor
// one of a model that is new. One that the seed model scored is passed over: the
// day begins with the first model of the network's own. It does not allocate.
func (p *Policy) Unusual(r *Row) bool {
	if p.perDay <= 0 || strings.HasPrefix(r.Model, seed.Prefix) {
		return false
	}
	if r.Open {
		return p.look(r)
	}
	p.advance(r)
	if p.rows < openingRows { // a row is written at its connection's end, so one alone says little
		p.rows++
		p.begun = p.now
	}
	if r.Model != p.model {
		p.take(r.Model)
	}
	if r.Cold || p.now-p.begun < opening {
		return false
	}
	if p.fresh > 0 {
		p.fresh--
		return false
	}
	p.pending = nil
	if r.Calls {
		if b := p.beacons.meet(r, p.now); b != nil && p.roomToday() {
			p.pending = b
		}
	}
	if r.Score < leastScore && p.pending == nil {
		return false
	}
	p.place = p.use(keyOf(r))
	h := &p.hosts[p.place]
	p.at = p.binOf(h, r)
	if h.open >= 0 && p.over(&h.incident) {
		p.end(p.place)
	}
	p.unusual = h.open >= 0 && r.Score >= h.incident.level
	if !p.unusual {
		p.settle()
		p.unusual = p.at >= p.limit
	}
	if !p.unusual {
		p.count(h, p.at)
	}
	return p.unusual || p.pending != nil
}

// Raise says what becomes of the row for which Unusual has just been true. One
// for which it is not called, because the site does not want to hear of it,
// costs no part of the budget.
func (p *Policy) Raise(r *Row) Verdict {
	h := &p.hosts[p.place]
	p.beacon = nil
	if p.pending != nil {
		p.tellBeacon(r, h)
		if !p.unusual {
			return Folded // into the beacon
		}
	}
	passes := p.at >= p.limit
	if !r.Open {
		p.count(h, p.at)
	}
	switch {
	case !r.Open && p.long.before(r):
		p.unusual = false // told while it went on
		p.Folded++
		return Folded
	case r.Open && h.open >= 0 && !(passes && r.Score >= h.incident.Score+stranger && p.room()):
		return Folded
	case r.Open && h.open < 0 && (!p.room() || len(p.open) == maxOpen):
		return Suppressed
	case h.open >= 0 && !(passes && r.Score >= h.incident.Score+stranger && p.room()):
		p.fold(&h.incident, r)
		p.Folded++
		return Folded
	case h.open < 0 && (!p.room() || len(p.open) == maxOpen):
		p.beyond.begin(r, p.now)
		p.beyond.add(r, p.now)
		p.Suppressed++
		return Suppressed
	}
	h.raised[p.slot()]++
	if h.open < 0 {
		h.open = int32(len(p.open))
		p.open = append(p.open, int32(p.place))
		h.incident = Incident{Host: hostOf(r), Inbound: !r.Own}
		h.incident.begin(r, p.now)
		h.incident.level = float64(p.limit) / bins
	}
	h.incident.Latest = p.now
	h.incident.strangest(r)
	if r.Open {
		p.long.add(r)
	}
	p.alerts[p.slot()]++
	p.line()
	return Raise
}

// take goes on with the scores of another model.
func (p *Policy) take(model string) {
	if p.model != "" && model != "" {
		p.fresh = freshRows
	}
	if model != "" {
		p.model = model
	}
}

// advance brings the clock to a row's time. A row that is earlier counts as
// now, and one that is a day or more off sets the clock anew, but for a
// connection that began so long ago and has ended now.
func (p *Policy) advance(r *Row) {
	if p.hour == noHour || r.TS-p.now > day || p.now-max(r.TS, r.End) > day {
		p.restart(r.TS)
	}
	p.now = max(p.now, r.TS)
	for now := int64(p.now / hour); p.hour < now; {
		p.hour++
		p.forget()
	}
}

// restart forgets the day; incidents that are open stay.
func (p *Policy) restart(ts conn.Micros) {
	p.now, p.begun, p.aired, p.hour, p.latest, p.rows = ts, ts, ts, int64(ts/hour), 0, 0
	p.lines, p.alerts = [24]uint32{}, [24]uint32{}
	clear(p.best)
	for i := range p.hosts {
		h := &p.hosts[i]
		h.best, h.raised = [24]uint16{}, [24]uint8{}
		h.incident.Begun, h.incident.Latest = ts, ts
	}
	p.beyond.Begun, p.beyond.Latest = ts, ts
	p.stale = true
}

// forget clears the hour that was a day ago.
func (p *Policy) forget() {
	at := p.slot()
	p.lines[at], p.alerts[at] = 0, 0
	for i := range p.places.Len() {
		h := &p.hosts[i]
		if h.best[at] > 0 {
			p.best[h.best[at]]--
		}
		h.best[at], h.raised[at] = 0, 0
	}
	p.stale = true
}

// slot is the place of the hour in rings of a day.
func (p *Policy) slot() int { return int((p.hour%24 + 24) % 24) }

// line counts a line.
func (p *Policy) line() {
	p.Raised++
	p.lines[p.slot()]++
	p.latest = p.now
}

// room reports whether the hour and the day have room for an alert.
func (p *Policy) room() bool {
	hourly := max(p.perDay*hourShare, 1)
	if p.perHour > 0 {
		hourly = float64(p.perHour)
	}
	return p.roomToday() && float64(p.alerts[p.slot()]+1) <= hourly
}

// roomToday reports whether the day has room for a line.
func (p *Policy) roomToday() bool {
	if p.perDay < 1 {
		return p.latest == 0 || float64(p.now-p.latest) >= float64(day)/p.perDay
	}
	lines := uint32(0)
	for _, n := range p.lines {
		lines += n
	}
	return float64(lines) < p.perDay
}
