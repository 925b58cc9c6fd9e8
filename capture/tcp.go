package capture

import (
	"encoding/binary"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// tcp is the TCP side of a connection: two endpoints and what belongs to both
// (src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc).
type tcp struct {
	c          *connection
	ends       [2]endpoint
	orig, resp *endpoint

	seen          [2]bool // a first packet of originator, responder
	introduced    [2]bool // the same, where signatures are told; no flip turns it
	partial       bool
	active        bool // Zeek's is_active: the timers still act
	closeDeferred bool
	finished      bool // a deferred close will report a normal end
	established   bool // by this packet
}

func (t *tcp) init(c *connection) {
	streams := [2]stream{t.ends[0].stream, t.ends[1].stream}
	*t = tcp{c: c, active: true}
	t.orig, t.resp = &t.ends[0], &t.ends[1]
	t.orig.orig = true
	for i := range t.ends {
		t.ends[i].stream.init(&streams[i])
	}
}

func (t *tcp) peer(e *endpoint) *endpoint {
	if e == t.orig {
		return t.resp
	}
	return t.orig
}

func (t *tcp) end(orig bool) *endpoint {
	if orig {
		return t.orig
	}
	return t.resp
}

func (t *tcp) flip() {
	t.orig, t.resp = t.resp, t.orig
	t.orig.orig, t.resp.orig = true, false
	t.seen[0], t.seen[1] = t.seen[1], t.seen[0]
	t.partial = false
}

func (t *tcp) isClosed() bool   { return t.orig.didClose || t.resp.didClose }
func (t *tcp) bothClosed() bool { return t.orig.didClose && t.resp.didClose }

const (
	flagFIN = 0x01
	flagSYN = 0x02
	flagRST = 0x04
	flagACK = 0x10

	tcpHeader = 20
)

// segment is a TCP packet as the state machine sees it.
type segment struct {
	fin, syn, rst, ack bool
	seq, ackSeq        uint32
	window             uint16
	length             int    // of the payload, by the headers
	payload            []byte // as captured
	time               conn.Micros
}

// consumed returns the sequence space that the segment takes up. Data with a RST is
// not part of the stream.
func (s *segment) consumed() uint32 {
	n := 0
	if !s.rst {
		n = s.length
	}
	if s.syn {
		n++
	}
	if s.fin {
		n++
	}
	return uint32(n)
}

// parse reads a TCP header of at least 20 captured bytes. It reports false for
// an offset below 5 or beyond what there is.
func (s *segment) parse(p *packet) bool {
	b := p.payload
	length := p.length
	if p.ipLen == 0 {
		length = len(b) // TSO: the header says nothing
	}
	offset := int(b[12]>>4) * 4
	if offset < tcpHeader || offset > length || offset > len(b) {
		return false
	}
	flags := b[13]
	*s = segment{
		fin: flags&flagFIN != 0, syn: flags&flagSYN != 0, rst: flags&flagRST != 0, ack: flags&flagACK != 0,
		seq: binary.BigEndian.Uint32(b[4:]), ackSeq: binary.BigEndian.Uint32(b[8:]),
		window: binary.BigEndian.Uint16(b[14:]),
		length: length - offset, payload: b[offset:], time: p.time,
	}
	return true
}

// deliverTCP runs one packet of a TCP connection
// (src/packet_analysis/protocol/tcp/TCP.cc, DeliverPacket).
func (t *table) deliverTCP(c *connection, p *packet, fromOrig bool) {
	s := &p.found.segment
	if !p.found.parsed && !s.parse(p) {
		t.stats.BadHeaders++
		return
	}
	from := c.tcp.end(fromOrig)
	if !t.options.IgnoreChecksums && len(s.payload) >= s.length && !p.isValid(validTCP) {
		t.stats.BadChecksums++
		t.timers.heap.check.nowTCP++
		if from.badChecksum.event() {
			c.history.add(letterOf('C', fromOrig))
		}
		return
	}
	p.carrier = c
	c.tcp.process(s, from, fromOrig)
	t.stats.Counted++
	c.count(from.orig, p.ipLen) // the side as it is now, after a flip
}

// process is the way of one segment through the connection, in Zeek's order
// (TCPSessionAdapter::Process).
func (t *tcp) process(s *segment, from *endpoint, fromOrig bool) {
	to := t.peer(from)
	t.notePartial(s, fromOrig)

	end := s.seq + s.consumed()
	from.initialize(s, end)
	rel, underflow := from.relative(s.seq, from.last, from.seqWraps)
	t.noteHistory(s, from, rel)

	if s.window == 0 && !s.rst && to.state != tcpClosed && from.state != tcpReset && from.zeroWindow.event() {
		t.c.history.add(letterOf('W', from.orig))
	}
	if !t.bothClosed() {
		t.c.last = s.time
	}
	if s.fin {
		from.sentFIN = true
		from.finSeq = rel + uint64(s.consumed())
	}
	if s.rst && t.c.detector != nil {
		t.c.detector.Interrupted()
	}
	relAck := uint64(0)
	if s.ack {
		relAck = t.noteAck(s, to)
	}
	t.noteLast(s, from, end)

	closing, normal := t.step(s, from, to, fromOrig)

	if s.ack {
		// Behind the change of state, so that a gap shown at the very end of
		// the connection can be told from one within.
		t.acked(to, relAck)
	}
	if i := index(fromOrig); !t.seen[i] {
		t.seen[i], t.introduced[i] = true, true
	}

	if s.length > 0 && !s.rst && !underflow && len(s.payload) >= s.length {
		dataSeq := rel
		if s.syn {
			dataSeq++
		}
		t.sent(from, dataSeq, s.payload[:s.length])
	}
	t.checkEOF(from)
	if closing {
		t.close(from, normal)
	}
}

// notePartial decides by the first packet of each side whether the connection
// was seen from its beginning.
func (t *tcp) notePartial(s *segment, fromOrig bool) {
	switch {
	case t.seen[index(fromOrig)]:
	case fromOrig:
		t.partial = !s.syn || s.ack
	case !t.partial:
		t.partial = !s.syn
	}
}

// initialize sets the numbers of the side that sends, where this packet gives
// a reason to.
func (e *endpoint) initialize(s *segment, end uint32) {
	switch e.state {
	case tcpInactive:
		if s.syn {
			e.begin(s.seq, end)
		} else {
			// As if there had been a SYN before it, so that the numbering of
			// the stream stays the same.
			e.begin(s.seq-1, s.seq)
		}
	case tcpSYNSent, tcpSYNACKSent:
		if s.syn && s.seq != uint32(e.start) {
			e.begin(s.seq, end)
		}
	case tcpEstablished, tcpPartial:
		if s.syn {
			e.begin(s.seq, end)
		}
	case tcpReset:
		if s.syn && e.prev == tcpInactive {
			e.begin(s.seq, end) // the RST before it may have been forged
		}
	}
}

// noteHistory writes the letter of the packet's flags.
func (t *tcp) noteHistory(s *segment, from *endpoint, rel uint64) {
	flags := 0
	for _, f := range [3]bool{s.syn, s.fin, s.rst} {
		if f {
			flags++
		}
	}
	switch {
	case flags > 1 && s.fin && s.rst:
		t.letter(from, histFINandRST, 'I')
	case flags > 1:
		t.letter(from, histMultiFlag, 'Q')
	case s.syn:
		letter := byte('S')
		if s.ack {
			letter = 'H'
		}
		t.letterAgain(from, histSYN, letter, rel, &from.histSYN)
	case s.fin:
		t.letterAgain(from, histFIN, 'F', rel+uint64(s.length), &from.histFIN)
	case s.rst:
		t.letterAgain(from, histRST, 'R', rel, &from.histRST)
	case s.length > 0:
		t.letter(from, histData, 'D')
	case s.ack:
		t.letter(from, histACK, 'A')
	}
}

// letter writes a letter once per side (TCP_Endpoint::CheckHistory).
//
// A connection that began with a SYN-ACK alone keeps its sender as originator,
// since that may be a stealth scan. An acknowledgement or data after it speaks
// for a server whose client's SYN was missed: then the roles change.
func (t *tcp) letter(from *endpoint, bit uint32, letter byte) (seenBefore bool) {
	h := &t.c.history
	if (letter == 'A' || letter == 'D') && len(h.text) == 1 && h.text[0] == 'H' {
		t.c.FlipRoles()
		h.text = append(h.text[:0], "^h"...)
		t.seen[0] = true
	}
	if !from.orig {
		bit <<= 16
	}
	return h.check(bit, letterOf(letter, from.orig))
}

// letterAgain writes a letter each time that its sequence number is a new one.
func (t *tcp) letterAgain(from *endpoint, bit uint32, letter byte, rel uint64, last *uint64) {
	if t.letter(from, bit, letter) && rel != *last {
		t.c.history.add(letterOf(letter, from.orig))
	}
	*last = rel
}

// tooLargeSeqDelta: a jump by more is taken for a broken packet.
const tooLargeSeqDelta = 1 << 20

// noteAck takes in the acknowledgement of the other side's data and returns it
// relative to that side's start.
func (t *tcp) noteAck(s *segment, to *endpoint) uint64 {
	if to.state == tcpInactive {
		to.begin(s.ackSeq-1, s.ackSeq-1)
		return 1
	}
	rel, underflow := to.relative(s.ackSeq, to.ack, to.ackWraps)
	switch delta := seqDelta(s.ackSeq, to.ack); {
	case underflow:
		return 0
	case s.rst: // not to be trusted
	case s.ackSeq == 0 && delta > tooLargeSeqDelta: // rather broken than that far
	case delta > 0:
		to.setAck(s.ackSeq)
	}
	return rel
}

// noteLast moves the highest number sent, or finds a retransmission.
func (t *tcp) noteLast(s *segment, from *endpoint, end uint32) {
	delta := seqDelta(end, from.last)
	switch {
	case (s.syn || s.rst) && (delta > tooLargeSeqDelta || delta < -tooLargeSeqDelta):
	case s.fin && from.last == uint32(from.start)+1:
		from.setLast(end) // even backwards: 2 GB of which only SYN and FIN were seen
	case from.state == tcpReset:
	case delta > 0:
		from.setLast(end)
	case s.length > 0:
		if from.retransmitted.event() {
			t.c.history.add(letterOf('T', from.orig))
		}
	}
}
