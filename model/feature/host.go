package feature

import (
	"encoding/binary"
	"math"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

// Window says what the originator of a connection did in its last five
// minutes, that connection included. The minutes are those of the clock face:
// the one in which the host's latest connection ended and the four before it.
// For rows of other logs, Event says what is counted in place of connections,
// responders and ports.
type Window struct {
	Connections uint32
	Failures    uint32 // connections for whose conn_state State.Failed holds
	Responders  uint32 // distinct responder addresses: exact up to 23, then an estimate
	Ports       uint32 // distinct (proto, responder port): exact up to 23, then an estimate

	// Cold is set while connections of these minutes may be missing, because
	// the stream began, or the host was forgotten, too recently.
	Cold bool

	// OneWay is set where no answer belongs to the connection, so that its
	// conn_state does not mean a failure.
	OneWay bool

	// Open is set where the connection goes on, so that to be established and
	// not closed says nothing of it.
	Open bool

	Memory
}

const (
	minute = conn.Micros(60e6)

	// A row this far behind its host's clock says that the clock of the sensor
	// was set back, or that one row's time was wrong: the window starts anew.
	setBack = 24 * 60

	// openingRows are the rows from which we learn when a stream begins: a row
	// is written up to some minutes after its connection's end, so one row
	// alone says little.
	openingRows = 64

	longAgo = math.MinInt64 / 2
)

// host is one originator: its clock and counters in rings of one minute each.
// It fills five lines of a processor's cache, of which a host of a few
// connections needs three.
type host struct {
	minute     int64  // the newest minute reached: the host's clock
	seen       uint64 // number of the row that it was last seen in
	uses       uint32 // connections, at most maxUses
	exactFrom  int64  // first minute whose window is complete
	conns      [minutes]uint32
	failures   [minutes]uint32
	responders distinct
	ports      distinct
}

// hostMarks are the marks of a host's responders and ports.
type hostMarks struct{ responders, ports marks }

// Hosts keeps the windows of the originators, at most a fixed number of them.
// It is not safe for concurrent use: the order of rows is data.
type Hosts struct {
	places *recent.Table[[16]byte]
	hosts  []host
	marks  []hostMarks // the same hosts'
	memory memory

	rows    uint64
	opening int64 // latest minute among the first openingRows rows
	horizon int64 // latest minute of a host that was forgotten

	partition *partition // nil unless the rows are a part of a log
	unsent    *unsent    // nil unless other sensors see a part of the network
	journal   *Journal   // nil unless what is counted is kept
}

// NewHosts returns a table for that many originators, at least one. All memory
// is reserved at once, without pointers, about 670 bytes a host; pages that no
// host has used yet stay untouched, and so does half of it where hosts have
// fewer than 24 responders and ports.
func NewHosts(capacity int) *Hosts {
	places := recent.New[[16]byte](capacity)
	return &Hosts{
		places:  places,
		hosts:   make([]host, places.Cap()),
		marks:   make([]hostMarks, places.Cap()),
		memory:  newMemory(places.Cap()),
		opening: longAgo,
		horizon: longAgo,
	}
}

// Cap returns the number of originators that fit.
func (h *Hosts) Cap() int { return len(h.hosts) }

// Len returns the number of originators that are kept now.
func (h *Hosts) Len() int { return h.places.Len() }

// Places returns the number of places that AppendState has to pass: Len, or more
// where more is remembered of responders, pairs and ports.
func (h *Hosts) Places() int { return max(h.Len(), h.memory.places()) }

// Event is what Hosts counts of a row, of whatever log.
type Event struct {
	Host    [16]byte    // whose window it is: the originator's address, or a hash of something else
	End     conn.Micros // when the row's subject ended: the time that windows go by
	Failed  bool
	OneWay  bool   // no answer belongs to it, see Window
	Peer    Key    // counted in Window.Responders
	Port    Key    // counted in Window.Ports
	Target  uint64 // hash of whom Memory.RespFailures are about
	Pair    uint64 // hash of what Memory.PairBytes and PairSeconds are about, host included
	Use     uint64 // hash of what Memory.PortUses counts, host included
	Bytes   float32
	Seconds float32
}

// Key is something of which different ones are counted: Low tells keys apart,
// Hash spreads them.
type Key struct {
	Low  uint32
	Hash uint64
}

// KeyOf returns the key of a hash, such as a code.
func KeyOf(hash uint64) Key {
	hash = mix(hash)
	return Key{uint32(hash), hash}
}

// Hash returns a hash of numbers, such as codes.
func Hash(numbers ...uint64) (h uint64) {
	for _, n := range numbers {
		h = mix(h ^ mix(n))
	}
	return h
}

// HashText returns a hash of a text: fast, for keys that are counted or remembered.
// Who wants two texts with one hash finds them; CodeOf is for what a model keeps.
func HashText(text string) uint64 {
	h := uint64(len(text))
	for ; len(text) >= 8; text = text[8:] {
		h = (h ^ binary.LittleEndian.Uint64([]byte(text[:8]))) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 0x9e3779b97f4a7c15
		h ^= h >> 29
	}
	return h
}

// HashHost returns a hash of a host.
func HashHost(h conn.Host) uint64 {
	b := HostKey(h)
	return Hash(binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]))
}

