package alerts

import (
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// bins of the score, each 1/bins wide.
const bins = 1 << 12

// hostKey is a host of the site and a direction: what it originates, and what
// others send to it, are two things.
type hostKey struct {
	addr    [16]byte
	inbound bool
}

// host is what the last day has shown of a host in one direction.
type host struct {
	best      [24]uint16 // bin of the strangest row of each hour, 0 for none
	raised    [24]uint8  // alerts of each hour
	open      int32      // place of its incident in Policy.open, −1 for none
	beacons   uint16     // pairs that were found to beacon since beaconing
	beaconing conn.Micros
	incident  Incident
}

func hostOf(r *Row) netip.Addr {
	if r.Own {
		return r.Orig.Addr()
	}
	return r.Resp.Addr()
}

func keyOf(r *Row) hostKey { return hostKey{hostOf(r).As16(), !r.Own} }

// use returns the place of a host, at the cost of the one that was unusual
// longest ago where there is no room.
func (p *Policy) use(key hostKey) int {
	place, added := p.places.Use(key)
	if h := &p.hosts[place]; added {
		for _, at := range h.best {
			if at > 0 {
				p.best[at]--
				p.stale = true
			}
		}
		p.end(place)
		*h = host{open: -1}
	}
	return place
}

// binOf is the bin of a row's score, less what the host's alerts of the last
// day cost.
func (p *Policy) binOf(h *host, r *Row) int {
	raised := 0
	for _, n := range h.raised {
		raised += int(n)
	}
	return min(max(int((r.Score-repeatCost*float64(raised))*bins), 1), bins-1)
}

// count keeps the strangest row of the host's hour.
func (p *Policy) count(h *host, at int) {
	was := &h.best[p.slot()]
	if at <= int(*was) {
		return
	}
	if *was > 0 {
		p.best[*was]--
	}
	p.best[at]++
	*was = uint16(at)
	p.stale = p.stale || at >= p.limit
}

// settle finds the threshold: as many hours of hosts, within the last day, have
// a row from it on as the budget has lines. Counted by hours of hosts a scan
// presses the threshold down no more than a single packet does.
func (p *Policy) settle() {
	if covered := p.now - p.begun; !p.stale && covered >= day {
		return
	}
	p.stale = false
	p.limit = bins
	for n, wanted := uint32(0), p.wanted(); p.limit > leastBin && n < wanted; {
		p.limit--
		n += p.best[p.limit]
	}
}

// leastBin holds leastScore.
const leastBin = 2252

// wanted is how many hours of hosts may pass: the budget, of the first day its
// share that has passed, and the strangest at least.
func (p *Policy) wanted() uint32 {
	covered := min(float64(p.now-p.begun)/float64(day), 1)
	return uint32(max(p.perDay*max(covered, hourShare), 1))
}
