package feature

// unsent is what a sensor of a cluster counted and no owner was sent yet.
type unsent struct {
	hosts      pending[[16]byte, unsentHost]
	responders pending[uint64, responder]
	pairs      pending[uint64, pair]
	ports      pending[uint64, portUse]
	now        int64  // the latest minute
	sensors    uint32 // that an owner has heard, 1 before one told
	entry      evidence
}

type unsentHost struct {
	host
	marks hostMarks
}

// Capacities of what may wait to be sent.
const (
	unsentHosts      = 1 << 12
	unsentResponders = 1 << 12
	unsentPairs      = 1 << 14
	unsentPorts      = 1 << 13
)

// Share begins to note what is counted, for AppendCounts.
func (h *Hosts) Share() {
	if h.unsent != nil {
		return
	}
	h.unsent = &unsent{
		hosts:      newPending[[16]byte, unsentHost](unsentHosts),
		responders: newPending[uint64, responder](unsentResponders),
		pairs:      newPending[uint64, pair](unsentPairs),
		ports:      newPending[uint64, portUse](unsentPorts),
		now:        longAgo,
		sensors:    1,
	}
}

// note notes a row that ended in the minute now, once memory has counted it and
// before its host has. A responder or port is noted once a minute.
func (u *unsent) note(e *Event, now int64, host *host, m *hostMarks, memory *memory) {
	host.reach(now, m)
	u.now = max(u.now, host.minute)
	o, _ := u.hosts.use(e.Host)
	if o.uses == 0 {
		o.minute = host.minute
	}
	o.reach(host.minute, &o.marks)
	slot := o.one(e)
	if !host.responders.met(e.Peer.Low, e.Peer.Hash, slot, &m.responders) {
		o.responders.add(e.Peer.Low, e.Peer.Hash, slot, &o.marks.responders)
	}
	if !host.ports.met(e.Port.Low, e.Port.Hash, slot, &m.ports) {
		o.ports.add(e.Port.Low, e.Port.Hash, slot, &o.marks.ports)
	}
	if e.Failed {
		known, _ := memory.responders.find(e.Target)
		r, _ := u.responders.use(e.Target)
		r.observe(true, max(now, known.minute))
	}
	p, _ := u.pairs.use(e.Pair)
	p.observe(e, now)
	port, _ := u.ports.use(e.Use)
	*port = min(*port+1, maxUses)
}

// Shards of what is counted: each originator, responder, pair and port is in one
// of them, and a shard has one owner.
const Shards = 64

// ShardSet is a set of shards: bit i for shard i.
type ShardSet uint64

// AllShards is the set of all of them.
const AllShards ShardSet = 1<<Shards - 1

func (s ShardSet) has(hash uint64) bool { return s>>(hash>>58)&1 != 0 }

// A pair's bytes and seconds, and uses of a port, are sent once they have grown by
// an eighth: their logarithms are what counts. What several sensors hold back adds
// up, so each sends its share of an eighth.
const notable = 8

// What has grown by so much goes first, where there is no room for all.
const loud = 16

// AppendCounts appends what was counted in those shards since it was appended
// last, in at most size bytes, which is MaxEvidence at most. What has no room
// waits. It appends nothing where there is nothing.
func (h *Hosts) AppendCounts(dst []byte, shards ShardSet, size int) []byte {
	u := h.unsent
	if u == nil || u.now == longAgo {
		return dst
	}
	w := newEvidence(dst, counts, u.now, 0, size)
	head := len(w.data)
	w.passes([...]uint32{loud, 1}, func(w *evidenceWriter, least uint32) { u.append(w, h, shards, least) })
	if len(w.data) == head {
		return dst
	}
	return w.data
}

// append writes entries of at least so many connections, failures, uses or KiB.
func (u *unsent) append(w *evidenceWriter, h *Hosts, shards ShardSet, least uint32) {
	share := notable * u.sensors
	u.responders.each(w, respondersPart, maxSmallEntry, func(key uint64, r *responder) {
		if r.total() >= least && shards.has(key) {
			w.responder(key, r)
			r.failures = [minutes]uint32{}
		}
	})
	u.ports.each(w, portsPart, maxSmallEntry, func(key uint64, n *portUse) {
		if *n >= portUse(least) && shards.has(key) {
			if known, _ := h.memory.ports.find(key); *n*portUse(share) >= known {
				w.port(key, *n)
				*n = 0
			}
		}
	})
	u.pairs.each(w, pairsPart, maxSmallEntry, func(key uint64, p *pair) {
		if p.bytes >= float32(least-1)*1024 && p.bytes+p.seconds > 0 && shards.has(key) {
			if known, _ := h.memory.pairs.find(key); p.bytes*float32(share) >= known.bytes || p.seconds*float32(share) >= known.seconds {
				w.pair(key, p)
				p.bytes, p.seconds = 0, 0
			}
		}
	})
	u.hosts.each(w, hostsPart, maxEntry, func(addr [16]byte, e *unsentHost) {
		if e.uses >= least && shards.has(addressHash(addr)) {
			w.host(addr, &e.host, &e.host, &e.marks)
			e.host = host{minute: e.minute}
		}
	})
}

// TakeTotals takes what all sensors counted, as an owner says. Damaged totals are
// taken up to where they are damaged.
func (h *Hosts) TakeTotals(data []byte) error {
	r, err := readEvidence(data, totals)
	if err != nil {
		return err
	}
	u := h.unsent
	for u.sensors = max(u.sensors, r.sensors); r.next(&u.entry); {
		h.take(u, &u.entry)
	}
	return r.fault()
}

// take takes the total of one entry, to which what was not sent belongs too.
func (h *Hosts) take(u *unsent, e *evidence) {
	switch e.of {
	case ofHost4, ofHost:
		if own := u.hosts.find(e.addr); own != nil && own.uses > 0 {
			e.host.merge(&e.marks, &own.host, &own.marks, adds)
		}
		place := h.find(e.addr, e.host.minute)
		h.rows++
		h.hosts[place].seen = h.rows
		h.hosts[place].merge(&h.marks[place], &e.host, &e.marks, takes)
	case ofResponder:
		if own := u.responders.find(e.key); own != nil {
			e.responder.merge(own, adds)
		}
		known, _ := h.memory.responders.use(e.key, h.rows)
		known.merge(&e.responder, takes)
	case ofPair:
		if own := u.pairs.find(e.key); own != nil {
			e.pair.merge(own, adds)
		}
		known, _ := h.memory.pairs.use(e.key, h.rows)
		known.merge(&e.pair, takes)
	case ofPort:
		if own := u.ports.find(e.key); own != nil {
			e.port.merge(*own, adds)
		}
		known, _ := h.memory.ports.use(e.key, h.rows)
		known.merge(e.port, takes)
	}
}