// HostKey tells hosts apart: the bytes of the address, and in a context a hash of
// both, with which no two addresses of one context are the same.
func HostKey(h conn.Host) [16]byte {
	key := h.Addr.As16()
	if h.Context == "" {
		return key
	}
	context := mix(HashText(h.Context))
	hi, lo := binary.BigEndian.Uint64(key[:8]), binary.BigEndian.Uint64(key[8:])
	hi ^= mix(lo ^ context)
	lo ^= mix(hi ^ context)
	binary.BigEndian.PutUint64(key[:8], hi)
	binary.BigEndian.PutUint64(key[8:], lo)
	return key
}

// eventOf returns what is counted of a connection.
func eventOf(c *conn.Conn) (e Event) {
	e.Host, e.End, e.OneWay = HostKey(c.OrigHost()), endOf(c), oneWay(c)
	e.Failed = c.State.Failed() && !e.OneWay
	_, orig := hostHash(c.OrigHost())
	e.Peer.Low, e.Peer.Hash = hostHash(c.RespHost())
	service := uint64(c.Proto)<<16 | uint64(c.Resp.Port())
	e.Port = Key{uint32(service), mix(service)}
	e.Target = e.Peer.Hash
	e.Pair = mix(orig ^ mix(e.Target^mix(service)))
	e.Use = mix(orig ^ mix(service))
	e.Bytes = float32(c.OrigIPBytes)
	if c.Has(conn.Duration) {
		e.Seconds = float32(float64(c.Duration) / 1e6)
	}
	return e
}

// Observe counts the connection in its originator's window and returns that
// window. It does not allocate. A host's clock is the end of its latest
// connection and never goes back: an older row counts in the newest minute
// reached. When the table is full, the originator observed longest ago is
// forgotten.
func (h *Hosts) Observe(c *conn.Conn) Window {
	e := eventOf(c)
	return h.ObserveEvent(&e)
}

// Peek returns the window that Observe would return, but Open, and counts
// nothing: for the row of a connection that goes on. It does not allocate.
func (h *Hosts) Peek(c *conn.Conn) Window {
	e := eventOf(c)
	w := h.PeekEvent(&e)
	w.Open = true
	return w
}

// Next is Observe, or Peek where the connection goes on.
func (h *Hosts) Next(c *conn.Conn) Window {
	if c.Look != 0 {
		return h.Peek(c)
	}
	return h.Observe(c)
}

// ObserveEvent is Observe for a row of any log.
func (h *Hosts) ObserveEvent(e *Event) Window {
	now := minuteOf(e.End)
	h.opening, h.horizon = h.opened(now)
	h.rows++
	place := h.find(e.Host, now)
	host := &h.hosts[place]
	host.seen = h.rows
	known := h.memory.observe(e, now, h.rows)
	if h.journal != nil {
		h.journal.add(e, h.rows, now)
	}
	if h.unsent != nil {
		h.unsent.note(e, now, host, &h.marks[place], &h.memory)
	}
	return host.observe(&h.marks[place], e, now, known, h.opening)
}

// PeekEvent is Peek for a row of any log.
func (h *Hosts) PeekEvent(e *Event) Window {
	now := minuteOf(e.End)
	opening, horizon := h.opened(now)
	var known host
	var m hostMarks
	if place := h.places.Find(e.Host); place >= 0 {
		known, m = h.hosts[place], h.marks[place]
	} else {
		forgets, _ := h.next()
		known = host{minute: now, exactFrom: h.exactFrom(e.Host, now, max(horizon, forgets))}
	}
	return known.observe(&m, e, now, h.memory.peek(e, now), opening)
}

// opened returns when the stream began, and when a host was forgotten last, once a
// row of the minute now has come.
func (h *Hosts) opened(now int64) (opening, horizon int64) {
	switch {
	case h.partition != nil: // other hosts' rows say nothing
	case now < h.opening-setBack:
		return now, min(h.horizon, now)
	case h.rows < openingRows:
		return max(h.opening, now), h.horizon
	}
	return h.opening, h.horizon
}

