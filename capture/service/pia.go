package service

import "math/bits"

// Limits of the signature matcher (scripts/base/init-bare.zeek): matching ends
// behind the block that takes the bytes of both sides together past
// dpdBufferSize, or after dpdMaxPackets blocks.
const (
	dpdBufferSize = 1024
	dpdMaxPackets = 100
)

// pia is the protocol-independent analyzer: it matches signatures against the
// beginning of both sides and attaches the analyzers they name to its parent,
// which get what went by before (src/analyzer/protocol/pia/PIA.cc).
type pia struct {
	node
	stream bool
	over   bool // past the limits: matches no more

	*past  // what went by; nil as long as nothing is kept
	chunks int

	failed bool // an exception left the analyzer being replayed to

	ends [2]endState // originator, responder as the matcher first met them
}

// past is what the signature matcher keeps for analyzers that come later. The
// tracker lends it.
type past struct {
	buffer []byte
	blocks []block
}

func (t *Tracker) newPast() *past {
	n := len(t.pasts)
	if n == 0 {
		return &past{buffer: make([]byte, 0, dpdBufferSize)}
	}
	p := t.pasts[n-1]
	t.pasts = t.pasts[:n-1]
	return p
}

// forget gives it back.
func (p *pia) forget() {
	if p.past != nil {
		p.buffer, p.blocks = p.buffer[:0], p.blocks[:0]
		p.det.tracker.pasts = append(p.det.tracker.pasts, p.past)
		p.past = nil
	}
}

// block is a piece of buffered input: size bytes, or a gap.
type block struct {
	fromOrig bool
	gap      bool
	size     int
}

// endState is one side of the signature matcher.
type endState struct {
	at       *state
	begun    bool
	bare     bool    // its first packet was not seen: only rules without a transport
	accepted ruleSet // patterns found in the stream, or in this datagram
	seen     ruleSet // those evaluated so far
	matched  ruleSet // rules that fired
}

func (p *pia) start(stream bool) { p.stream = stream }

func (p *pia) idle(bool) bool { return p.over }

func (p *pia) data(fromOrig bool, b []byte) {
	p.failed = false
	if p.over {
		return
	}
	if len(b) == 0 && !p.stream {
		return // an empty datagram is neither kept nor can it match
	}
	last := len(b) > dpdBufferSize || p.past != nil && len(p.buffer)+len(b) > dpdBufferSize
	if !last {
		p.chunks++
		last = p.chunks > dpdMaxPackets
	}
	p.match(fromOrig, b)
	if p.failed {
		return
	}
	if last {
		p.over = true
		p.forget()
		return
	}
	if p.past == nil {
		p.past = p.det.tracker.newPast()
	}
	p.buffer = append(p.buffer, b...)
	p.blocks = append(p.blocks, block{fromOrig: fromOrig, size: len(b)})
}

func (p *pia) gap(fromOrig bool, n uint64) {
	if p.over || p.past == nil {
		return
	}
	p.blocks = append(p.blocks, block{fromOrig: fromOrig, gap: true, size: int(min(n, 1<<31-1))})
	p.chunks++
	if p.chunks > dpdMaxPackets {
		p.over = true
		p.forget()
	}
}

func (p *pia) done() { p.forget() }

// match runs the signatures over b, and what they attach over everything so far.
func (p *pia) match(fromOrig bool, b []byte) {
	i := side(fromOrig)
	e := &p.ends[i]
	tables := &p.det.tracker.udp
	if !e.begun {
		e.begun = true
		e.bare = p == &p.det.matcher && !p.det.conn.Introduced(fromOrig)
	}
	if p.stream {
		tables = &p.det.tracker.tcp
	} else {
		e.at, e.accepted = nil, 0
	}
	var rules ruleSet
	e.at, rules = tables.side(p.stream, fromOrig, e.bare).run(e.at, b)
	if !p.stream && !e.bare {
		rules |= tables.further(b)
	}
	if rules&^e.accepted == 0 {
		return
	}
	e.accepted |= rules
	for r := e.accepted; r != 0; r &= r - 1 {
		id := ruleID(bits.TrailingZeros64(uint64(r)))
		if e.matched>>id&1 == 1 {
			continue
		}
		e.seen |= 1 << id
		if p.holds(id, i, len(b)) {
			p.fire(id, i, fromOrig, b)
		}
	}
}

// holds evaluates a rule's conditions beside its pattern.
func (p *pia) holds(id ruleID, i, size int) bool {
	s := &signatures[id]
	if s.needs != noRule && p.ends[1-i].matched>>s.needs&1 == 0 {
		return false
	}
	if s.minSize > 0 && size < s.minSize || s.maxSize > 0 && size > s.maxSize {
		return false
	}
	return true
}

// fire runs a rule's action and then the rules that waited for it.
func (p *pia) fire(id ruleID, i int, fromOrig bool, b []byte) {
	if p.ends[1-i].matched>>id&1 == 1 {
		return
	}
	p.ends[i].matched |= 1 << id
	if a := signatures[id].attach; a != noProtocol {
		p.activate(a, fromOrig, b)
	}
	for _, next := range dependents[id] {
		for _, at := range [2]int{i, 1 - i} {
			e := &p.ends[at]
			if e.matched>>next&1 == 0 && e.seen>>next&1 == 1 && p.holds(next, at, 0) {
				p.fire(next, at, fromOrig, b)
			}
		}
	}
}

// activate attaches an analyzer and replays the buffer and the current block.
func (p *pia) activate(id protocolID, fromOrig bool, b []byte) {
	if protocols[id].make == nil {
		return
	}
	a := p.parent.attach(id)
	if a == nil {
		return
	}
	c := a.core()
	take := c.take
	if !p.stream {
		p.det.replaying = p
		take = a.data // what was skipped before notwithstanding
	}
	var rest []byte
	var blocks []block
	if p.past != nil {
		rest, blocks = p.buffer, p.blocks
	}
	for _, blk := range blocks {
		if blk.gap {
			c.takeGap(blk.fromOrig, uint64(blk.size))
			continue
		}
		if !p.failed {
			take(blk.fromOrig, rest[:blk.size])
		}
		rest = rest[blk.size:]
	}
	if !p.failed {
		take(fromOrig, b)
	}
	p.det.replaying = nil
	if p.failed {
		p.violate()
	}
}

// attachPIA puts a signature matcher on what an analyzer hands to its
// children, as if both sides' first packets had been seen.
func attachPIA(n *node) bool {
	if n.removing || n.finished || n.det.finished || n.child(signatureMatcher) != nil {
		return false
	}
	n.adopt(&pia{stream: true}, signatureMatcher)
	return true
}
