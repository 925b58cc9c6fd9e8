package capture

import (
	"math"
	"slices"
)

// wheelSlots of one second each: more than the longest timeout, an hour.
const wheelSlots = 4096

// timerWheel holds each connection once, by its earliest timer when it was put
// there: in the list of the second in which that falls due, or, once the clock
// has come there, in a heap. Most timers are disarmed or put off before that,
// for the price of a list operation at most.
type timerWheel struct {
	slots   [wheelSlots]*connection
	inSlots int
	pos     int64 // the last second that went into the heap
	heap    []wheelEntry
}

// wheelPlace is where a connection is in the wheel.
type wheelPlace struct {
	timer                  // that it is queued by; order 0: not queued
	prev, next *connection // in the slot's list
	slot       int16       // -1: in the heap
}

// wheelEntry is out of date when the connection is not queued by it any more.
type wheelEntry struct {
	timer
	c *connection
}

// armed puts a connection into the queue by a new timer, if that is earlier
// than what it is queued by.
func (w *timerWheel) armed(c *connection, t timer) {
	if q := c.timers.wheel.timer; q.order == 0 || t.before(q) {
		w.remove(c)
		w.queue(c)
	}
}

// remove takes a connection out of the queue.
func (w *timerWheel) remove(c *connection) {
	p := &c.timers.wheel
	if p.order == 0 {
		return
	}
	p.timer = timer{}
	if p.slot < 0 {
		return // the heap's entry is out of date now
	}
	if p.prev != nil {
		p.prev.timers.wheel.next = p.next
	} else {
		w.slots[p.slot] = p.next
	}
	if p.next != nil {
		p.next.timers.wheel.prev = p.prev
	}
	p.prev, p.next = nil, nil
	w.inSlots--
}

// queue puts a connection that is not queued into the queue by the earliest of
// its timers, if it has any.
func (w *timerWheel) queue(c *connection) {
	p := &c.timers.wheel
	t, ok := c.timers.earliest()
	if p.order != 0 || !ok {
		return
	}
	p.timer = t
	second := int64(math.Floor(t.due))
	if second <= w.pos {
		p.slot = -1
		w.heapPush(wheelEntry{t, c})
		return
	}
	slot := min(second, w.pos+wheelSlots-1) % wheelSlots
	p.slot = int16(slot)
	p.prev, p.next = nil, w.slots[slot]
	if n := w.slots[slot]; n != nil {
		n.timers.wheel.prev = c
	}
	w.slots[slot] = c
	w.inSlots++
}

// advance brings the clock to now: what is due until then is in the heap.
func (w *timerWheel) advance(now float64) {
	second := int64(math.Floor(now))
	for ; w.pos < second && w.inSlots > 0; w.pos++ {
		slot := (w.pos + 1) % wheelSlots
		for c := w.slots[slot]; c != nil; {
			p := &c.timers.wheel
			next := p.next
			p.prev, p.next, p.slot = nil, nil, -1
			w.heapPush(wheelEntry{p.timer, c})
			w.inSlots--
			c = next
		}
		w.slots[slot] = nil
	}
	w.pos = max(w.pos, second)
}

// next returns when the next timer falls due, if that is in a second which the
// clock has reached; else infinitely late.
func (w *timerWheel) next() float64 {
	for len(w.heap) > 0 {
		e := w.heap[0]
		t := &e.c.timers
		if t.wheel.order == e.order {
			for _, k := range t.kinds {
				if k.order == e.order {
					return e.due
				}
			}
			t.wheel.timer = timer{} // it was cancelled or put off
			w.heapPop()
			w.queue(e.c)
			continue
		}
		w.heapPop()
	}
	return math.Inf(1)
}

// take takes that timer, disarms it and leaves its connection out of the queue.
func (w *timerWheel) take() (*connection, timerKind) {
	e := w.heapPop()
	t := &e.c.timers
	t.wheel.timer = timer{}
	kind := timerKind(0)
	for t.kinds[kind].order != e.order {
		kind++
	}
	t.kinds[kind] = timer{}
	return e.c, kind
}

// expire runs the endTimers of all connections, in order. The wheel is not
// used any more.
func (w *timerWheel) expire(run func(*connection)) {
	var pending []wheelEntry
	add := func(c *connection) {
		if t := c.timers.kinds[endTimer]; t.order != 0 {
			pending = append(pending, wheelEntry{t, c})
		}
	}
	for _, e := range w.heap {
		if e.c.timers.wheel.order == e.order {
			add(e.c)
		}
	}
	for _, c := range w.slots {
		for ; c != nil; c = c.timers.wheel.next {
			add(c)
		}
	}
	slices.SortFunc(pending, func(a, b wheelEntry) int { return less(a.before(b.timer)) })
	for _, e := range pending {
		run(e.c)
	}
}

// first returns a connection of the first second that has any.
func (w *timerWheel) first() *connection {
	for _, e := range w.heap {
		if e.c.timers.wheel.order == e.order {
			return e.c
		}
	}
	for i := range int64(wheelSlots) {
		if c := w.slots[(w.pos+i)%wheelSlots]; c != nil {
			return c
		}
	}
	return nil
}

func (w *timerWheel) heapPush(e wheelEntry) {
	h := append(w.heap, e)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(h[parent].timer) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
	w.heap = h
}

func (w *timerWheel) heapPop() wheelEntry {
	h := w.heap
	top := h[0]
	n := len(h) - 1
	e := h[n]
	h[n] = wheelEntry{}
	w.heap = h[:n]
	if n == 0 {
		return top
	}
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && h[child+1].before(h[child].timer) {
			child++
		}
		if !h[child].before(e.timer) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = e
	return top
}
