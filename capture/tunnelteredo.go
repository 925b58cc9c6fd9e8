package capture

import "encoding/binary"

// Teredo: IPv6 in UDP through NATs (RFC 4380; src/packet_analysis/protocol/teredo).

const (
	teredoOrigin         = 0 // an origin indication, of 8 bytes
	teredoAuthentication = 1 // a header of variable length; must come first

	teredoOriginLength  = 8
	teredoAuthFixed     = 13 // tag, two lengths, nonce, confirmation
	teredoPrefix        = 0x20010000
	teredoPrefixSource  = 8 // where the addresses begin in an IPv6 header
	teredoPrefixDestPos = 24
)

// teredoState says which sides have sent a valid packet.
type teredoState struct{ orig, resp bool }

// teredoLeft is the state of connections that the current packet's timers have
// removed. Zeek keeps it by the ends' addresses and ports, and removes it only
// behind the packet, so that the packet's own connection may take it over, and
// lose it with that
// (src/packet_analysis/protocol/teredo, scripts/base/packet-protocols/teredo).
type teredoLeft map[key]teredoState

func (left teredoLeft) leave(c *connection) {
	if c.teredo != (teredoState{}) {
		left[c.key] = c.teredo
	}
}

func (left teredoLeft) end(touched []*connection) {
	for _, c := range touched {
		if _, ok := left[c.key]; ok {
			c.teredo = teredoState{}
		}
	}
	clear(left)
}

// teredo goes on with the IPv6 packet inside. The service is confirmed once
// both sides have sent one.
func (d *decoder) teredo(l *layer, p *packet, c *connection, data []byte) bool {
	if !d.mayCarry(l, c, tunnelTeredo) {
		return false
	}
	b, ok := teredoContent(data)
	if !ok || !teredoIP(b) {
		c.violate(tunnelTeredo)
		return false
	}
	if c.teredo == (teredoState{}) && len(d.table.teredo) > 0 {
		c.teredo = d.table.teredo[c.key]
	}
	if p.source() == c.origin() {
		c.teredo.orig = true
	} else {
		c.teredo.resp = true
	}
	if c.teredo.orig && c.teredo.resp {
		c.confirmTunnel("teredo")
	}
	return d.ipInside(l, c, tunnelTeredo, b)
}

// teredoContent takes off Teredo's own headers: each at most once, in order.
func teredoContent(b []byte) ([]byte, bool) {
	for tags := 0; len(b) >= 2; {
		switch tag := binary.BigEndian.Uint16(b); {
		case tag == teredoAuthentication && tags == 0:
			if len(b) < 4 {
				return nil, false
			}
			n := teredoAuthFixed + int(b[2]) + int(b[3])
			if len(b) < n {
				return nil, false
			}
			b = b[n:]
			tags = 1
		case tag == teredoOrigin && tags < 2:
			if len(b) < teredoOriginLength {
				return nil, false
			}
			b = b[teredoOriginLength:]
			tags = 2
		default:
			return b, b[0]>>4 == 6 && len(b) >= ipv6Header
		}
	}
	return nil, false
}

// teredoIP reports an IPv6 packet of just the right length; a bubble, which
// has no payload, may have something behind it.
func teredoIP(b []byte) bool {
	if exactlyIP(protoIPv6, b) {
		return true
	}
	var h ipHeader
	h.parse6(b, noReplacement)
	return len(b) > int(h.total) && h.next == protoNone && h.payloadLen == 0
}

// looksLikeTeredo returns how Teredo is found on ports of no known protocol. It
// looks at a packet's form only as far as Zeek does.
func looksLikeTeredo(b []byte) bool {
	if len(b) < ipv6Header || b[0]>>4 != 6 && (b[0] != 0 || b[1] > teredoAuthentication) {
		return false
	}
	if b[0]>>4 == 6 && (binary.BigEndian.Uint32(b[teredoPrefixSource:]) == teredoPrefix ||
		binary.BigEndian.Uint32(b[teredoPrefixDestPos:]) == teredoPrefix) {
		return true
	}
	tag := uint16(b[1])
	if tag == teredoAuthentication {
		n := teredoAuthFixed + int(b[2]) + int(b[3])
		if len(b) < n+ipv6Header {
			return false
		}
		b = b[n:]
		tag = binary.BigEndian.Uint16(b)
	}
	return tag == teredoOrigin && len(b) >= teredoOriginLength+ipv6Header && b[teredoOriginLength]>>4 == 6
}
