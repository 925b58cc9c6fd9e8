package capture

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// spot says where in a frame its outermost datagram lies.
type spot struct {
	ip, transport, payload, end int
	v6                          bool
	proto                       uint8
}

// find reports false for frames whose datagram the mutations cannot change:
// other links, fragments, extension headers, what was not captured whole.
func find(link linkType, b []byte) (s spot, ok bool) {
	switch link {
	case linkEthernet:
		if len(b) < 14 {
			return s, false
		}
		kind := binary.BigEndian.Uint16(b[12:])
		for s.ip = 14; (kind == 0x8100 || kind == 0x88a8) && len(b) >= s.ip+4; s.ip += 4 {
			kind = binary.BigEndian.Uint16(b[s.ip+2:])
		}
		if kind != 0x0800 && kind != 0x86dd {
			return s, false
		}
	case linkNull:
		s.ip = 4
	case linkSLL:
		s.ip = 16
	case linkRaw:
	default:
		return s, false
	}
	if len(b) < s.ip+20 {
		return s, false
	}
	ip := b[s.ip:]
	switch s.v6 = ip[0]>>4 == 6; {
	case s.v6 && len(ip) >= 40:
		s.proto, s.transport, s.end = ip[6], 40, 40+int(binary.BigEndian.Uint16(ip[4:]))
	case ip[0]>>4 == 4 && binary.BigEndian.Uint16(ip[6:])&0x3fff == 0:
		s.proto, s.transport, s.end = ip[9], int(ip[0]&15)*4, int(binary.BigEndian.Uint16(ip[2:]))
	default:
		return s, false
	}
	header := map[uint8]int{protoTCP: 20, protoUDP: 8, protoICMP: 8, protoICMPv6: 8}[s.proto]
	if s.end > len(ip) || s.transport < 20 || s.transport+header > s.end {
		return s, false
	}
	if s.proto == protoTCP {
		header = int(ip[s.transport+12]>>4) * 4
	}
	if header < 20 && s.proto == protoTCP || s.transport+header > s.end {
		return s, false
	}
	s.transport += s.ip
	s.payload = s.transport + header
	s.end += s.ip
	return s, true
}

func (s *spot) hasPorts() bool { return s.proto == protoTCP || s.proto == protoUDP }

func (s *spot) addresses(b []byte) (src, dst netip.Addr) {
	n, at := 4, s.ip+12
	if s.v6 {
		n, at = 16, s.ip+8
	}
	src, _ = netip.AddrFromSlice(b[at : at+n])
	dst, _ = netip.AddrFromSlice(b[at+n : at+2*n])
	return src, dst
}

// seal computes lengths and checksums of the datagram anew.
func (s *spot) seal(b []byte) {
	if s.v6 {
		binary.BigEndian.PutUint16(b[s.ip+4:], uint16(s.end-s.ip-40))
	} else {
		binary.BigEndian.PutUint16(b[s.ip+2:], uint16(s.end-s.ip))
		binary.BigEndian.PutUint16(b[s.ip+10:], 0)
		binary.BigEndian.PutUint16(b[s.ip+10:], ^onesSum(0, b[s.ip:s.ip+int(b[s.ip]&15)*4]))
	}
	segment := b[s.transport:s.end]
	at := map[uint8]int{protoTCP: 16, protoUDP: 6, protoICMP: 2, protoICMPv6: 2}[s.proto]
	if at == 0 {
		return
	}
	if s.proto == protoUDP {
		binary.BigEndian.PutUint16(segment[4:], uint16(len(segment)))
	}
	binary.BigEndian.PutUint16(segment[at:], 0)
	sum := ^onesSum(0, segment)
	if s.proto != protoICMP {
		src, dst := s.addresses(b)
		sum = transportSum(src, dst, s.proto, segment)
	}
	binary.BigEndian.PutUint16(segment[at:], sum)
}

// withPayload is the frame with other payload, sealed.
func (s spot) withPayload(b, payload []byte) []byte {
	b = slices.Concat(b[:s.payload], payload)
	s.end = len(b)
	s.seal(b)
	return b
}

