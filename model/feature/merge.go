package feature

import "math/bits"

// Where several sensors see parts of a network, what each counted of a host, a
// responder, a pair or a port meets at one owner. Two merges follow from it.
// The owner adds what a sensor counted since it was heard last. A sensor takes
// the owner's total, which has its own part in it: counters are never more than
// what happened, so the larger of the two is nearer to it, and a message that
// comes twice, or late, changes nothing.

// merging says how counters meet.
type merging bool

const (
	adds  merging = false // what others counted is added
	takes merging = true  // a total that others counted takes the place of what is less
)

// merge brings what others counted of the originator, whose marks are om.
func (e *host) merge(m *hostMarks, other *host, om *hostMarks, how merging) {
	e.reach(other.minute, m)
	e.uses = min(how.count(e.uses, other.uses), maxUses)
	if e.minute-other.minute >= minutes {
		return
	}
	slot, ago := ring(e.minute), int(e.minute-other.minute)
	for minute := ago; minute < minutes; minute++ {
		at := (slot + minutes - minute) % minutes
		e.conns[at] = how.count(e.conns[at], other.conns[at])
		e.failures[at] = how.count(e.failures[at], other.failures[at])
	}
	e.responders.merge(&m.responders, &other.responders, &om.responders, slot, ago)
	e.ports.merge(&m.ports, &other.ports, &om.ports, slot, ago)
}

// total returns the number of connections in the five minutes.
func (e *host) total() (n uint32) {
	for _, c := range e.conns {
		n += c
	}
	return n
}

// count returns a counter once n others were counted.
func (how merging) count(known, n uint32) uint32 {
	if how == takes {
		return max(known, n)
	}
	sum, carry := bits.Add32(known, n, 0)
	return sum | -carry
}

// amount is count for bytes and seconds.
func (how merging) amount(known, x float32) float32 {
	if how == takes {
		return max(known, x)
	}
	return known + x
}

// merge unites the keys with others', whose newest minute was so many minutes
// before that of slot.
func (d *distinct) merge(m *marks, other *distinct, om *marks, slot, ago int) {
	if other.upto[minutes-1] == 0 {
		return
	}
	was, wasFull := *d, d.full()
	d.upto = [minutes]uint8{}
	n := 0
	from, others := 0, 0 // how many of each were taken
	for minute := range minutes {
		for ; from < int(was.upto[minute]) && n < recentKeys; from++ {
			n = d.admit(n, was.recent[from], was.spots[from])
		}
		if minute >= ago {
			for ; others < int(other.upto[minute-ago]) && n < recentKeys; others++ {
				n = d.admit(n, other.recent[others], other.spots[others])
			}
		}
		d.upto[minute] = uint8(n)
	}
	if !d.full() {
		return
	}
	if !wasFull {
		was.mark(slot, m)
	}
	if !other.full() {
		other.spread(slot, ago, m)
		return
	}
	for minute := ago; minute < minutes; minute++ {
		at := (slot + minutes - minute) % minutes
		for w := range m[at] {
			m[at][w] |= om[at][w]
		}
	}
}

// admit makes a key the oldest of n, unless it is there.
func (d *distinct) admit(n int, key uint32, spot uint8) int {
	for i := range n {
		if d.recent[i] == key {
			return n
		}
	}
	d.recent[n], d.spots[n] = key, spot
	return n + 1
}

func (r *responder) merge(other *responder, how merging) {
	r.reach(other.minute)
	for minute := other.minute; minute > r.minute-minutes && minute > other.minute-minutes; minute-- {
		at := ring(minute)
		r.failures[at] = how.count(r.failures[at], other.failures[at])
	}
}

func (p *pair) merge(other *pair, how merging) {
	p.reach(other.step)
	o := *other
	o.reach(p.step)
	p.bytes, p.seconds = how.amount(p.bytes, o.bytes), how.amount(p.seconds, o.seconds)
}

func (u *portUse) merge(other portUse, how merging) {
	*u = min(portUse(how.count(uint32(*u), uint32(other))), maxUses)
}
