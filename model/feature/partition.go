package feature

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

// partition is what Hosts keeps beside the windows where its rows are a part of
// a log: what one originator did may not change what is said of another, whose
// rows can be days older.
type partition struct {
	forgotten *recent.Table[[16]byte] // originators that had to make room
	last      []int64                 // their latest minute
	begun     bool                    // BeginAt said when the log began
}

// forgottenPerHost is how many originators that had to make room are known by
// name, for each that has room.
const forgottenPerHost = 4

// NewPartition is NewHosts for rows that are a part of a log: all rows of each
// of its originators, in the log's order, the originators one after the other
// or mixed. Then each window is that of the whole log, but for two things that
// rows of other originators decide. RespFailures are the originator's own, until
// a Responders that saw all rows says better. And an originator is cold in its
// first five minutes, until BeginAt says when the log began.
func NewPartition(capacity int) *Hosts {
	h := NewHosts(capacity)
	forgotten := recent.New[[16]byte](h.Cap() * forgottenPerHost)
	h.partition = &partition{forgotten: forgotten, last: make([]int64, forgotten.Cap())}
	h.memory.responders = newTable[responder](h.Cap() * pairsPerHost)
	h.memory.own = true
	return h
}

// BeginAt says when the log began, whatever its first rows say: windows that
// reach back to that minute or beyond are cold. It is called before Observe.
func (h *Hosts) BeginAt(ts conn.Micros) {
	h.opening = minuteOf(ts)
	h.rows = max(h.rows, openingRows)
	if h.partition != nil {
		h.partition.begun = true
	}
}

// Opening returns when the log began, as BeginAt takes it: the latest minute among
// its first rows where nothing else was said.
func (h *Hosts) Opening() conn.Micros {
	return conn.Micros(max(h.opening, -maxMinute)) * minute
}

// maxMinute is the last one that fits in Micros.
const maxMinute = (1<<63 - 1) / int64(minute)

// exactFrom returns the first minute for which the window of a new originator is
// complete.
func (p *partition) exactFrom(addr [16]byte, now int64) int64 {
	if place := p.forgotten.Find(addr); place >= 0 {
		return p.last[place] + minutes
	}
	if p.begun {
		return longAgo
	}
	return now + minutes
}

// forget remembers an originator that made room.
func (p *partition) forget(addr [16]byte, last int64) {
	place, _ := p.forgotten.Use(addr)
	p.last[place] = last
}

// Responders counts the failures at each responder by all originators, for logs
// that are partitioned by originator elsewhere. It is not safe for concurrent
// use.
type Responders struct {
	table table[responder, *responder]
	rows  uint64
}

// NewResponders returns a table for that many responders.
func NewResponders(capacity int) *Responders {
	return &Responders{table: newTable[responder](capacity)}
}

// Observe counts the connection and returns the RespFailures of its window. All
// rows of a responder come in the log's order.
func (r *Responders) Observe(c *conn.Conn) uint32 {
	r.rows++
	_, key := hostHash(c.RespHost())
	known, added := r.table.use(key, r.rows)
	now := minuteOf(endOf(c))
	if added {
		known.minute = now
	}
	known.observe(c.State.Failed() && !oneWay(c), now)
	return known.total()
}

// Order checks that rows stand in the order of a log, by a number that grows in
// it. It is not safe for concurrent use.
type Order struct {
	places *recent.Table[[16]byte]
	last   []int64
}

// NewOrder returns an Order for that many originators or responders; what comes
// after more others is not compared.
func NewOrder(capacity int) *Order {
	places := recent.New[[16]byte](capacity)
	return &Order{places: places, last: make([]int64, places.Cap())}
}

// Follows reports whether n is more than the number of the row before with the
// same key, and that number.
func (o *Order) Follows(key [16]byte, n int64) (before int64, ok bool) {
	place, added := o.places.Use(key)
	before = o.last[place]
	if !added && n <= before {
		return before, false
	}
	o.last[place] = n
	return before, true
}
