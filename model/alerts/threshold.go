package alerts

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// bins of the score, each 1/bins wide.
const bins = 1 << 12

// hostKey is a host of the site and a direction: what it originates, and what
// others send to it, are two things.
type hostKey struct {
	addr    [16]byte
	inbound bool
}

// host is what the last day has shown of a host in one direction; its strangest
// rows stand in the logs.
type host struct {
	raised    [24]uint8 // alerts of each hour
	open      int32     // place of its incident in Policy.open, −1 for none
	beacons   uint16    // pairs that were found to beacon since beaconing
	beaconing conn.Micros
	incident  Incident
}

func hostOf(r *Row) conn.Host {
	if r.Own {
		return r.orig()
	}
	return r.resp()
}

func (r *Row) orig() conn.Host { return conn.Host{Addr: r.Orig.Addr(), Context: r.In} }
func (r *Row) resp() conn.Host { return conn.Host{Addr: r.Resp.Addr(), Context: r.In} }

func keyOf(r *Row) hostKey { return hostKey{feature.HostKey(hostOf(r)), !r.Own} }

// use returns the place of a host, at the cost of the one that was unusual
// longest ago where there is no room.
func (p *Policy) use(key hostKey) int {
	place, added := p.places.Use(key)
	if h := &p.hosts[place]; added {
		for i := range p.logs {
			for at := range 24 {
				p.stale = p.logs[i].forget(place, at) || p.stale
			}
		}
		p.end(place)
		*h = host{open: -1}
	}
	return place
}

// binOf returns the bin of a row's score, less what the host's alerts of the last
// day cost.
func (p *Policy) binOf(h *host, r *Row) int {
	raised := 0
	for _, n := range h.raised {
		raised += int(n)
	}
	return min(max(int((r.Score-repeatCost*float64(raised))*bins), 1), bins-1)
}

// count keeps the strangest row of the host's hour in the latest row's log.
func (p *Policy) count(at int) {
	l := &p.logs[p.log]
	was := &l.hosts[p.place][p.slot()]
	if at <= int(*was) {
		return
	}
	l.drop(int(*was))
	l.best[at]++
	if at >= leastBin {
		l.above++
	}
	*was = uint16(at)
	p.stale = p.stale || at >= l.limit
}

// settle finds the thresholds: as many hours of hosts, within the last day, have
// a row from them on as the log has lines. Counted by hours of hosts a scan
// presses the threshold down no more than a single packet does.
func (p *Policy) settle() {
	if covered := p.now - p.begun; !p.stale && covered >= day {
		return
	}
	p.stale = false
	var hours, passing, lines [maxLogs]uint32
	for i := range p.logs {
		hours[i] = p.logs[i].above
	}
	shares(p.wanted(), hours[:len(p.logs)], passing[:])
	shares(uint32(max(p.perDay, 1)), hours[:len(p.logs)], lines[:])
	others := uint32(0)
	for _, n := range lines {
		others += n
	}
	for i := range p.logs {
		p.logs[i].settle(hours[i], passing[i])
		p.logs[i].lines = max(p.perDay-float64(others-lines[i]), 1)
	}
}

// shares divides a budget among logs with so many hours to tell: each has as
// much as the others. What a log does not need of it goes to them, but for half
// of its share, so that a log which is quiet is still heard of.
func shares(budget uint32, hours []uint32, to []uint32) {
	var has [maxLogs]bool
	for left := uint32(len(hours)); left > 0; {
		share, content := max(budget/left, 1), false
		for i, n := range hours {
			if !has[i] && n < share {
				has[i], content = true, true
				used := max(n, (share+1)/2)
				to[i] = max(used, n+1)
				budget -= min(used, budget)
				left--
			}
		}
		if content {
			continue
		}
		for i := range hours {
			if !has[i] {
				to[i] = share
			}
		}
		return
	}
}

// leastBin holds leastScore.
const leastBin = 2252

// wanted returns how many hours of hosts may pass: the budget, of the first day its
// share that has passed, and the strangest at least.
func (p *Policy) wanted() uint32 {
	covered := min(float64(p.now-p.begun)/float64(day), 1)
	return uint32(max(p.perDay*max(covered, hourShare), 1))
}
