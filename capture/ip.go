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

	odd [][2]address // IPv6: pairs between which a chain of headers is weird

	fragment   bool
	more       bool
	fragOffset uint16
	df         bool
	id         uint32
}

// parse4 reads an IPv4 header, of which 20 bytes are there.
func (h *ipHeader) parse4(b []byte) {
	_ = b[ipv4Header-1]
	h.v6, h.last, h.odd = false, 0, h.odd[:0]
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
	h.df = fragment&0x4000 != 0
	h.id = uint32(binary.BigEndian.Uint16(b[4:]))
	h.next = b[9]
	h.src = address4(b[12:16])
	h.dst = address4(b[16:20])
}

// ip takes what looks like an IP datagram apart
// (src/packet_analysis/protocol/ip/IP.cc, in its order).
func (d *decoder) ip(l *layer, b []byte) bool {
	if len(b) < ipv4Header {
		return d.refuse(l, "truncated_IP", SkipTruncated)
	}
	h := &l.ip
	switch b[0] >> 4 {
	case 4:
		h.parse4(b)
	case 6:
		if len(b) < ipv6Header {
			return d.refuse(l, "truncated_IP", SkipTruncated)
		}
		h.parse6(b, noReplacement)
		d.headers(h)
	default:
		return d.refuse(l, "unknown_ip_version", SkipLink)
	}
	offset, total := l.offset(b), h.total
	if total == 0 {
		d.weird(l, "ip_hdr_len_zero")
		if !d.options.IgnoreChecksums {
			return d.skip(SkipLength)
		}
		total = l.capLen - offset
	}
	switch {
	case l.wireLen < total+offset:
		return d.refuse(l, "truncated_IP_len", SkipLength)
	case h.length > total:
		return d.refuse(l, "invalid_IP_header_size", SkipLength)
	case h.length > uint32(len(b)):
		return d.refuse(l, "internally_truncated_header", SkipTruncated)
	case h.length < ipv4Header:
		return d.refuse(l, "IPv4_min_header_size", SkipTruncated)
	}
	l.hasIP, l.src, l.dst = true, h.src, h.dst
	if !h.v6 && !d.options.IgnoreChecksums && !validIPv4(b[:h.length]) {
		return d.refuse(l, "bad_IP_checksum", SkipIPChecksum)
	}
	if h.fragment {
		return d.fragment(l, b, offset, total)
	}
	return d.payload(l, b)
}

// fragment waits for the rest of a datagram; with the last one it goes on.
func (d *decoder) fragment(l *layer, b []byte, offset, total uint32) bool {
	if d.early != nil {
		return d.leave()
	}
	h := &l.ip
	d.stats.Fragments++
	if uint32(len(b)) < total {
		// Not captured completely. The first fragment goes on as if it were
		// all, since its headers may be.
		d.weird(l, "incompletely_captured_fragment")
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
	l.src, l.dst = h.src, h.dst
	if h.length > h.total { // a datagram of 64 KiB and more
		return d.refuse(l, "invalid_IP_header_size", SkipFragment)
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
			if !d.options.IgnoreChecksums && !validMobility(h, b[h.lastAt:h.length]) {
				d.weird(l, "bad_MH_checksum")
				return false
			}
			if h.next != protoNone {
				d.weird(l, "mobility_piggyback")
			}
			return true
		}
	}
	b = b[h.length:]
	l.proto = int(h.next)
	switch h.next {
	case protoNone:
		d.reason = SkipNoTransport
		if l.encap.depth() > 0 && l.encap.last().kind == tunnelTeredo {
			return true
		}
		d.weird(l, "ipv6_no_next")
		return false
	case protoIPv4, protoIPv6:
		l.kind = tunnelIP
		return d.enter(l) && d.ipTunnel(l, b)
	case protoGRE:
		return d.enter(l) && d.gre(l, b)
	case protoUDP, protoTCP, protoICMP, protoICMPv6: // UDP goes on from the table to tunnel
		return d.enter(l) && d.deliver(l, b)
	}
	if d.enter(l) {
		d.deliver(l, b)
	}
	return false
}
