package capture

import "encoding/binary"

// GTPv1: what mobile networks carry users' packets in
// (src/packet_analysis/protocol/gtpv1, its .pac files).

const (
	gtpHeader   = 8
	gtpOptional = 4 // sequence number, N-PDU number, next extension

	gtpFlagPT       = 0x10 // GTP, not GTP'
	gtpFlagE        = 0x04 // extension headers follow
	gtpFlagOptional = 0x07

	gtpFirstPDPContext = 16 // messages that set up, change or end a context
	gtpLastPDPContext  = 21
	gtpGPDU            = 255
)

// gtp goes on with the IP packet inside a G-PDU. A datagram that cannot be
// read keeps gtpv1 from the connection's services, if it is not there yet, but
// the next one is looked at all the same.
func (d *decoder) gtp(l *layer, c *connection, data []byte) bool {
	header, ok := gtpLength(data)
	if !ok {
		c.violate(tunnelGTPv1)
		return false
	}
	version := data[0] >> 5
	switch {
	case l.encap.depth() >= tunnelMaxDepth:
		d.weirdWithout("tunnel_depth")
		return false
	case l.encap.depth() > 0 && l.encap.last().kind == tunnelGTPv1, version != 1:
		c.violate(tunnelGTPv1)
		return false
	case data[0]&gtpFlagPT == 0, data[1] != gtpGPDU:
		return false
	}
	b := data[header:]
	if len(b) == 0 {
		c.violate(tunnelGTPv1)
		return false
	}
	proto := protoIPv4
	if b[0]>>4 == 6 {
		proto = protoIPv6
	}
	if !exactlyIP(proto, b) {
		c.violate(tunnelGTPv1)
		return false
	}
	if !c.violates(tunnelGTPv1) {
		c.confirmTunnel("gtpv1")
	}
	return d.ipInside(l, c, tunnelGTPv1, b)
}

// gtpLength returns where a message's content begins; false if the message ends
// before, or within the elements of its content.
func gtpLength(b []byte) (int, bool) {
	if len(b) < gtpHeader {
		return 0, false
	}
	n := gtpHeader
	if b[0]&gtpFlagOptional != 0 {
		n += gtpOptional
	}
	if b[0]&gtpFlagE != 0 {
		for next := byte(1); next != 0; next = b[n-1] {
			if len(b) <= n || b[n] == 0 {
				return 0, false
			}
			if n += int(b[n]) * 4; len(b) < n {
				return 0, false
			}
		}
	}
	if len(b) < n {
		return 0, false
	}
	if b[1] >= gtpFirstPDPContext && b[1] <= gtpLastPDPContext && !gtpElements(b[n:]) {
		return 0, false
	}
	return n, true
}

// gtpFixed are the lengths of information elements that do not have one
// themselves.
var gtpFixed = map[byte]int{
	1: 1, 2: 8, 3: 6, 4: 4, 5: 4, 8: 1, 9: 28, 11: 1, 12: 3, 13: 1, 14: 1, 15: 1, 16: 4, 17: 4, 18: 5, 19: 1,
	20: 1, 21: 1, 22: 9, 23: 1, 24: 1, 25: 2, 26: 2, 27: 2, 28: 2, 29: 1, 127: 4,
}

// gtpElements reports whether b is a sequence of information elements. Where
// one has parts, the next begins behind the last of them, whatever its length
// field says.
func gtpElements(b []byte) bool {
	e := gtpReader{b: b}
	for len(e.b) > 0 && !e.bad {
		e.element()
	}
	return !e.bad
}

// gtpReader takes elements apart; bad once they go beyond the end.
type gtpReader struct {
	b   []byte
	bad bool
}

func (e *gtpReader) skip(n int) {
	if n < 0 || n > len(e.b) {
		e.b, e.bad = nil, true
		return
	}
	e.b = e.b[n:]
}

// number reads a number of 1 or 2 bytes.
func (e *gtpReader) number(size int) int {
	b := e.b
	if e.skip(size); e.bad {
		return 0
	}
	if size == 1 {
		return int(b[0])
	}
	return int(binary.BigEndian.Uint16(b))
}

// Elements with parts.
const (
	gtpEndUserAddress = 128
	gtpMMContext      = 129
	gtpPDPContext     = 130
	gtpQoS            = 135
	gtpQuintuplet     = 136
	gtpRABSetup       = 140
	gtpPrivate        = 255
)

func (e *gtpReader) element() {
	kind := e.number(1)
	if kind < 0x80 {
		n, known := gtpFixed[byte(kind)]
		e.bad = e.bad || !known
		e.skip(n)
		return
	}
	n := e.number(2)
	switch kind {
	case gtpEndUserAddress, gtpPrivate:
		e.skip(2)
		e.skip(n - 2)
	case gtpMMContext:
		e.mmContext()
	case gtpPDPContext:
		e.pdpContext()
	case gtpQoS:
		e.qos(n)
	case gtpQuintuplet:
		e.quintuplet()
	case gtpRABSetup:
		if e.skip(1); n != 1 {
			e.skip(4)
			e.skip(n - 5)
		}
	default:
		e.skip(n)
	}
}

func (e *gtpReader) qos(n int) {
	e.skip(1)
	e.skip(n - 1)
}

func (e *gtpReader) quintuplet() {
	e.skip(16)
	e.skip(e.number(1))
	e.skip(32)
	e.skip(e.number(1))
}

func (e *gtpReader) mmContext() {
	const tripletKeys, quintupletKeys, triplet = 8, 32, 28
	e.skip(1)
	security := e.number(1)
	mode, vectors := security>>6, security>>3&7
	if mode&1 != 0 {
		e.skip(tripletKeys)
	} else {
		e.skip(quintupletKeys)
	}
	if mode == 1 {
		e.skip(vectors * triplet)
	} else {
		e.skip(2)
		for range vectors {
			e.quintuplet()
		}
	}
	e.skip(2)
	e.skip(e.number(1))
	e.skip(e.number(2))
}

func (e *gtpReader) pdpContext() {
	e.skip(2)
	for range 3 {
		e.qos(e.number(1))
	}
	e.skip(2 + 2 + 1 + 1 + 4 + 4 + 1 + 2)
	for range 4 { // addresses, access point
		e.skip(e.number(1))
	}
	e.skip(2)
}
