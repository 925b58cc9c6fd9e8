package capture

import "github.com/google/gopacket/layers"

// deliverICMP runs one message (src/packet_analysis/protocol/icmp/ICMP.cc).
// A bad checksum leaves no letter, and nothing is counted of a packet that was
// not captured in full.
func (t *table) deliverICMP(c *connection, p *packet, fromOrig bool) {
	length := p.length
	if length == 0 {
		length = len(p.payload)
	}
	complete := len(p.payload) >= length
	if complete && !t.options.IgnoreChecksums && !validICMP(p) {
		t.stats.BadChecksums++
		return
	}
	c.last = p.time
	l := index(fromOrig)
	c.addLength(fromOrig, int64(length)-icmpHeader)
	c.lengths[l] = int64(int32(c.lengths[l])) // Zeek's is an int
	p.carrier = c
	t.stats.Counted++
	if complete {
		c.count(fromOrig, p.ipLen)
	}
}

// icmpType reads the header of a packet that has all of it.
func icmpType(p *packet) (typ, code uint8) {
	if p.proto == protoICMP {
		var h layers.ICMPv4
		if h.DecodeFromBytes(p.payload, noFeedback) == nil {
			return h.TypeCode.Type(), h.TypeCode.Code()
		}
	} else {
		var h layers.ICMPv6
		if h.DecodeFromBytes(p.payload, noFeedback) == nil {
			return h.TypeCode.Type(), h.TypeCode.Code()
		}
	}
	return 0, 0
}

// Types of ICMPv6 that gopacket does not have.
const (
	icmp6NodeQuery, icmp6NodeReply             = 139, 140
	icmp6HomeAgentRequest, icmp6HomeAgentReply = 144, 145
)

// icmpCounterpart returns what stands for the responder's port: the type that
// answers this one or, if there is none, the code.
func icmpCounterpart(proto, typ, code uint8) (port uint16, oneWay bool) {
	if proto == protoICMP {
		switch typ {
		case layers.ICMPv4TypeEchoRequest:
			return layers.ICMPv4TypeEchoReply, false
		case layers.ICMPv4TypeEchoReply:
			return layers.ICMPv4TypeEchoRequest, false
		case layers.ICMPv4TypeTimestampRequest, layers.ICMPv4TypeInfoRequest, layers.ICMPv4TypeAddressMaskRequest:
			return uint16(typ) + 1, false
		case layers.ICMPv4TypeTimestampReply, layers.ICMPv4TypeInfoReply, layers.ICMPv4TypeAddressMaskReply:
			return uint16(typ) - 1, false
		case layers.ICMPv4TypeRouterSolicitation:
			return layers.ICMPv4TypeRouterAdvertisement, false
		case layers.ICMPv4TypeRouterAdvertisement:
			return layers.ICMPv4TypeRouterSolicitation, false
		}
		return uint16(code), true
	}
	switch typ {
	case layers.ICMPv6TypeEchoRequest, layers.ICMPv6TypeMLDv1MulticastListenerQueryMessage, layers.ICMPv6TypeRouterSolicitation,
		layers.ICMPv6TypeNeighborSolicitation, icmp6NodeQuery, icmp6HomeAgentRequest:
		return uint16(typ) + 1, false
	case layers.ICMPv6TypeEchoReply, layers.ICMPv6TypeMLDv1MulticastListenerReportMessage, layers.ICMPv6TypeRouterAdvertisement,
		layers.ICMPv6TypeNeighborAdvertisement, icmp6NodeReply, icmp6HomeAgentReply:
		return uint16(typ) - 1, false
	}
	return uint16(code), true
}
