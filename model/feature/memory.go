package feature

import (
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
	"math"
)

// Memory says what is known beyond the originator's five minutes, this
// connection included: of the responder, of the pair (originator, responder,
// proto and port), and of the ports that the originator uses.
type Memory struct {
	RespFailures uint32 // failed connections to the responder in its last five minutes, by anybody (see NewPartition)
	PairBytes    uint64 // IP bytes that the originator sent to the pair, halved each day
	PairSeconds  uint64 // seconds for which the pair's connections were open, halved each day
	PortUses     uint32 // connections of the originator to this proto and port, at most maxUses
	Uses         uint32 // connections of the originator, at most maxUses
}

const (
	// Capacities of the tables for each host's place in Hosts. A scan makes many
	// pairs; a host has a handful of ports.
	pairsPerHost = 4
	portsPerHost = 2

	// A pair's bytes and seconds are halved each day, in steps of a quarter of an hour.
	decayMinutes = 15
	decaySteps   = 24 * 60 / decayMinutes

	// An originator's uses are counted up to here: what was used that often is usual.
	maxUses = 256
)

// memory keeps three tables of bounded size; of each, what was used longest
// ago is forgotten.
type memory struct {
	responders table[responder, *responder]
	pairs      table[pair, *pair]
	ports      table[portUse, *portUse]
	own        bool // failures at a responder are those of each originator alone
}

// table keeps a value for each key. A key is a hash of the addresses and ports:
// two that agree are one, a chance of 2^−64 for each two.
type table[V any, P state[V]] struct {
	keys    *recent.Table[uint64]
	entries []entry[V]
	saved   []saved[V] // read from a state, not yet restored
}

type entry[V any] struct {
	seen  uint64 // number of the row that it was last seen in
	value V
}

type saved[V any] struct {
	key uint64
	entry[V]
}

// state is a value that goes to disk and comes back.
type state[V any] interface {
	*V
	append([]byte) []byte
	read(*stateReader)
}

func newTable[V any, P state[V]](capacity int) table[V, P] {
	keys := recent.New[uint64](capacity)
	return table[V, P]{keys: keys, entries: make([]entry[V], keys.Cap())}
}

// use returns the value of a key, zero if it is new.
func (t *table[V, P]) use(key, row uint64) (value P, added bool) {
	place, added := t.keys.Use(key)
	e := &t.entries[place]
	if added {
		*e = entry[V]{}
	}
	e.seen = row
	return &e.value, added
}

// find returns a copy of the value of a key, zero where there is none.
func (t *table[V, P]) find(key uint64) (value V, found bool) {
	if place := t.keys.Find(key); place >= 0 {
		return t.entries[place].value, true
	}
	return value, false
}

// responder is one address that connections went to.
type responder struct {
	minute   int64 // the newest minute reached
	failures [minutes]uint32
}

// pair is one (originator, responder, proto and port).
type pair struct {
	step    int32 // of decay: quarters of an hour since 1970
	bytes   float32
	seconds float32
}

// portUse counts the connections of one (originator, proto and port).
type portUse uint32

func newMemory(hosts int) memory {
	return memory{
		responders: newTable[responder](hosts),
		pairs:      newTable[pair](hosts * pairsPerHost),
		ports:      newTable[portUse](hosts * portsPerHost),
	}
}

// target returns the key of the responder.
func (m *memory) target(e *Event) uint64 {
	if m.own {
		return mix(addressHash(e.Host) ^ mix(e.Target))
	}
	return e.Target
}

// observe counts a row that ended in the minute now and has that number.
func (m *memory) observe(e *Event, now int64, row uint64) Memory {
	r, added := m.responders.use(m.target(e), row)
	if added {
		r.minute = now
	}
	p, added := m.pairs.use(e.Pair, row)
	if added {
		p.step = decayStep(now)
	}
	u, _ := m.ports.use(e.Use, row)
	return count(r, p, u, e, now)
}

// peek returns what observe would return, and counts nothing.
func (m *memory) peek(e *Event, now int64) Memory {
	r, found := m.responders.find(m.target(e))
	if !found {
		r.minute = now
	}
	p, found := m.pairs.find(e.Pair)
	if !found {
		p.step = decayStep(now)
	}
	u, _ := m.ports.find(e.Use)
	return count(&r, &p, &u, e, now)
}

// count counts a row in what is known of its responder, pair and port.
func count(r *responder, p *pair, u *portUse, e *Event, now int64) Memory {
	r.observe(e.Failed, now)
	p.observe(e, now)
	*u = min(*u+1, maxUses)
	return Memory{
		RespFailures: r.total(),
		PairBytes:    wholeNumber(p.bytes), PairSeconds: wholeNumber(p.seconds),
		PortUses: uint32(*u),
	}
}

// total returns the number of failures in the five minutes.
func (r *responder) total() (n uint32) {
	for _, f := range r.failures {
		n += f
	}
	return n
}

func (r *responder) observe(failed bool, now int64) {
	r.reach(now)
	if failed {
		r.failures[ring(r.minute)]++
	}
}

// reach brings the responder's clock to a minute, if that is later.
func (r *responder) reach(now int64) {
	passed := now - r.minute
	if passed < -setBack {
		passed = minutes
	}
	if passed > 0 {
		r.minute = now
		slot := ring(now)
		for range min(passed, minutes) {
			r.failures[slot] = 0
			slot = (slot + minutes - 1) % minutes
		}
	}
}

func (p *pair) observe(e *Event, now int64) {
	p.reach(decayStep(now))
	p.bytes += e.Bytes
	p.seconds += e.Seconds
}

// reach decays what is known until a step, if that is later.
func (p *pair) reach(step int32) {
	if step > p.step {
		kept := decay(int64(step) - int64(p.step))
		p.bytes, p.seconds, p.step = float32(p.bytes*kept), float32(p.seconds*kept), step
	}
}

// decayStep returns the quarter of an hour of a minute.
func decayStep(minute int64) int32 {
	return int32(min(max(minute/decayMinutes, math.MinInt32), math.MaxInt32))
}

// decay is 2^−(steps/decaySteps).
func decay(steps int64) float32 {
	if steps >= 64*decaySteps {
		return 0
	}
	return float32(decayTable[steps%decaySteps] / float64(uint64(1)<<(steps/decaySteps)))
}

var decayTable = func() (t [decaySteps]float64) {
	for i := range t {
		t[i] = Exp(-math.Ln2 * float64(i) / decaySteps)
	}
	return t
}()

// wholeNumber rounds down, and stays below 2^63.
func wholeNumber(x float32) uint64 {
	if x >= 1<<62 {
		return 1 << 62
	}
	return uint64(x)
}
