package capture

import "github.com/google/gopacket/layers"

// tunnelState is what the decoders of UDP's tunnels remember of the connection
// that carries them. The zero value is a connection without a packet yet.
type tunnelState struct {
	violated uint8 // a bit for each tunnelKind that could not be read once
	teredo   teredoState
}

func (s *tunnelState) violate(k tunnelKind)       { s.violated |= 1 << k }
func (s *tunnelState) violates(k tunnelKind) bool { return s.violated>>k&1 != 0 }

// tunnel looks for a packet inside a datagram of a UDP connection
// (src/packet_analysis/protocol/udp/UDP.cc, the end of DeliverPacket): by the
// responder's port, then by content.
func (d *decoder) tunnel(p *packet, c *connection, data []byte) {
	l := d.layers[d.nest]
	l.session = c
	if d.depth >= packetAnalyzerMaxDepth {
		c.giveUp()
		d.weird(l, "max_packet_analyzer_depth_exceeded")
		return
	}
	switch c.respPort() {
	case vxlanPort:
		d.depth++
		d.vxlan(l, c, data)
	case genevePort:
		d.depth++
		d.geneve(l, c, data)
	case gtpUserPort, gtpCtrlPort:
		d.depth++
		d.gtp(l, c, data)
	case grePort:
		d.depth++
		d.gre(l, data)
	case teredoPort:
		d.depth++
		d.teredo(l, p, c, data)
	case ayiyaPort:
		d.depth++
		d.ayiya(l, c, data)
	default:
		switch {
		case looksLikeTeredo(data):
			d.depth++
			d.teredo(l, p, c, data)
		case len(data) >= 3 && data[1] == 0x52 && data[2] == 0x11:
			d.depth++
			d.ayiya(l, c, data)
		}
	}
}

// mayCarry says whether a connection's datagrams are still looked into. At the
// limit of tunnels within tunnels the connection is marked.
func (d *decoder) mayCarry(l *layer, c *connection, kind tunnelKind) bool {
	if c.violates(kind) {
		return false
	}
	if l.encap.depth() >= tunnelMaxDepth {
		c.giveUp()
		d.weird(l, "exceeded_tunnel_max_depth")
		return false
	}
	return true
}

// carried begins the packet inside a connection's datagram
// (iptunnel/IPTunnel.cc, build_inner_packet). The connection's own packet gets
// the new level too, and with it whoever shares its encapsulation.
func (d *decoder) carried(l *layer, c *connection, kind tunnelKind, data []byte) *layer {
	consumed := l.capLen - uint32(len(data))
	if l.encap == nil {
		l.encap = d.newEncapsulation()
	}
	l.encap.levels = append(l.encap.levels, tunnelLevel{
		kind: kind, proto: c.key.proto, orig: c.origin(), resp: c.responder(), uid: c.uid(),
	})
	return d.push(data, l.wireLen-consumed, l.encap)
}

// newEncapsulation returns an empty stack for a frame: the last frame's, unless a
// connection keeps that.
func (d *decoder) newEncapsulation() *encapsulation {
	if d.encap.shared {
		d.encap = &encapsulation{levels: make([]tunnelLevel, 0, tunnelMaxDepth)}
	}
	d.encap.levels = d.encap.levels[:0]
	return d.encap
}

// ipInside and ethernetInside go on with the packet inside a datagram.
func (d *decoder) ipInside(l *layer, c *connection, kind tunnelKind, data []byte) bool {
	inner := d.carried(l, c, kind, data)
	ok := d.enter(inner) && d.ip(inner, data)
	d.pop()
	return ok
}

func (d *decoder) ethernetInside(l *layer, c *connection, kind tunnelKind, data []byte) bool {
	inner := d.carried(l, c, kind, data)
	ok := d.enter(inner) && d.ethernet(inner, data)
	d.pop()
	return ok
}

// vxlan (src/packet_analysis/protocol/vxlan).
func (d *decoder) vxlan(l *layer, c *connection, data []byte) bool {
	var h layers.VXLAN
	switch {
	case !d.mayCarry(l, c, tunnelVXLAN):
		return false
	case h.DecodeFromBytes(data, noFeedback) != nil || !h.ValidIDFlag:
		c.violate(tunnelVXLAN)
		return false
	}
	c.confirmTunnel("vxlan")
	if len(h.Payload) == 0 {
		d.weird(l, "vxlan_empty_packet")
		return false
	}
	return d.ethernetInside(l, c, tunnelVXLAN, h.Payload)
}

// geneve (src/packet_analysis/protocol/geneve).
func (d *decoder) geneve(l *layer, c *connection, data []byte) bool {
	if !d.mayCarry(l, c, tunnelGeneve) {
		return false
	}
	header := 8
	if len(data) < header {
		c.violate(tunnelGeneve)
		return false
	}
	if version := data[0] >> 6; version != 0 {
		d.weird(l, "geneve_invalid_version")
		return false
	}
	header += int(data[0]&0x3f) * 4
	if len(data) < header {
		c.violate(tunnelGeneve)
		return false
	}
	c.confirmTunnel("geneve")
	if len(data) == header {
		d.weird(l, "geneve_empty_packet")
		return false
	}
	typ := etherType(data[2:])
	switch typ {
	case etherBridging:
		return d.ethernetInside(l, c, tunnelGeneve, data[header:])
	case etherIPv4, etherIPv6:
		return d.ipInside(l, c, tunnelGeneve, data[header:])
	}
	inner := d.carried(l, c, tunnelGeneve, data[header:])
	if typ == etherARP {
		d.enter(inner)
	}
	d.pop()
	return false
}

// ayiya (src/packet_analysis/protocol/ayiya): anything in anything, used for
// IPv6 in UDP.
func (d *decoder) ayiya(l *layer, c *connection, data []byte) bool {
	if !d.mayCarry(l, c, tunnelAYIYA) {
		return false
	}
	header := 8
	if len(data) >= header {
		header += 1<<(data[0]>>4) + int(data[1]>>4)*4 // identity, signature
	}
	if len(data) < header {
		c.violate(tunnelAYIYA)
		return false
	}
	const forward = 1
	if data[2]&15 != forward {
		return true
	}
	c.confirmTunnel("ayiya")
	if len(data) == header {
		d.weird(l, "ayiya_empty_packet")
		return false
	}
	switch data[3] {
	case protoIPv4, protoIPv6:
		return d.ipInside(l, c, tunnelAYIYA, data[header:])
	}
	d.carried(l, c, tunnelAYIYA, data[header:])
	d.pop()
	return false
}
