package capture

import "math"

// timerHeap is Zeek's priority queue, shape and all (src/PriorityQueue.cc).
// Its root is at index 0 while the children of i are at 2i and 2i+1, so the
// root has one child. Its order of equal timers follows from that, and from
// the timers of Zeek's own that share it.
type timerHeap struct {
	timers []heapTimer
	events []ownTimer // scheduled events that fired, to be scheduled anew behind the packet
	check  checksumCheck
}

// heapTimer is a connection's timer or, without one, Zeek's own.
type heapTimer struct {
	due   float64
	place *int32 // where its index is kept, for those that can be cancelled; -1: not in the heap
	c     *connection
	kind  uint8 // timerKind or ownTimer
}

// ownTimer is a timer that Zeek has beside those of connections: with its
// default scripts.
type ownTimer = uint8

const (
	ownTable     ownTimer = iota // table_expire_interval of a table with an expiry
	ownDeadTable                 // the same of a table that is gone by the first packet
	ownFlush                     // log buffers
	ownHeartbeat                 // threads
	ownStorage                   // src/storage
	ownBroker                    // event Broker::log_flush
	ownChecksums                 // event ChecksumOffloading::check
	ownFilter                    // event filter_change_tracking
	ownFragments                 // of a datagram whose fragments are awaited
	ownTunnel                    // of an IP tunnel between two hosts
	ownWeird                     // of a packet that Zeek calls weird
	ownFakeTCP                   // see touch
)

// ownTimers is the heap as the first packet finds it.
const ownTimers = "tttttttttttttttt" + "dddddd" + "tttttttttt" + "sfbchp"

func (h *timerHeap) init() {
	for _, letter := range []byte(ownTimers) {
		t := map[byte]heapTimer{
			't': {due: 1, kind: ownTable},
			'd': {due: 1, kind: ownDeadTable},
			'f': {due: 1, kind: ownFlush},
			'h': {due: 1, kind: ownHeartbeat},
			's': {due: 15, kind: ownStorage},
			'b': {due: 1, kind: ownBroker},
			'c': {due: 10, kind: ownChecksums},
			'p': {due: 300, kind: ownFilter},
		}[letter]
		h.timers = append(h.timers, t)
	}
}

// due takes the first timer if it is due. One of Zeek's own has done its work
// then.
func (h *timerHeap) due(now float64) (heapTimer, bool) {
	if len(h.timers) == 0 || h.timers[0].due > now {
		return heapTimer{}, false
	}
	t := h.take()
	if t.c == nil {
		switch t.kind {
		case ownTable:
			h.push(heapTimer{due: now + 10, kind: t.kind})
		case ownFlush, ownHeartbeat:
			h.push(heapTimer{due: now + 1, kind: t.kind})
		case ownStorage:
			h.push(heapTimer{due: now + 15, kind: t.kind})
		case ownBroker, ownChecksums, ownFilter:
			h.events = append(h.events, t.kind)
		}
	}
	return t, true
}

// take takes the first timer.
func (h *timerHeap) take() heapTimer {
	t := h.timers[0]
	h.pop()
	if t.place != nil {
		*t.place = -1
	}
	return t
}

// endPacket runs the scheduled events, each of which schedules itself again.
func (h *timerHeap) endPacket(now float64) {
	for _, e := range h.events {
		switch e {
		case ownBroker:
			h.push(heapTimer{due: now + 1, kind: e})
		case ownChecksums:
			if h.check.again() {
				h.push(heapTimer{due: now + 10, kind: e})
			}
		case ownFilter:
			h.push(heapTimer{due: now + 300, kind: e})
		}
	}
	h.events = h.events[:0]
	h.check.count()
}

// checksumCheck is scripts/base/misc/find-checksum-offloading.zeek, which
// looks every ten seconds until there are enough packets or too many bad ones.
// Its timer runs before the packet, so its event stands in line before the
// packet's own weirds: it counts the packet (src/iosource/pcap/Source.cc), but
// not yet that its checksum is bad.
type checksumCheck struct {
	packets, badTCP, badUDP uint64
	nowTCP, nowUDP          uint64 // of the current packet
}

func (c *checksumCheck) count() {
	c.badTCP += c.nowTCP
	c.badUDP += c.nowUDP
	c.nowTCP, c.nowUDP = 0, 0
}

func (c *checksumCheck) again() bool {
	const most, enough = 0.05, 20
	all := float64(max(c.packets, 1))
	return float64(c.badTCP)/all <= most && float64(c.badUDP)/all <= most && c.packets < enough
}

func (h *timerHeap) push(t heapTimer) {
	h.timers = append(h.timers, t)
	h.up(int32(len(h.timers)-1), t)
}

func (h *timerHeap) pop() {
	last := len(h.timers) - 1
	t := h.timers[last]
	h.timers[last] = heapTimer{}
	h.timers = h.timers[:last]
	if last > 0 {
		h.down(t)
	}
}

// cancel takes out the timer at i, by way of the root.
func (h *timerHeap) cancel(i int32) {
	h.up(i, heapTimer{due: math.Inf(-1)})
	h.pop()
}

func (h *timerHeap) set(i int32, t heapTimer) {
	h.timers[i] = t
	if t.place != nil {
		*t.place = i
	}
}

// touch arms a timer and cancels it, which changes the shape of the heap.
func (h *timerHeap) touch(due float64) {
	place := int32(-1)
	h.push(heapTimer{due: due, place: &place, kind: ownFakeTCP})
	h.cancel(place)
}

// up moves t, which is to be at i, towards the root while its parent is later.
func (h *timerHeap) up(i int32, t heapTimer) {
	for i > 0 {
		parent := i >> 1
		if h.timers[parent].due <= t.due {
			break
		}
		h.set(i, h.timers[parent])
		i = parent
	}
	h.set(i, t)
}

// down moves t from the root to its place: to the earlier child while that is
// earlier than t, to the right one if they are equal. The root has one child.
func (h *timerHeap) down(t heapTimer) {
	all := h.timers
	i, next, n := 0, 1, len(all)
	for next < n && all[next].due < t.due {
		h.set(int32(i), all[next])
		i = next
		if next = 2*i + 1; next < n {
			left := 0 // no branch: which child is earlier, nobody can foresee
			if all[next-1].due < all[next].due {
				left = 1
			}
			next -= left
		} else {
			next--
		}
	}
	h.set(int32(i), t)
}
