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

// gtpLength is where a message's content begins; false if the message ends
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

// gtpElements reports whether b is a sequence of information elements. What is
// in them is not looked at.
func gtpElements(b []byte) bool {
	for len(b) > 0 {
		n, known := gtpFixed[b[0]]
		n++
		if b[0]&0x80 != 0 {
			if len(b) < 3 {
				return false
			}
			n, known = 3+int(binary.BigEndian.Uint16(b[1:])), true
		}
		if !known || len(b) < n {
			return false
		}
		b = b[n:]
	}
	return true
}
