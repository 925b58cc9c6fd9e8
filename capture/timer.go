package capture

// Timers are driven by packet time (src/Timer.cc, src/session/Session.cc).
// Times are Zeek's doubles, seconds: a sum like last + 60 s rounds as it does
// there.

// timerKind says what a timer does; each connection has one of a kind.
type timerKind uint8

const (
	inactivityTimer timerKind = iota
	statusTimer               // whether the connection has become a long one: Options.Looks
	expireTimer               // TCP: connections on which nothing happened
	halfCloseTimer            // TCP: the same, armed anew when one side closes
	endTimer                  // TCP: attempt, then removal after the close; UDP: the DNS session's
	numTimers
)

type timer struct {
	due   float64
	order uint64 // when it was armed; 0: not armed
}

func (a timer) before(b timer) bool {
	return a.due < b.due || a.due == b.due && a.order < b.order
}

// timers are one connection's.
type timers struct {
	kinds [numTimers]timer
	heap  [numTimers]int32 // places in the heap
	wheel wheelPlace
}

func (t *timers) earliest() (timer, bool) {
	var e timer
	for _, k := range t.kinds {
		if k.order != 0 && (e.order == 0 || k.before(e)) {
			e = k
		}
	}
	return e, e.order != 0
}

// timerQueue gives timers as they fall due. In which order those of one
// instant come, and at which packet where more than 300 are due, depends in
// Zeek on the exact shape of its heap. So that is followed as long as the heap
// fits in memory well; a larger one gives way to a wheel, which knows the order
// of time and, at one instant, of arming.
type timerQueue struct {
	heap     timerHeap
	wheel    timerWheel
	useWheel bool
	most     int // timers in the heap
	orders   uint64
}

// maxHeap is that limit: a third of a million connections have as many timers.
// Behind a scan thousands are due at once, and which of them run at which packet
// decides whether a late packet still meets its connection: a heap of that size
// takes a scan's time up by a tenth.
const maxHeap = 1 << 20

func (q *timerQueue) init() {
	q.most = maxHeap
	q.heap.init()
}

// arm sets a timer, in place of an earlier one of its kind.
func (q *timerQueue) arm(c *connection, kind timerKind, due float64) {
	q.cancel(c, kind)
	q.orders++
	t := timer{due, q.orders}
	c.timers.kinds[kind] = t
	if q.useWheel {
		q.wheel.armed(c, t)
		return
	}
	q.heap.push(heapTimer{due, &c.timers.heap[kind], c, uint8(kind)})
	if len(q.heap.timers) > q.most {
		q.changeToWheel()
	}
}

// cancel disarms a timer.
func (q *timerQueue) cancel(c *connection, kind timerKind) {
	t := &c.timers.kinds[kind]
	if t.order == 0 {
		return
	}
	*t = timer{}
	if !q.useWheel {
		q.heap.cancel(c.timers.heap[kind])
	}
}

// cancelTCP disarms what TCP keeps beside the session's timers, as they were
// armed.
func (q *timerQueue) cancelTCP(c *connection) { q.cancelKinds(c, expireTimer, numTimers) }

// cancelKinds disarms the kinds from first to before end, as they were armed.
func (q *timerQueue) cancelKinds(c *connection, first, end timerKind) {
	for {
		next := numTimers
		for kind := first; kind < end; kind++ {
			if order := c.timers.kinds[kind].order; order != 0 && (next == numTimers || order < c.timers.kinds[next].order) {
				next = kind
			}
		}
		if next == numTimers {
			return
		}
		q.cancel(c, next)
	}
}

// armOwn sets the timer of what the decoder keeps: fragments, IP tunnels. It
// does nothing but take its place among the others.
func (q *timerQueue) armOwn(kind ownTimer, place *int32, due float64) {
	q.heap.push(heapTimer{due: due, place: place, kind: kind})
}

// cancelOwn takes it away, unless it fell due.
func (q *timerQueue) cancelOwn(place *int32) {
	if *place >= 0 {
		q.heap.cancel(*place)
		*place = -1
	}
}

// touch is what Zeek does with a timer that it needs for an instant only.
func (q *timerQueue) touch(due float64) {
	if !q.useWheel {
		q.heap.touch(due)
	}
}

// remove disarms all timers of a connection that ends.
func (q *timerQueue) remove(c *connection) {
	if q.useWheel {
		q.wheel.remove(c)
		c.timers.kinds = [numTimers]timer{}
		return
	}
	q.cancelKinds(c, inactivityTimer, expireTimer)
	q.cancelTCP(c)
}

// anyDue brings the clock to now and reports whether a timer may be due.
func (q *timerQueue) anyDue(now float64) bool {
	if q.useWheel {
		q.wheel.advance(now)
		return true
	}
	return len(q.heap.timers) > 0 && q.heap.timers[0].due <= now
}

// due takes the next timer at or before now and disarms it. The caller runs it
// and calls done, unless it removed the connection. A timer of Zeek's own
// comes without a connection.
func (q *timerQueue) due(now float64) (c *connection, kind timerKind, ok bool) {
	if q.useWheel {
		if next := q.wheel.next(); next <= now && next < q.heap.timers[0].due {
			c, kind = q.wheel.take()
			return c, kind, true
		}
	}
	t, ok := q.heap.due(now)
	if !ok || t.c == nil {
		return nil, 0, ok
	}
	kind = timerKind(t.kind)
	t.c.timers.kinds[kind] = timer{}
	return t.c, kind, true
}

// expire takes all timers and runs those of endTimer.
func (q *timerQueue) expire(run func(*connection)) {
	if q.useWheel {
		q.wheel.expire(run)
		return
	}
	for len(q.heap.timers) > 0 {
		t := q.heap.take()
		if t.c == nil {
			continue
		}
		t.c.timers.kinds[t.kind] = timer{}
		if timerKind(t.kind) == endTimer {
			run(t.c)
		}
	}
}

// done says that a timer was run.
func (q *timerQueue) done(c *connection) {
	if q.useWheel {
		q.wheel.queue(c)
	}
}

// first returns a connection whose time comes soon. There must be one.
func (q *timerQueue) first() *connection {
	if q.useWheel {
		return q.wheel.first()
	}
	for _, t := range q.heap.timers {
		if t.c != nil {
			return t.c
		}
	}
	return nil
}

func (q *timerQueue) changeToWheel() {
	q.useWheel = true
	all := q.heap.timers
	q.heap.timers = nil
	for _, t := range all {
		if t.c != nil {
			q.wheel.queue(t.c)
		} else {
			q.heap.push(t) // Zeek's own go on counting among the 300
		}
	}
}
