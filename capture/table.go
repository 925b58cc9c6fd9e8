package capture

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/capture/service"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// table holds the live connections, finds a packet's and removes those whose
// time is over. Removed ones, and looks at long ones, wait in out, in Zeek's order of removal, until
// their rows are read.
type table struct {
	options *Options
	stats   *Stats
	decoder *decoder
	tracker *service.Tracker
	sites   *sites

	chains []*connection // a power of two of them
	live   int
	seed   uint64
	serial uint64

	clock      float64     // network time, seconds: the latest packet time so far
	packetTime conn.Micros // the current packet's own time
	timers     timerQueue
	buffers    buffers
	histories  interned

	teredo  teredoLeft
	touched []*connection // by the current packet, which may carry others
	out     []out         // not read yet
	read    int           // of out
	pool    pool
}

func newTable(o *Options, s *Stats) *table {
	t := &table{
		options: o, stats: s,
		tracker: service.NewTracker(),
		sites:   newSites(o.LocalNets),
		chains:  make([]*connection, 1<<10),
		teredo:  teredoLeft{},
		seed:    rand.Uint64(),
	}
	t.buffers.limit = o.MaxBuffered
	t.timers.init()
	return t
}

// begin moves the clock to the next packet's time, which runs the timers that
// are due. Zeek runs those that the last round left over at the old time
// first; both share the limit.
func (t *table) begin(time conn.Micros) {
	t.packetTime = time
	budget := maxTimerExpires
	budget -= t.runTimers(budget)
	if now := max(time, second).Seconds(); now > t.clock { // Zeek's time starts at 1
		t.clock = now
	}
	t.runTimers(budget)
	t.timers.heap.check.packets++
	for t.live >= t.options.MaxConnections {
		t.evict()
	}
}

// end runs what the packet's analysis left for its end.
func (t *table) end() {
	t.timers.heap.endPacket(t.clock)
	if len(t.teredo) > 0 {
		t.teredo.end(t.touched)
	}
	for i, c := range t.touched {
		if c.tcp != nil {
			c.tcp.endPacket()
		}
		if c.detector != nil && c.detector.Pending() {
			t.endPacket(c)
		}
		t.touched[i] = nil
	}
	t.touched = t.touched[:0]
}

func (t *table) endPacket(c *connection) {
	defer t.stats.recoverPanic()
	c.detector.EndPacket()
}

// deliver brings a packet to its connection, which it may begin
// (src/packet_analysis/protocol/ip/IPBasedAnalyzer.cc). It reports false where
// the transport header is too short for a connection.
func (t *table) deliver(p *packet) bool {
	id := &p.found.identity
	if !p.found.identified {
		var ok bool
		if *id, ok = identityOf(p, t.seed); !ok {
			return false
		}
	}
	c := t.find(&id.key, id.hash)
	switch {
	case c == nil:
		c = t.create(&id.key, id.hash, id.second, id.proto, p)
	case c.tcp != nil && c.tcp.reuses(p):
		if c.detector != nil {
			c.detector.Reused()
		}
		t.remove(c)
		c = t.create(&id.key, id.hash, id.second, id.proto, p)
	default:
		c.enclose(p.encap)
	}
	if n := len(t.touched); n == 0 || t.touched[n-1] != c {
		t.touched = append(t.touched, c)
	}
	fromOrig := c.fromOrig(id.second)
	switch id.proto {
	case conn.TCP:
		t.deliverTCP(c, p, fromOrig)
	case conn.UDP:
		t.deliverUDP(c, p, fromOrig)
	case conn.ICMP:
		t.deliverICMP(c, p, fromOrig)
	default:
		c.last = p.time
		t.stats.Counted++
		c.count(fromOrig, p.ipLen)
	}
	return true
}

func (t *table) find(k *key, hash uint32) *connection {
	for c := t.chains[hash&uint32(len(t.chains)-1)]; c != nil; c = c.next {
		if c.hash == hash && c.key == *k {
			return c
		}
	}
	return nil
}

