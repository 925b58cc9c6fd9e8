package capture

import (
	"encoding/binary"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// transport is what of a packet's transport header makes a connection's identity.
type transport struct {
	proto            conn.Proto
	srcPort, dstPort uint16
	oneWay           bool
}

const (
	protoICMP   = 1
	protoTCP    = 6
	protoUDP    = 17
	protoICMPv6 = 58

	udpHeader  = 8
	icmpHeader = 8
)

// identity is a packet's, as the table looks for its connection.
type identity struct {
	key    key
	hash   uint32
	second bool // the sender is the key's second end
	proto  conn.Proto
}

// identityOf reports false for a packet that is too short to have a connection.
func identityOf(p *packet, seed uint64) (e identity, ok bool) {
	id, ok := transportOf(p)
	if !ok {
		return e, false
	}
	e.set(p, id, seed)
	return e, true
}

func (e *identity) set(p *packet, id transport, seed uint64) {
	e.proto = id.proto
	e.key, e.second = newKey(p.src, p.dst, id.srcPort, id.dstPort, p.proto, id.oneWay)
	e.hash = e.key.hash(seed)
}

// transportOf reports false for a packet that is too short to have a
// connection (IPBasedAnalyzer::CheckHeaderTrunc).
func transportOf(p *packet) (transport, bool) {
	switch p.proto {
	case protoTCP, protoUDP:
		header, proto := tcpHeader, conn.TCP
		if p.proto == protoUDP {
			header, proto = udpHeader, conn.UDP
		}
		if short(p, header) {
			return transport{}, false
		}
		b := p.payload
		return transport{proto, binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), false}, true
	case protoICMP, protoICMPv6:
		if short(p, icmpHeader) {
			return transport{}, false
		}
		typ, code := icmpType(p)
		counterpart, oneWay := icmpCounterpart(p.proto, typ, code)
		return transport{conn.ICMP, uint16(typ), counterpart, oneWay}, true
	}
	return transport{proto: conn.UnknownTransport}, true
}

// short reports a header that the packet has no room for, or that was not
// captured. A length of 0 is none at all: segmentation offload.
func short(p *packet, header int) bool {
	return p.length != 0 && p.length < header || len(p.payload) < header
}

// wantsFlip decides at a connection's first packet whether its sender is the
// responder rather (packet_analysis/protocol/{tcp/TCP,udp/UDP}.cc, WantConnection).
func wantsFlip(p *packet, proto conn.Proto) bool {
	b := p.payload
	switch proto {
	case conn.UDP:
		return likelyServerPortsUDP.has(binary.BigEndian.Uint16(b)) &&
			!likelyServerPortsUDP.has(binary.BigEndian.Uint16(b[2:]))
	case conn.TCP:
		src, dst := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		flags := b[13]
		if flags&flagSYN != 0 && flags&flagACK == 0 || !likelyServerPortsTCP.has(src) {
			return false
		}
		if !likelyServerPortsTCP.has(dst) {
			return true
		}
		// Both look like a server's. A SYN-ACK may be a stealth scan.
		return flags&flagSYN == 0 && src < dst
	}
	return false
}