// observe counts a row that ended in the minute now and returns its window.
func (e *host) observe(m *hostMarks, row *Event, now int64, known Memory, opening int64) Window {
	e.count(m, row, now)
	w := Window{OneWay: row.OneWay, Memory: known}
	for i := range minutes {
		w.Connections += e.conns[i]
		w.Failures += e.failures[i]
	}
	w.Responders, w.Ports = e.responders.count(&m.responders), e.ports.count(&m.ports)
	w.Uses = e.uses
	w.Cold = e.minute < max(e.exactFrom, opening+minutes)
	return w
}

// count counts a row that ended in the minute now.
func (e *host) count(m *hostMarks, row *Event, now int64) {
	e.reach(now, m)
	slot := e.one(row)
	e.responders.add(row.Peer.Low, row.Peer.Hash, slot, &m.responders)
	e.ports.add(row.Port.Low, row.Port.Hash, slot, &m.ports)
}

// one counts a row in the newest minute, whose place in the rings it returns, but
// for its responder and port.
func (e *host) one(row *Event) (slot int) {
	e.uses = min(e.uses+1, maxUses)
	slot = ring(e.minute)
	e.conns[slot]++
	if row.Failed {
		e.failures[slot]++
	}
	return slot
}

// reach brings the host's clock to a minute, if that is later.
func (e *host) reach(now int64, m *hostMarks) {
	passed := now - e.minute
	if passed < -setBack {
		passed, e.exactFrom = minutes, now+minutes
	}
	if passed <= 0 {
		return
	}
	e.minute = now
	slot := ring(now)
	e.responders.advance(passed, slot, &m.responders)
	e.ports.advance(passed, slot, &m.ports)
	for range min(passed, minutes) {
		e.conns[slot], e.failures[slot] = 0, 0
		slot = (slot + minutes - 1) % minutes
	}
}

// find returns the place of an originator, and makes one where there is none.
func (h *Hosts) find(addr [16]byte, now int64) int {
	forgets, forgotten := h.next()
	place, added := h.places.Use(addr)
	if !added {
		return place
	}
	if h.partition == nil {
		h.horizon = max(h.horizon, forgets)
	}
	h.hosts[place] = host{minute: now, exactFrom: h.exactFrom(addr, now, h.horizon)}
	if h.partition != nil && forgets != longAgo {
		h.partition.forget(forgotten, forgets)
	}
	return place
}

// next returns the minute of the originator that a new one would take the place of,
// and its address; longAgo where there is room.
func (h *Hosts) next() (minute int64, addr [16]byte) {
	if !h.places.Full() {
		return longAgo, addr
	}
	oldest := h.places.Oldest()
	return h.hosts[oldest].minute, h.places.Key(oldest)
}

// exactFrom returns the first minute for which the window of a new originator is
// complete, where others made room until horizon.
func (h *Hosts) exactFrom(addr [16]byte, now, horizon int64) int64 {
	if h.partition != nil {
		return h.partition.exactFrom(addr, now)
	}
	return horizon + minutes
}

// endOf returns when the connection ended.
func endOf(c *conn.Conn) conn.Micros {
	end := c.TS
	if c.Has(conn.Duration) {
		end += max(c.Duration, 0)
	}
	if end < c.TS {
		end = 1<<63 - 1
	}
	return end
}

// minuteOf returns the minute of a time.
func minuteOf(t conn.Micros) int64 {
	m := int64(t / minute)
	if t%minute < 0 {
		m--
	}
	return m
}

// ring returns the position of a minute in the rings.
func ring(m int64) int { return int((m%minutes + minutes) % minutes) }

// hostHash gives a number that tells IPv4 addresses apart, and other hosts but
// for a chance of 2^−32, and a hash of the host.
func hostHash(h conn.Host) (key uint32, hash uint64) {
	if h.Context != "" {
		hash = addressHash(HostKey(h))
		return uint32(hash), hash
	}
	a := h.Addr.Unmap()
	if a.Is4() { // as its sixteen bytes ::ffff:a.b.c.d, but faster
		b := a.As4()
		key = binary.BigEndian.Uint32(b[:])
		return key, mix((0xffff<<32 | uint64(key)) ^ mix(0))
	}
	hash = addressHash(a.As16())
	return uint32(hash), hash
}

// addressHash returns the hash of an address of sixteen bytes.
func addressHash(b [16]byte) uint64 {
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	return mix(lo ^ mix(hi))
}

// mix is SplitMix64's finaliser (Steele, Lea, Flood 2014): a bijection.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
