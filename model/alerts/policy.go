// Package alerts is the one policy by which people hear of unusual connections,
// and of rows of other logs. The sensor, score --alerts-per-day, watch, drill,
// report and eval --campaign all run it, so the same rows, scores and budget
// give the same alerts.
//
// What counts is the site's own host: a scan of it from a thousand addresses
// is one thing to look at, and so is all that an infected host does. Its first
// unusual connection is an alert, and opens an incident; the others are folded
// into that incident, which is told again when it has grown tenfold and when
// it is over. The budget is a number of lines a day, and a maximum: a quiet
// day has fewer.
//
// All logs share the budget. Scores of different models do not compare, and a
// row that is one in a thousand is one a day in a quiet log and hundreds in a
// busy one. So each log is held against its own last day alone: of the lines
// of a day each has an equal share, and what one does not need goes to the
// others (settle). A log in which everything looks strange raises its own
// threshold, and takes nothing from the others.
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
	// An hour gets this share of the budget at most, but one alert at least for
	// each log. So does the beginning, of which there is no day before.
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

// Row is what the policy needs of a scored connection, or of a scored row of
// another log.
type Row struct {
	Log   string // its #path, "" for conn.log
	TS    conn.Micros
	End   conn.Micros // when it ended, or was looked at
	Orig  netip.AddrPort
	Resp  netip.AddrPort
	In    string  // their context, see conn.Host
	Own   bool    // the originator is a host of the site
	Score float64 // anomaly_score, as the log has it
	Cold  bool    // the originator's window may lack connections
	Model string  // whose score it is, or "" if that is not known
	Calls bool    // it may be one of a beacon: a host of the site calls one outside
	Open  bool    // it goes on
	Name  uint64  // what it is about beside its endpoints, such as a domain, as a code; 0 for nothing
}

// RowOf returns the row of a connection.
func RowOf(c *conn.Conn, score float64, cold bool, model string) Row {
	return Row{TS: c.TS, End: c.End(), Orig: c.Orig, Resp: c.Resp, In: c.Context, Own: Own(c), Score: score, Cold: cold, Model: model, Calls: c.Look == 0 && mayBeacon(c), Open: c.Look != 0}
}

// RowOfLog returns a row of another log than conn.log. These do not say which hosts
// are the site's: it is the originator, unless only the responder has a private
// address.
func RowOfLog(log string, c *conn.Conn, name uint64, score float64, cold bool, model string) Row {
	own := c.Orig.Addr().IsPrivate() || !c.Resp.Addr().IsPrivate()
	return Row{Log: log, TS: c.TS, End: c.TS, Orig: c.Orig, Resp: c.Resp, In: c.Context, Own: own, Score: score, Cold: cold, Model: model, Name: name}
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
	Forwarded                 // the policy of a cluster decides
)

// Policy decides which rows of a log are told. It knows no clock but the rows'
// own, so the same rows give the same alerts. All memory (about 1 MB) is
// reserved at once, and only the end of an incident may allocate. A Policy is
// not safe for concurrent use.
type Policy struct {
	perDay  float64
	perHour int

	now   conn.Micros // the latest time; it never goes back within a day
	begun conn.Micros // when the time that is known began
	rows  int         // of the opening
	hour  int64       // of now, since 1970
	aired conn.Micros // when the open incidents were last looked through

	logs    []logDay // whose rows have come, at most maxLogs
	log     int      // of the latest row
	places  *recent.Table[hostKey]
	hosts   []host // by place
	place   int    // of the latest row's host
	at      int    // the latest row's bin
	unusual bool   // the latest row, by its score
	stale   bool   // the logs' limits must be computed anew

	open    []int32  // places of hosts with an incident
	beyond  Incident // what had no room
	beacons beacons
	pending *pair     // the latest row's, if it is a beacon to be told
	beacon  *Incident // the latest Raise's
	long    toldLong
	ready   []Incident // to be told
	latest  conn.Micros

	out    *forward // where it decides nothing, or nil if it does
	leader int      // the sensor whose clock now is, where others forward their rows
	known  bool     // when their time began is

	Raised     uint64 // alerts, and incidents that were told
	Folded     uint64 // connections
	Suppressed uint64 // connections
	Lost       uint64 // connections that were to be forwarded
}

// New returns a policy of at most perDay lines a day, none for 0.
func New(perDay float64) *Policy {
	p := &Policy{
		perDay: perDay, stale: true, hour: noHour,
		places: recent.New[hostKey](maxHosts), hosts: make([]host, maxHosts),
		beacons: newBeacons(), long: newToldLong(), logs: make([]logDay, 0, maxLogs), open: make([]int32, 0, maxOpen), ready: make([]Incident, 0, 2*maxOpen),
	}
	for i := range p.hosts {
		p.hosts[i].open = -1
	}
	return p
}

// noHour is before any row.
const noHour = -1 << 40

// SetPerDay changes the budget.
func (p *Policy) SetPerDay(perDay float64) {
	p.perDay, p.stale = perDay, true
	for i := range p.logs {
		p.logs[i].lines = perDay // until settle
	}
}

