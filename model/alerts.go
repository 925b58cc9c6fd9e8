package model

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/calibrate"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

const (
	// The same originator, responder and port are worth one alert an hour, and
	// an originator two: what it does beyond is a storm, which is one more when
	// it is over.
	repeatAfter = conn.Micros(3600e6)
	ownAlerts   = 2
	stormOver   = conn.Micros(300e6) // without a connection of it
	// So many connections for which the hour had no room are worth a line.
	crowd = 10
	// A model that has just come into use raises nothing before so many
	// connections have shown what it makes of them.
	freshRows = 1000

	// The ends of the correction of the budget: a day with three times its
	// alerts leaves a tenth for the next hours.
	leastFactor, mostFactor = 0.1, 3

	maxSaid   = 1 << 12
	maxOwn    = 1 << 12
	maxStorms = 32
	alertsDay = 24 * repeatAfter
)

// Alerts keeps the alerts of a stream of scored connections to a number a day
// (calibrate.Budget) and says each thing once. What it decides depends on the
// rows alone. All memory is reserved at once; nothing but a storm's end
// allocates. It is not safe for concurrent use.
type Alerts struct {
	perDay float64
	width  float64 // of the budget's bins
	budget *calibrate.Budget
	model  *Model // of the latest connection
	fresh  int    // connections until model may raise alerts
	now    conn.Micros
	begun  conn.Micros // when the day that lines covers began, if that is less than one
	hour   int64       // of now
	lines  [24]uint32  // alerts, storms among them, by hour
	factor float64     // of the budget

	said   *recent.Table[triple]
	at     []conn.Micros // by place in said: when
	own    *recent.Table[[16]byte]
	raised [][ownAlerts]conn.Micros // by place in own: when, the latest last
	storms []Storm

	Raised     uint64 // alerts
	Repeated   uint64 // connections that an alert of the last hour has named
	Suppressed uint64 // connections that are part of a storm, or too many for their hour
}

// triple is what makes two connections the same for the reader of alerts.
type triple struct {
	orig, resp [16]byte
	port       uint16
}

// Storm is a number of unusual connections that became one alert.
type Storm struct {
	Orig     netip.Addr // its originator; invalid for what came from several
	Count    uint64
	Begun    conn.Micros // ts of the first
	Latest   conn.Micros
	Score    float64 // the highest
	Resp     netip.AddrPort
	Distinct bool // whether connections went to other endpoints than Resp as well
}

// Verdict says what becomes of an unusual connection.
type Verdict uint8

const (
	Suppressed Verdict = iota // a part of a storm, or too many for its hour
	Repeated                  // an alert of the last hour has named it
	Raise                     // worth an alert
)

// NewAlerts returns Alerts of that many a day, none for 0.
func NewAlerts(perDay float64) *Alerts {
	return &Alerts{
		perDay: perDay, factor: 1,
		said: recent.New[triple](maxSaid), at: make([]conn.Micros, maxSaid),
		own: recent.New[[16]byte](maxOwn), raised: make([][ownAlerts]conn.Micros, maxOwn),
		storms: make([]Storm, 0, maxStorms+1),
	}
}

// SetPerDay changes the number of alerts a day.
func (a *Alerts) SetPerDay(perDay float64) {
	a.perDay = perDay
	if a.budget != nil {
		a.budget.SetPerDay(perDay)
	}
}

// Unusual takes the next connection, with its score by m, and reports whether
// it is unusual enough for an alert; if it is, Raise may follow. A connection
// whose window is cold never is, nor one of a model that is new.
func (a *Alerts) Unusual(c *conn.Conn, s Score, m *Model) bool {
	if a.perDay <= 0 {
		return false
	}
	if m != a.model {
		a.take(m)
	}
	a.advance(c.TS)
	switch {
	case s.Cold:
	case a.fresh > 0:
		a.fresh--
		a.budget.Count(int64(c.TS), s.Path)
	case a.budget.Unusual(int64(c.TS), s.Path):
		return true
	default:
		a.budget.Count(int64(c.TS), s.Path)
	}
	return false
}

// take goes on with another model: the paths of forests of one size are on one
// scale, so that the rolling day stays.
func (a *Alerts) take(m *Model) {
	if a.model != nil {
		a.fresh = freshRows
	}
	a.model = m
	if width := calibrate.WidthFor(m.forest.AverageLength()); a.budget == nil || width != a.width {
		a.width, a.budget = width, calibrate.NewBudget(a.perDay, width)
		a.budget.Aim(a.factor)
	}
}

// Raise says what becomes of the connection for which Unusual has just been
// true. One for which it is not called, because the site does not want to hear
// of it, costs no part of the budget.
func (a *Alerts) Raise(c *conn.Conn, s Score) Verdict {
	key := triple{c.Orig.Addr().As16(), c.Resp.Addr().As16(), c.Resp.Port()}
	if place := a.said.Find(key); place >= 0 && a.now-a.at[place] < repeatAfter {
		a.Repeated++
		return Repeated
	}
	mine := a.raisedBy(key.orig)
	if mine >= ownAlerts || a.stormOf(c.Orig.Addr()) {
		a.storm(c, s, c.Orig.Addr())
		return Suppressed
	}
	if !a.budget.Observe(int64(c.TS), s.Path) {
		orig := netip.Addr{}
		if mine > 0 {
			orig = c.Orig.Addr()
		}
		a.storm(c, s, orig)
		return Suppressed
	}
	place, added := a.own.Use(key.orig)
	if added {
		a.raised[place] = [ownAlerts]conn.Micros{}
	}
	copy(a.raised[place][:], a.raised[place][1:])
	a.raised[place][ownAlerts-1] = a.now
	place, _ = a.said.Use(key)
	a.at[place] = a.now
	a.line()
	return Raise
}

