package alerts

import (
	"net/netip"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Incident is what a host of the site did beyond its alert, or what was done to
// it, and is told as one.
type Incident struct {
	Host     conn.Host      // the site's; invalid for what had no room, of several hosts
	Inbound  bool           // connections to Host, from others; else Host originated them
	Count    uint64         // connections folded into it
	Begun    conn.Micros    // of the alert
	Latest   conn.Micros    // of the latest connection
	Score    float64        // the highest
	Log      string         // of the row with that score, "" for conn.log
	Orig     netip.AddrPort // of that row
	Resp     netip.AddrPort
	OneOrig  bool            // all connections came from Orig's address
	OneResp  bool            // all connections went to Resp
	OneLog   bool            // all are rows of Log
	Over     bool            // nothing more is folded into it
	Period   conn.Micros     // of a beacon to Resp, which Host calls so often; else 0
	Pairs    uint32          // of a beacon: the host\'s within a day, this one included
	margin   float64         // of the row with Score
	levels   [maxLogs]uint16 // bins from which on a log's rows are folded into it, 0 for none
	names    [maxNames]uint64
	named    uint8
	told     uint64 // Count when it was told
	overdue  uint64 // Count at which it is told next
	firstRow firstRow
}

// firstRow is what the others are compared with.
type firstRow struct {
	orig netip.Addr
	resp netip.AddrPort
	log  string
}

// maxNames bounds the names for which an incident has alerts of their own.
const maxNames = 8

// ID tells incidents apart.
type ID struct {
	Host    conn.Host
	Inbound bool
	Beacon  bool
	Begun   conn.Micros
}

// ID stays the same while the incident goes on.
func (i *Incident) ID() ID { return ID{i.Host, i.Inbound, i.Period > 0, i.Begun} }

// Incident returns the incident that the row of the latest Raise belongs to:
// that of its host, or the one of all that had no room; nil if it belongs to a
// beacon alone, which Beacon returns if it is told.
func (p *Policy) Incident() *Incident {
	h := &p.hosts[p.place]
	switch {
	case !p.unusual:
		return nil
	case h.open >= 0:
		return &h.incident
	}
	return &p.beyond
}

func (i *Incident) begin(r *Row, now conn.Micros) {
	if i.firstRow.orig.IsValid() {
		return
	}
	i.Begun, i.Latest, i.OneOrig, i.OneResp, i.OneLog = now, now, true, true, true
	i.firstRow = firstRow{r.Orig.Addr(), r.Resp, r.Log}
	i.overdue = growth
}

// takes reports whether a row of the policy's log at that place is unusual
// enough to be folded into the incident.
func (i *Incident) takes(log int, r *Row) bool {
	level := i.levels[log]
	return level > 0 && r.Score >= float64(level)/bins
}

// another reports whether the incident has told nobody of that name yet. A
// client, or a resolver that asks for all of them, has one incident, but a
// tunnel through one domain must not hide in what is usual of another.
func (i *Incident) another(name uint64) bool {
	return name != 0 && int(i.named) < maxNames && !slices.Contains(i.names[:i.named], name)
}

// tellOf remembers that an alert was about that name.
func (i *Incident) tellOf(name uint64) {
	if i.another(name) {
		i.names[i.named] = name
		i.named++
	}
}

// add adds the latest row.
func (p *Policy) add(i *Incident, r *Row) {
	i.Count++
	i.Latest = p.now
	p.strangest(i, r)
}

// strangest keeps the latest row if it is the strangest.
func (p *Policy) strangest(i *Incident, r *Row) {
	i.OneOrig = i.OneOrig && r.Orig.Addr() == i.firstRow.orig
	i.OneResp = i.OneResp && r.Resp == i.firstRow.resp
	i.OneLog = i.OneLog && r.Log == i.firstRow.log
	more := r.Score > i.Score
	if i.Score > 0 && i.Log != r.Log {
		more = p.margin(r) > i.margin
	}
	if more {
		i.Score, i.margin, i.Log, i.Orig, i.Resp = r.Score, p.margin(r), r.Log, r.Orig, r.Resp
	}
}

// fold adds a row, and tells of the incident if it has grown.
func (p *Policy) fold(i *Incident, r *Row) {
	p.add(i, r)
	if i.Count >= i.overdue && len(p.ready) < cap(p.ready) {
		i.told = i.Count
		i.overdue *= growth
		p.ready = append(p.ready, *i)
	}
}

// Incidents calls each with every incident that has grown tenfold or is over;
// with all, with every one. It belongs before Unusual.
func (p *Policy) Incidents(all bool, each func(*Incident)) {
	if all || p.now-p.aired >= minute {
		p.aired = p.now
		if p.out != nil {
			p.out.tick(p)
		}
		for n := len(p.open) - 1; n >= 0; n-- {
			i := &p.hosts[p.open[n]].incident
			if all || p.over(i) {
				p.end(int(p.open[n]))
			}
		}
		if b := &p.beyond; b.Count > 0 && (all || p.now-b.Latest >= quiet || p.now-b.Begun >= quiet) {
			if b.Count >= growth {
				b.Over = true
				p.ready = append(p.ready, *b)
			}
			*b = Incident{}
		}
	}
	for n := range p.ready {
		p.line(p.ready[n].Log)
		each(&p.ready[n])
	}
	p.ready = p.ready[:0]
}

// over reports whether a host's incident is over.
func (p *Policy) over(i *Incident) bool { return p.now-i.Latest >= quiet || p.now-i.Begun >= day }

const minute = conn.Micros(60e6)

// end closes a host's incident, and tells of it if there is something new.
func (p *Policy) end(place int) {
	h := &p.hosts[place]
	if h.open < 0 {
		return
	}
	if i := &h.incident; i.Count >= max(worthTelling, 2*i.told) {
		i.Over = true
		p.ready = append(p.ready, *i)
	}
	last := len(p.open) - 1
	moved := p.open[last]
	p.open[h.open] = moved
	p.hosts[moved].open = h.open
	p.open = p.open[:last]
	h.open, h.incident = -1, Incident{}
}