// fragments cuts an IPv4 datagram in pieces of a multiple of 8 bytes.
func (s *spot) fragments(b []byte, size int) (pieces [][]byte) {
	if s.v6 || b[s.ip]&15 != 5 {
		return [][]byte{b}
	}
	body := b[s.ip+20 : s.end]
	for at := 0; at < len(body); at += size {
		part := body[at:min(at+size, len(body))]
		piece := slices.Concat(b[:s.ip+20], part)
		ip := piece[s.ip:]
		binary.BigEndian.PutUint16(ip[2:], uint16(20+len(part)))
		field := uint16(at / 8)
		if at+size < len(body) {
			field |= 0x2000
		}
		binary.BigEndian.PutUint16(ip[6:], field)
		binary.BigEndian.PutUint16(ip[10:], 0)
		binary.BigEndian.PutUint16(ip[10:], ^onesSum(0, ip[:20]))
		pieces = append(pieces, piece)
	}
	return pieces
}

// wrap puts the datagram into a tunnel between other hosts, in a frame of the
// same link. Back is the direction of the tunnel's carrier.
func (s *spot) wrap(b []byte, tunnel string, back bool) []byte {
	inner := b[s.ip:s.end]
	kind := uint16(0x0800)
	if s.v6 {
		kind = 0x86dd
	}
	ethernet := slices.Concat(make([]byte, 12), be16(int(kind)), inner)
	ends := [2]netip.Addr{netip.MustParseAddr("198.18.0.1"), netip.MustParseAddr("198.18.0.2")}
	if back {
		ends[0], ends[1] = ends[1], ends[0]
	}
	ip4 := func(proto uint8, payload []byte) []byte {
		h := make([]byte, 20, 20+len(payload))
		h[0], h[8], h[9] = 0x45, 64, proto
		binary.BigEndian.PutUint16(h[2:], uint16(20+len(payload)))
		copy(h[12:], ends[0].AsSlice())
		copy(h[16:], ends[1].AsSlice())
		binary.BigEndian.PutUint16(h[10:], ^onesSum(0, h))
		return append(h, payload...)
	}
	udp := func(port int, payload []byte) []byte {
		from, to := 41000, port
		if back {
			from, to = to, from
		}
		u := slices.Concat(be16(from), be16(to), be16(8+len(payload)), []byte{0, 0}, payload)
		binary.BigEndian.PutUint16(u[6:], transportSum(ends[0], ends[1], protoUDP, u))
		return ip4(protoUDP, u)
	}
	var outer []byte
	switch tunnel {
	case "vlan", "mpls", "pppoe":
		if s.ip != 14 {
			return b
		}
		head := map[string][]byte{
			"vlan": slices.Concat(be16(0x8100), be16(77), be16(int(kind))),
			"mpls": {0x88, 0x47, 0, 1, 0x01, 64},
			"pppoe": slices.Concat(be16(0x8864), []byte{0x11, 0, 0, 1}, be16(len(inner)+2),
				be16(map[bool]int{false: 0x21, true: 0x57}[s.v6])),
		}[tunnel]
		return slices.Concat(b[:12], head, inner)
	case "ip":
		outer = ip4(map[bool]uint8{false: 4, true: 41}[s.v6], inner)
	case "gre":
		outer = ip4(47, slices.Concat([]byte{0, 0}, be16(int(kind)), inner))
	case "gre-ethernet":
		outer = ip4(47, slices.Concat([]byte{0, 0}, be16(0x6558), ethernet))
	case "vxlan":
		outer = udp(4789, slices.Concat([]byte{8, 0, 0, 0, 0, 0, 9, 0}, ethernet))
	case "geneve":
		outer = udp(6081, slices.Concat([]byte{0, 0, 0x65, 0x58, 0, 0, 9, 0}, ethernet))
	case "gtp":
		outer = udp(2152, slices.Concat([]byte{0x30, 255}, be16(len(inner)), []byte{0, 0, 0, 7}, inner))
	case "teredo":
		if !s.v6 {
			return b
		}
		outer = udp(3544, inner)
	}
	if s.ip >= 14 && !(s.v6) || s.ip < 14 && (s.ip == 0 || !s.v6) {
		return slices.Concat(b[:s.ip], outer)
	}
	head := slices.Clone(b[:s.ip]) // the link says IPv6
	switch {
	case s.ip >= 14:
		binary.BigEndian.PutUint16(head[s.ip-2:], 0x0800)
	default:
		binary.LittleEndian.PutUint32(head, 2)
	}
	return append(head, outer...)
}
