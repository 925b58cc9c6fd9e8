package alerts

import (
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

// maxLong is how many connections are remembered that were told while they went
// on. A state does not hold them: when a sensor ends, Zeek's connections do.
const maxLong = 1 << 10

// longKey is a connection, the same at each look at it and when it ends.
type longKey struct {
	ts         conn.Micros
	orig, resp netip.AddrPort
	in         string
}

// told are connections that were told while they went on, with their scores
// then.
type toldLong struct {
	places *recent.Table[longKey]
	scores []float64
}

func newToldLong() toldLong {
	return toldLong{recent.New[longKey](maxLong), make([]float64, maxLong)}
}

// before reports whether a connection was told while it went on, and is not
// stranger now.
func (t *toldLong) before(r *Row) bool {
	if t.places.Len() == 0 {
		return false
	}
	at := t.places.Find(longKey{r.TS, r.Orig, r.Resp, r.In})
	return at >= 0 && r.Score < t.scores[at]+stranger
}

func (t *toldLong) add(r *Row) {
	at, _ := t.places.Use(longKey{r.TS, r.Orig, r.Resp, r.In})
	t.scores[at] = r.Score
}

// look is Unusual for a connection that goes on. It counts nothing, neither in
// the threshold nor in an incident, and does not move the clock: the same
// connection comes again, at the latest when it ends.
func (p *Policy) look(r *Row) bool {
	if p.out != nil {
		p.out.latest, p.out.meeting = nil, false
	}
	l := p.logOf(r.Log)
	if l == nil || r.Cold || p.hour == noHour || p.now-p.begun < opening || l.fresh > 0 || r.Model != l.model || r.Score < leastScore {
		return false
	}
	if p.out != nil {
		return p.offer(r)
	}
	return p.weighLook(r)
}

// weighLook is weigh for a connection that goes on.
func (p *Policy) weighLook(r *Row) bool {
	p.pending, p.unusual = nil, false
	if p.long.before(r) {
		return false
	}
	l := &p.logs[p.log]
	p.place = p.use(keyOf(r))
	h := &p.hosts[p.place]
	p.at = p.binOf(h, r)
	if h.open >= 0 && p.over(&h.incident) {
		p.end(p.place)
	}
	p.settle()
	p.unusual = h.open >= 0 && h.incident.takes(p.log, r) || p.at >= l.limit
	return p.unusual
}