// raisedBy is the number of alerts of an originator within the last hour.
func (a *Alerts) raisedBy(orig [16]byte) (n int) {
	if place := a.own.Find(orig); place >= 0 {
		for _, at := range a.raised[place] {
			if at != 0 && a.now-at < repeatAfter {
				n++
			}
		}
	}
	return n
}

func (a *Alerts) stormOf(orig netip.Addr) bool {
	for i := range a.storms {
		if a.storms[i].Orig == orig {
			return true
		}
	}
	return false
}

// storm adds the connection to its originator's storm, or to the one of all
// where there are too many.
func (a *Alerts) storm(c *conn.Conn, s Score, orig netip.Addr) {
	a.Suppressed++
	if !a.stormOf(orig) {
		if len(a.storms) >= maxStorms {
			orig = netip.Addr{}
		}
		if !a.stormOf(orig) {
			a.storms = append(a.storms, Storm{Orig: orig, Begun: a.now, Resp: c.Resp})
		}
	}
	for i := range a.storms {
		if t := &a.storms[i]; t.Orig == orig {
			t.Count++
			t.Latest = a.now
			t.Distinct = t.Distinct || c.Resp != t.Resp
			if s.Value > t.Score {
				t.Score, t.Resp = s.Value, c.Resp
			}
		}
	}
}

// Storms calls each with every storm that is over: after five minutes without a
// connection of it, or an hour; with all, every one. Ten connections for which
// the hour had no room make one, fewer are dropped. It belongs before Unusual.
func (a *Alerts) Storms(all bool, each func(Storm)) {
	if len(a.storms) == 0 {
		return
	}
	kept := a.storms[:0]
	for _, t := range a.storms {
		switch {
		case !all && a.now-t.Latest < stormOver && a.now-t.Begun < repeatAfter:
			kept = append(kept, t)
		case t.Orig.IsValid() || t.Count >= crowd:
			a.line()
			each(t)
		}
	}
	a.storms = kept
}

// advance brings the clock to a row's time. A row that is earlier counts as
// now, and one that is a day or more off sets the clock anew.
func (a *Alerts) advance(ts conn.Micros) {
	if ts-a.now > alertsDay || a.now-ts > alertsDay {
		clear(a.at)
		clear(a.raised)
		for i := range a.storms {
			a.storms[i].Begun, a.storms[i].Latest = ts, ts
		}
		a.now, a.begun, a.hour, a.lines = ts, ts, int64(ts/repeatAfter), [24]uint32{}
		a.aim()
	}
	a.now = max(a.now, ts)
	if hour := int64(a.now / repeatAfter); hour != a.hour {
		for a.hour < hour {
			a.hour++
			a.lines[(a.hour%24+24)%24] = 0
		}
		a.aim()
	}
}

func (a *Alerts) line() {
	a.Raised++
	a.lines[(a.hour%24+24)%24]++
}

// aim corrects the budget by what came of it in the last day: repeats and storms
// make fewer alerts of the unusual connections, the ends of storms some more. It
// takes back two thirds of what is amiss.
func (a *Alerts) aim() {
	sum, wanted := 0.0, a.perDay*min(1, float64(a.now-a.begun)/float64(alertsDay))
	for _, n := range a.lines {
		sum += float64(n)
	}
	a.factor = 1
	if wanted >= 1 {
		a.factor = min(max(1+2*(1-sum/wanted), leastFactor), mostFactor)
	}
	if a.budget != nil {
		a.budget.Aim(a.factor)
	}
}

// AppendState appends the rolling day to dst, for RestoreState.
func (a *Alerts) AppendState(dst []byte) []byte {
	if a.budget == nil {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(a.fresh))
	dst = binary.AppendVarint(dst, int64(a.now))
	dst = binary.AppendVarint(dst, int64(a.begun))
	dst = binary.AppendUvarint(dst, math.Float64bits(a.factor))
	for _, n := range a.lines {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return a.budget.Append(dst)
}

// RestoreState takes up the rolling day that AppendState wrote, with m the
// model in use then. On an error nothing has changed.
func (a *Alerts) RestoreState(state []byte, m *Model) error {
	if m == nil || len(state) == 0 {
		return nil
	}
	bad := false
	number := func() uint64 {
		v, n := binary.Uvarint(state)
		bad = bad || n <= 0
		state = state[max(n, 0):]
		return v
	}
	signed := func() conn.Micros {
		v, n := binary.Varint(state)
		bad = bad || n <= 0
		state = state[max(n, 0):]
		return conn.Micros(v)
	}
	fresh, now, begun := number(), signed(), signed()
	factor := math.Float64frombits(number())
	var lines [24]uint32
	for i := range lines {
		lines[i] = uint32(number())
	}
	width := calibrate.WidthFor(m.forest.AverageLength())
	budget := calibrate.NewBudget(a.perDay, width)
	budget.Aim(factor)
	if err := budget.Restore(state); bad || fresh > freshRows || !(factor >= leastFactor && factor <= mostFactor) || err != nil {
		return errors.Join(errors.New("the state of the alerts is damaged"), err)
	}
	a.model, a.fresh, a.width, a.budget = m, int(fresh), width, budget
	a.now, a.begun, a.hour, a.lines, a.factor = now, begun, int64(now/repeatAfter), lines, factor
	return nil
}
