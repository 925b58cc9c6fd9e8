package alerts

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/internal/recent"
)

// In a cluster one policy decides for all sensors. Those forward to it what it
// has to see: rows that may be alerts, meetings of which beacons are made, and the
// clock, each minute. Each of them says of its own rows alone which may raise
// anything: none whose window is cold, of a model that is new, or of the first
// minutes. With one sensor that forwards, the policy of all decides as that sensor
// would have.

// forward is what a policy has to send.
type forward struct {
	waiting [][]byte // messages, oldest first; the last is being written
	free    [][]byte // buffers of messages that were taken
	taken   []byte   // the latest of these
	writing candidateCodec
	counts  []int // rows of each message

	at      int       // in the message being written, of the latest row's flags
	flags   byte      // of it
	latest  *sentHost // of it, or nil if it cannot be asked for
	score   float64   // of it
	meeting bool      // it is sent for a beacon that it may be of
	detail  bool      // it is to have one
	sent    *recent.Table[sentKey]
	hosts   []sentHost
	told    conn.Micros // of the clock
	logs    int         // of those whose rows have come, how many the message being written names
}

const (
	// So many messages may wait; then the oldest is lost.
	maxWaiting = 16
	// If so many do, rows of a host that are not stranger than one which was sent
	// a moment before are counted, not sent, and so are, if twice as many do,
	// meetings.
	crowded = 4
	// A row has a detail unless a row of its host that was as strange, and about
	// the same name, had one so shortly before.
	detailAgain = conn.Micros(1e6)
	maxSent     = 1 << 12
)

// sentKey is a host and a log, and what its row is about.
type sentKey struct {
	hostKey
	log  uint8
	name uint64
}

// sentHost is what was sent of it lately.
type sentHost struct {
	at     conn.Micros // of the first detail within a moment
	best   float64     // the highest score with a detail since
	unsent uint64
}

// Forward makes the policy one that decides nothing: it sends what another one,
// of all sensors of a cluster, has to see.
func (p *Policy) Forward() {
	if p.out == nil {
		p.out = &forward{sent: recent.New[sentKey](maxSent), hosts: make([]sentHost, maxSent)}
	}
}

// Forwards reports whether it does.
func (p *Policy) Forwards() bool { return p.out != nil }

// offer sends a row that may be told, and reports whether it is unusual by its
// score. It allocates only until as many messages have waited as ever will.
func (p *Policy) offer(r *Row) bool {
	o := p.out
	o.latest, o.meeting = nil, false
	c := Candidate{Row: *r}
	c.Calls = r.Calls && p.beacons.worthSending(r) && len(o.waiting) < 2*crowded
	if r.Score < leastScore {
		if o.meeting = c.Calls; c.Calls {
			o.write(p, &c, isAsked)
		}
		return false
	}
	place, added := o.sent.Use(sentKey{keyOf(r), uint8(p.log), r.Name})
	h := &o.hosts[place]
	if added {
		*h = sentHost{}
	}
	again := h.best == 0 || p.now < h.at || p.now-h.at >= detailAgain
	if o.detail = again || r.Score > h.best; !o.detail && !r.Open && len(o.waiting) >= crowded {
		h.unsent++
		return false
	}
	if again {
		h.at, h.best = p.now, 0
	}
	if !r.Open {
		c.More, h.unsent = h.unsent, 0
	}
	o.write(p, &c, 0)
	o.latest, o.score = h, r.Score
	return true
}

// write adds an entry to the message being written.
func (o *forward) write(p *Policy, c *Candidate, flags byte) {
	for _, f := range [...]struct {
		has  bool
		flag byte
	}{{c.Own, isOwn}, {c.Calls, isCall}, {c.Open, isOpen}, {c.More > 0, hasMore}} {
		if f.has {
			flags |= f.flag
		}
	}
	o.room(p)
	if o.writing.log != c.Log || o.writing.model != c.Model {
		flags |= hasLog
	}
	o.at, o.flags = len(o.writing.buf), flags|hasRow
	o.writing.entry(c, &p.now, o.flags)
	o.put(1)
}

// room begins another message where the one being written is full, and names the
// logs whose rows have come, which share the budget.
func (o *forward) room(p *Policy) {
	if len(o.waiting) == 0 || len(o.writing.buf)+maxCandidate > MaxCandidates {
		o.another(p)
	}
	for ; o.logs < len(p.logs); o.logs++ {
		l := &p.logs[o.logs]
		o.writing.entry(&Candidate{Row: Row{Log: l.name, Model: l.model}}, &p.now, hasLog)
	}
	o.put(0)
}

// another begins a message, at the cost of the oldest where too many wait.
func (o *forward) another(p *Policy) {
	if len(o.waiting) == maxWaiting {
		p.Lost += uint64(o.counts[0])
		o.free = append(o.free, o.oldest())
	}
	var buffer []byte
	if n := len(o.free); n > 0 {
		buffer, o.free = o.free[n-1], o.free[:n-1]
	} else {
		buffer = make([]byte, 0, MaxCandidates)
	}
	o.writing, o.logs = newCandidates(buffer), 0
	o.waiting, o.counts = append(o.waiting, nil), append(o.counts, 0)
}

// put keeps what has been written, of so many rows.
func (o *forward) put(rows int) {
	o.waiting[len(o.waiting)-1] = o.writing.buf
	o.counts[len(o.counts)-1] += rows
}

// tick sends the clock.
func (o *forward) tick(p *Policy) {
	if p.hour == noHour || p.now == o.told {
		return
	}
	o.told = p.now
	o.room(p)
	o.writing.entry(&Candidate{}, &p.now, 0)
	o.put(0)
	o.latest, o.meeting = nil, false
}

// Ask is Raise for a row that is forwarded, for which Unusual has just been true;
// detail is called for what is to be told with it.
func (p *Policy) Ask(detail func() Detail) {
	o := p.out
	if o == nil || o.latest == nil {
		return
	}
	o.flags |= isAsked
	if o.detail {
		d := detail()
		o.writing.detail(&d)
		o.flags |= hasDetail
		o.latest.best = o.score
	}
	o.writing.buf[o.at] = o.flags
	o.latest = nil
	o.put(0)
}

// Meets reports whether the latest row is sent for a beacon alone that it may be
// one of. Withhold then keeps it from making one known.
func (p *Policy) Meets() bool { return p.out != nil && p.out.meeting }

// Withhold takes back that the site wants to hear of the latest row.
func (p *Policy) Withhold() {
	if p.Meets() {
		p.out.writing.buf[p.out.at] &^= isAsked
	}
}

// Candidates takes the oldest message, which is valid until the next call; it is
// empty where there is none.
func (p *Policy) Candidates() []byte {
	o := p.out
	if o == nil {
		return nil
	}
	if o.taken != nil {
		o.free, o.taken = append(o.free, o.taken), nil
	}
	if len(o.waiting) == 0 {
		return nil
	}
	o.taken = o.oldest()
	begin(o.taken, p.begun)
	o.latest, o.meeting = nil, false
	return o.taken
}

// oldest takes the message that waits longest.
func (o *forward) oldest() []byte {
	message := o.waiting[0]
	o.waiting, o.counts = append(o.waiting[:0], o.waiting[1:]...), append(o.counts[:0], o.counts[1:]...)
	return message
}
