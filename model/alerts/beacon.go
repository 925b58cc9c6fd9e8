package alerts

import (
	"math"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

const (
	// A pair beacons when so many gaps between its connections are this steady:
	// the standard deviation of their logarithms. A gap that jitters by 40 %
	// (drawn evenly from 60 to 100 % of the period) has 0.15.
	beaconGaps   = 10
	beaconSpread = 0.2
	// Connections closer together are one meeting.
	beaconLeast = conn.Micros(5e6)
	// The mean and spread follow about so many of the latest gaps.
	beaconMemory = 16
	// A responder port that more hosts of the site use is a service of theirs.
	beaconHosts = 2

	maxPairs   = 1 << 14
	ntpPort    = 123
	toldAgain  = 7 * day // a pair that goes on is told again after it
	manyPasses = 10      // pairs of a host, a tenfold of which is told again
)

// pairKey is who meets whom: an originator and a responder's port.
type pairKey struct {
	orig, resp [16]byte
	port       uint16
}

// pair is how regularly a host meets a responder.
type pair struct {
	last   conn.Micros // the latest meeting
	told   conn.Micros // when it was told, 0 for never
	mean   float32     // of the gaps' logarithms, seconds
	spread float32     // their variance
	gaps   uint16
}

// respKey is a responder's port, whoever uses it.
type respKey struct {
	addr [16]byte
	port uint16
}

// users are the hosts that use a responder's port, as far as it matters.
type users struct {
	first [beaconHosts][16]byte
	n     uint8
}

// beacons remembers the pairs.
type beacons struct {
	places *recent.Table[pairKey]
	pairs  []pair
	resps  *recent.Table[respKey]
	users  []users
}

func newBeacons() beacons {
	return beacons{
		places: recent.New[pairKey](maxPairs), pairs: make([]pair, maxPairs),
		resps: recent.New[respKey](maxPairs), users: make([]users, maxPairs),
	}
}

// mayBeacon reports whether a connection can be one of a beacon: a host of the
// site calls one outside. NTP is steady by design, and a datagram without an
// answer is mostly an announcement.
func mayBeacon(c *conn.Conn) bool {
	resp := c.Resp.Addr()
	local := resp.IsPrivate()
	if c.Has(conn.LocalResp) {
		local = c.LocalResp
	}
	switch {
	case !Own(c) || local || resp.IsMulticast() || resp.IsLinkLocalUnicast():
		return false
	case c.Proto == conn.UDP:
		return c.Resp.Port() != ntpPort && c.RespPkts > 0
	}
	return c.Proto == conn.TCP
}

// meet counts a meeting, and returns its pair if that has become a beacon which
// is not told yet.
func (b *beacons) meet(r *Row, now conn.Micros) *pair {
	p, added, u := b.of(r)
	u.add(feature.HostKey(r.orig()))
	if added {
		return nil
	}
	gap := r.TS - p.last
	if gap < beaconLeast {
		return nil
	}
	p.last = r.TS
	p.gaps = min(p.gaps+1, math.MaxUint16-1)
	// A running mean and variance, exact at first (Welford), later fading.
	share := max(1/float32(p.gaps), 1/float32(beaconMemory))
	off := float32(math.Log(gap.Seconds())) - p.mean
	p.mean += share * off
	p.spread = (1 - share) * (p.spread + share*off*off)
	if p.gaps < beaconGaps || p.spread > beaconSpread*beaconSpread || u.n > beaconHosts || p.told != 0 && now-p.told < toldAgain {
		return nil
	}
	return p
}

// of returns the pair of a meeting, which is added if it is new, and who else uses
// its responder.
func (b *beacons) of(r *Row) (p *pair, added bool, u *users) {
	key := pairKey{feature.HostKey(r.orig()), feature.HostKey(r.resp()), r.Resp.Port()}
	at, added := b.resps.Use(respKey{key.resp, key.port})
	if u = &b.users[at]; added {
		*u = users{}
	}
	place, added := b.places.Use(key)
	if p = &b.pairs[place]; added {
		*p = pair{last: r.TS}
	}
	return p, added, u
}

// worthSending notes a meeting that another policy counts, and reports whether
// that has to see it: not if it is part of the meeting before, and not once it
// knows that too many hosts use the responder.
func (b *beacons) worthSending(r *Row) bool {
	p, added, u := b.of(r)
	known := u.n
	u.add(feature.HostKey(r.orig()))
	if !added && r.TS-p.last < beaconLeast {
		return u.n != known
	}
	p.last = r.TS
	return u.n <= beaconHosts || u.n != known
}

func (u *users) add(orig [16]byte) {
	for i := range min(int(u.n), beaconHosts) {
		if u.first[i] == orig {
			return
		}
	}
	if u.n < beaconHosts {
		u.first[u.n] = orig
	}
	u.n = min(u.n+1, beaconHosts+1)
}

// period returns the usual gap.
func (p *pair) period() conn.Micros { return conn.Micros(math.Exp(float64(p.mean)) * 1e6) }

// tellBeacon makes an incident of the pair that the latest row belongs to. Of a
// host with many such pairs the first is told, the tenth, the hundredth.
func (p *Policy) tellBeacon(r *Row, h *host) {
	b := p.pending
	p.pending = nil
	b.told = p.now
	if h.beacons == 0 || p.now-h.beaconing >= day {
		h.beacons, h.beaconing = 0, p.now
	}
	h.beacons++
	for n := uint32(h.beacons); n > 1; n /= manyPasses {
		if n%manyPasses != 0 {
			return
		}
	}
	if len(p.ready) == cap(p.ready) {
		return
	}
	p.ready = append(p.ready, Incident{
		Host: r.orig(), Begun: r.TS, Latest: r.TS, Count: uint64(b.gaps) + 1, Score: r.Score, Orig: r.Orig, Resp: r.Resp,
		OneOrig: true, OneResp: true, OneLog: true, Over: true, Period: b.period(), Pairs: uint32(h.beacons),
	})
	p.beacon = &p.ready[len(p.ready)-1]
}

// Beacon returns the beacon that the latest Raise found and Incidents will tell,
// nil if it found none.
func (p *Policy) Beacon() *Incident { return p.beacon }
