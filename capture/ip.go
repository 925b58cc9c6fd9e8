package capture

import "encoding/binary"

// IP's protocol numbers beside those of transports.
const (
	protoIPv4 = 4
	protoIPv6 = 41
	protoGRE  = 47
	protoESP  = 50
	protoNone = 59

	ipv4Header = 20
	ipv6Header = 40
)

// ipHeader is an IP header that was read, with IPv6's extension headers as far
// as they were captured.
type ipHeader struct {
	src, dst   address
	v6         bool
	next       uint8 // the protocol of the payload
	last       uint8 // IPv6: the type of the last header; 0 for IPv4
	lastAt     uint32
	length     uint32 // of the header
	total      uint32 // of the datagram, by the header; 0: segmentation offload
	payloadLen uint16 // by the header

	fragment   bool
	more       bool
	fragOffset uint16
	id         uint32
}

// parse4 reads an IPv4 header, of which 20 bytes are there.
func (h *ipHeader) parse4(b []byte) {
	_ = b[ipv4Header-1]
	h.v6, h.last = false, 0
	h.length = uint32(b[0]&15) * 4
	h.total = uint32(binary.BigEndian.Uint16(b[2:]))
	h.payloadLen = 0
	if h.total != 0 {
		h.payloadLen = uint16(h.total - h.length)
	}
	fragment := binary.BigEndian.Uint16(b[6:])
	h.fragment = fragment&0x3fff != 0
	h.fragOffset = fragment & 0x1fff * 8
	h.more = fragment&0x2000 != 0
	h.id = uint32(binary.BigEndian.Uint16(b[4:]))
	h.next = b[9]
	h.src = address4(b[12:16])
	h.dst = address4(b[16:20])
}

// ip takes what looks like an IP datagram apart
// (src/packet_analysis/protocol/ip/IP.cc, in its order).
func (d *decoder) ip(l *layer, b []byte) bool {
	if len(b) < ipv4Header {
		return d.skip(SkipTruncated)
	}
	h := &l.ip
	switch b[0] >> 4 {
	case 4:
		h.parse4(b)
	case 6:
		if len(b) < ipv6Header {
			return d.skip(SkipTruncated)
		}
		h.parse6(b, noReplacement)
	default:
		return d.skip(SkipLink)
	}
	offset, total := l.offset(b), h.total
	if total == 0 {
		if !d.options.IgnoreChecksums {
			return d.skip(SkipLength)
		}
		total = l.capLen - offset
	}
	switch {
	case l.wireLen < total+offset, h.length > total:
		return d.skip(SkipLength)
	case h.length > uint32(len(b)), h.length < ipv4Header:
		return d.skip(SkipTruncated)
	case !h.v6 && !d.options.IgnoreChecksums && !validIPv4(b[:h.length]):
		return d.skip(SkipIPChecksum)
	}
	if h.fragment {
		return d.fragment(l, b, offset, total)
	}
	return d.payload(l, b)
}

// fragment waits for the rest of a datagram; with the last one it goes on.
func (d *decoder) fragment(l *layer, b []byte, offset, total uint32) bool {
	h := &l.ip
	d.stats.Fragments++
	if uint32(len(b)) < total {
		// Not captured completely. The first fragment goes on as if it were
		// all, since its headers may be.
		if h.fragOffset != 0 {
			return d.skip(SkipFragment)
		}
		return d.payload(l, b)
	}
	whole, g := d.fragments.add(h, b, d.frame.time.Seconds(), d.table.clock, d.stats)
	if whole == nil {
		d.delivered = true // it waits for the others
		return true
	}
	defer d.table.timers.cancelOwn(&g.timer)
	if h.length > h.total { // a datagram of 64 KiB and more
		return d.skip(SkipFragment)
	}
	captured := l.capLen
	l.capLen = h.total + offset
	l.wireLen = l.capLen // stays so for the rest of the frame
	ok := d.payload(l, whole[:h.total])
	l.capLen = captured
	return ok
}

// payload leads from a datagram to the transport, or to the tunnel.
func (d *decoder) payload(l *layer, b []byte) bool {
	h := &l.ip
	if h.v6 {
		switch h.last {
		case protoESP:
			d.reason = SkipNoTransport
			return true
		case extMobility:
			d.reason = SkipNoTransport
			return d.options.IgnoreChecksums || validMobility(h, b[h.lastAt:h.length])
		}
	}
	b = b[h.length:]
	l.proto = int(h.next)
	switch h.next {
	case protoNone:
		d.reason = SkipNoTransport
		return l.encap.depth() > 0 && l.encap.last().kind == tunnelTeredo
	case protoIPv4, protoIPv6:
		l.kind = tunnelIP
		return d.enter(l) && d.ipTunnel(l, b)
	case protoGRE:
		return d.enter(l) && d.gre(l, b)
	case protoUDP: // goes on from the table to tunnel
		return d.enter(l) && d.deliver(l, b)
	case protoTCP, protoICMP, protoICMPv6:
		if !d.enter(l) || !d.deliver(l, b) {
			return false
		}
		if c := l.packet.carrier; c != nil { // Zeek looks for analyzers inside these, too
			l.session = c
			if d.depth == packetAnalyzerMaxDepth {
				c.giveUp()
			}
		}
		return true
	}
	if d.enter(l) {
		d.deliver(l, b)
	}
	return false
}