// create makes a connection; second: the sender is the key's second end.
func (t *table) create(k *key, hash uint32, second bool, proto conn.Proto, p *packet) *connection {
	t.serial++
	c := t.pool.connection()
	c.table, c.key, c.hash, c.serial, c.proto = t, *k, hash, t.serial, proto
	c.origSecond = second
	c.start, c.last = p.time, p.time
	c.encap = p.encap.share()
	c.addParent(p.encap)
	t.insert(c)

	if proto == conn.TCP {
		c.tcp = t.pool.tcp()
		c.tcp.init(c)
		t.timers.arm(c, expireTimer, t.clock+tcpSYNTimeout.Seconds())
		t.watch(c)
	} else {
		c.lengths = [2]int64{-1, -1}
	}
	if wantsFlip(p, proto) && c.responder().Addr() != broadcast {
		c.flip()
	}
	c.bornSecond = c.origSecond
	if proto == conn.UDP {
		t.watch(c)
	}
	c.SetInactivityTimeout(udpInactivityTimeout) // the same for all transports
	if proto == conn.ICMP {
		t.watch(c)
	}
	if proto == conn.UDP && dnsPort(c.respPort()) {
		c.ending = dnsSession
		t.timers.arm(c, endTimer, t.clock+dnsSessionTimeout.Seconds())
	}
	if proto == conn.TCP && t.tracker.Expecting() {
		id := service.ID{Proto: proto, Orig: c.origin(), Resp: c.responder()}
		c.detector = t.tracker.Attach(c, id, c.start) // it may be one that another announced
	}
	return c
}

var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func (t *table) insert(c *connection) {
	if t.live >= len(t.chains) {
		t.grow()
	}
	chain := &t.chains[c.hash&uint32(len(t.chains)-1)]
	c.next, *chain = *chain, c
	t.live++
	t.stats.Connections++
	t.stats.MostLive = max(t.stats.MostLive, t.live)
}

func (t *table) grow() {
	old := t.chains
	t.chains = make([]*connection, 2*len(old))
	for _, c := range old {
		for c != nil {
			next := c.next
			chain := &t.chains[c.hash&uint32(len(t.chains)-1)]
			c.next, *chain = *chain, c
			c = next
		}
	}
}

// remove ends a connection; its row is next in line.
func (t *table) remove(c *connection) {
	link := &t.chains[c.hash&uint32(len(t.chains)-1)]
	for *link != c {
		link = &(*link).next
	}
	*link, c.next = c.next, nil
	t.live--
	t.timers.remove(c)
	t.teredo.leave(c)
	t.finish(c)
	t.out = append(t.out, out{c: c})
}

// finish tells the detection of services that nothing more comes.
func (t *table) finish(c *connection) {
	c.removed = true
	defer t.stats.recoverPanic() // so that the row is not lost
	if c.tcp != nil {
		for i := range c.tcp.ends {
			c.tcp.dropBlocks(&c.tcp.ends[i].stream)
		}
	}
	if c.detector != nil {
		c.detector.Done()
	}
}

// evict makes room by removing the connection whose next timer is due first.
func (t *table) evict() {
	t.stats.Evicted++
	t.remove(t.timers.first())
}

// next returns the next row to read; its connection is nil if none is left.
func (t *table) next() (o out) {
	for o.c == nil {
		if t.read == len(t.out) {
			t.out, t.read = t.out[:0], 0
			return out{}
		}
		o, t.out[t.read] = t.out[t.read], out{}
		t.read++
		if o.look > 0 && o.c.removed { // by the same packet: its own row comes
			o = out{}
		}
	}
	return o
}

// drain ends all connections at the end of the capture
// (src/zeek-setup.cc, done_with_network): timers that are overdue, then those
// that act on expiry (attempts, DNS), then what is left by its key, as Zeek
// does when it runs with a seed.
func (t *table) drain() {
	t.runTimers(maxTimerExpires)
	t.expireTimers()

	rest := make([]*connection, 0, t.live)
	for _, c := range t.chains {
		for ; c != nil; c = c.next {
			rest = append(rest, c)
		}
	}
	slices.SortFunc(rest, func(a, b *connection) int { return a.key.compare(&b.key) })
	for _, c := range rest {
		t.finish(c)
		t.out = append(t.out, out{c: c})
	}
	clear(t.chains)
	t.live = 0
}