// SetPerHour sets how many alerts an hour may have, 0 for its share of the
// budget.
func (p *Policy) SetPerHour(n int) { p.perHour = n }

// Unusual takes the next row and reports whether it is unusual enough to be
// told; if it is, Raise may follow. A row whose window is cold never is, nor
// one of a model that is new. One that the seed model scored is passed over: the
// day begins with the first model of the network's own. It allocates with the
// first row of a log.
func (p *Policy) Unusual(r *Row) bool {
	if p.perDay <= 0 || strings.HasPrefix(r.Model, seed.Prefix) {
		return false
	}
	if r.Open {
		return p.look(r)
	}
	if p.out != nil {
		p.out.latest, p.out.meeting = nil, false
	}
	p.advance(r)
	if p.rows < openingRows { // a row is written at its connection's end, so one alone says little
		p.rows++
		p.begun = p.now
	}
	l := p.logOf(r.Log)
	if l == nil {
		return false
	}
	if r.Model != l.model {
		l.take(r.Model)
	}
	if r.Cold || p.now-p.begun < opening {
		return false
	}
	if l.fresh > 0 {
		l.fresh--
		return false
	}
	return p.weigh(r)
}

// weigh holds a row that may raise alerts against the last day.
func (p *Policy) weigh(r *Row) bool {
	if p.out != nil {
		return p.offer(r)
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
	p.unusual = h.open >= 0 && h.incident.takes(p.log, r)
	if !p.unusual {
		p.settle()
		p.unusual = p.at >= p.logs[p.log].limit
	}
	if !p.unusual {
		p.count(p.at)
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
	passes := p.at >= p.logs[p.log].limit
	apart := h.open >= 0 && passes && (p.stranger(&h.incident, r) || h.incident.another(r.Name)) && p.room()
	if !r.Open {
		p.count(p.at)
	}
	switch {
	case !r.Open && r.Log == "" && p.long.before(r):
		p.unusual = false // told while it went on
		p.Folded++
		return Folded
	case r.Open && h.open >= 0 && !apart:
		p.unusual = false // it counts when it ends
		return Folded
	case r.Open && h.open < 0 && (!p.room() || len(p.open) == maxOpen):
		p.unusual = false
		return Suppressed
	case h.open >= 0 && !apart:
		p.fold(&h.incident, r)
		p.Folded++
		return Folded
	case h.open < 0 && (!p.room() || len(p.open) == maxOpen):
		p.beyond.begin(r, p.now)
		p.add(&p.beyond, r)
		p.Suppressed++
		return Suppressed
	}
	h.raised[p.slot()]++
	if h.open < 0 {
		h.open = int32(len(p.open))
		p.open = append(p.open, int32(p.place))
		h.incident = Incident{Host: hostOf(r), Inbound: !r.Own}
		h.incident.begin(r, p.now)
		for i := range p.logs {
			h.incident.levels[i] = uint16(min(p.logs[i].limit, bins-1))
		}
	}
	h.incident.Latest = p.now
	p.strangest(&h.incident, r)
	h.incident.tellOf(r.Name)
	if r.Open {
		p.long.add(r)
	}
	p.line(r.Log).alerts[p.slot()]++
	return Raise
}

// advance brings the clock to a row's time. A row that is earlier counts as
// now, and one that is a day or more off sets the clock anew, but for a
// connection that began so long ago and has ended now.
func (p *Policy) advance(r *Row) {
	if p.hour == noHour || r.TS-p.now > day || p.now-max(r.TS, r.End) > day {
		p.restart(r.TS)
	}
	p.reach(r.TS)
}

// reach moves the clock forward, or leaves it.
func (p *Policy) reach(ts conn.Micros) {
	p.now = max(p.now, ts)
	for now := int64(p.now / hour); p.hour < now; {
		p.hour++
		p.forget()
	}
}

// restart forgets the day; incidents that are open stay.
func (p *Policy) restart(ts conn.Micros) {
	p.now, p.begun, p.aired, p.hour, p.latest, p.rows, p.known = ts, ts, ts, int64(ts/hour), 0, 0, false
	for i := range p.logs {
		l := &p.logs[i]
		clear(l.best)
		l.above = 0
		clear(l.hosts)
		l.told, l.alerts = [24]uint32{}, [24]uint32{}
	}
	for i := range p.hosts {
		h := &p.hosts[i]
		h.raised = [24]uint8{}
		h.incident.Begun, h.incident.Latest = ts, ts
	}
	p.beyond.Begun, p.beyond.Latest = ts, ts
	p.stale = true
}

// forget clears the hour that was a day ago.
func (p *Policy) forget() {
	at := p.slot()
	for i := range p.logs {
		p.logs[i].told[at], p.logs[i].alerts[at] = 0, 0
	}
	for place := range p.places.Len() {
		p.hosts[place].raised[at] = 0
		for i := range p.logs {
			p.logs[i].forget(place, at)
		}
	}
	p.stale = true
}

// slot returns the place of the hour in rings of a day.
func (p *Policy) slot() int { return int((p.hour%24 + 24) % 24) }
