package capture

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
)

// onion makes frames that no network sends: random tunnels in tunnels,
// fragments, extension headers and tags around a small transport packet, and
// now and then a length, a checksum, or a byte that is wrong.
type onion struct {
	*rand.Rand
	flows int // so far; each has a port of its own
}

func (o *onion) chance(percent int) bool { return o.IntN(100) < percent }

func (o *onion) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(o.Uint32())
	}
	return b
}

func be16[T ~int | ~uint16](v T) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }

var onionAddrs4 = []string{"10.0.0.1", "10.0.0.2", "192.0.2.7", "198.51.100.9"}
var onionAddrs6 = []string{"2001:db8::1", "2001:db8::2", "2001:0:5ef5:79fd::1", "::ffff:10.0.0.1", "fe80::5"}

func (o *onion) ends(v6 bool) (src, dst netip.Addr) {
	pool := onionAddrs4
	if v6 {
		pool = onionAddrs6
	}
	i := o.IntN(len(pool))
	return netip.MustParseAddr(pool[i]), netip.MustParseAddr(pool[(i+1+o.IntN(len(pool)-1))%len(pool)])
}

// flowPort is a new port or, to get connections of several packets, a recent one.
func (o *onion) flowPort() int {
	if o.flows == 0 || o.chance(60) {
		o.flows++
	}
	return 10000 + (o.flows-o.IntN(min(o.flows, 4)))%20000
}

// datagrams is one IP datagram, or its fragments. Depth limits the tunnels.
func (o *onion) datagrams(v6 bool, depth int) [][]byte {
	src, dst := o.ends(v6)
	var out [][]byte
	for proto, payloads := range o.content(src, dst, v6, depth) {
		for _, payload := range payloads {
			if o.chance(12) && len(payload) > 24 {
				out = append(out, o.fragments(src, dst, v6, proto, payload)...)
			} else if v6 {
				out = append(out, o.ip6(src, dst, proto, payload, nil))
			} else {
				out = append(out, o.ip4(src, dst, proto, payload, o.IntN(1<<16), 0))
			}
		}
	}
	return out
}

// content is a transport's packet or a tunnel's, which may be several if there
// are fragments within.
func (o *onion) content(src, dst netip.Addr, v6 bool, depth int) map[uint8][][]byte {
	if depth <= 0 || o.chance(30) {
		proto, b := o.transport(src, dst)
		return map[uint8][][]byte{proto: {b}}
	}
	switch o.IntN(10) {
	case 0:
		return map[uint8][][]byte{protoIPv4: o.datagrams(false, depth-1)}
	case 1:
		return map[uint8][][]byte{protoIPv6: o.datagrams(true, depth-1)}
	case 2, 3:
		return map[uint8][][]byte{protoGRE: o.gre(depth - 1)}
	}
	var out [][]byte
	port, inner := o.udpTunnel(depth - 1)
	other := o.flowPort()
	back := o.chance(30)
	for _, b := range inner {
		if back {
			out = append(out, o.udp(src, dst, port, other, b))
		} else {
			out = append(out, o.udp(src, dst, other, port, b))
		}
	}
	return map[uint8][][]byte{protoUDP: out}
}

func (o *onion) transport(src, dst netip.Addr) (uint8, []byte) {
	switch o.IntN(6) {
	case 0, 1, 2:
		return protoUDP, o.udp(src, dst, o.flowPort(), 40000+o.IntN(2), []byte("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"[:o.IntN(30)]))
	case 3:
		b := make([]byte, 20+o.IntN(8))
		binary.BigEndian.PutUint16(b, uint16(o.flowPort()))
		binary.BigEndian.PutUint16(b[2:], 40001)
		b[12] = byte(pick(o.Rand, 5, 5, 5, 5, 4, 7)) << 4
		b[13] = pick[byte](o.Rand, 2, 0x10, 0x12, 4, 0x11)
		o.checksum(src, dst, protoTCP, b, 16)
		return protoTCP, b
	case 4:
		b := append([]byte{pick[byte](o.Rand, 8, 0, 3, 128, 129, 135), 0, 0, 0}, o.bytes(o.IntN(30))...)
		if proto := pick[uint8](o.Rand, protoICMP, protoICMPv6); proto == protoICMPv6 && !src.Is4() {
			o.checksum(src, dst, protoICMPv6, b, 2)
			return proto, b
		}
		binary.BigEndian.PutUint16(b[2:], ^onesSum(0, b))
		return protoICMP, b
	}
	return pick[uint8](o.Rand, 132, 2, 50, 51, 59, 99), o.bytes(o.IntN(40))
}

func (o *onion) checksum(src, dst netip.Addr, proto uint8, b []byte, at int) {
	binary.BigEndian.PutUint16(b[at:], transportSum(src, dst, proto, b))
	if o.chance(3) {
		b[at] ^= 0x40
	}
}

func (o *onion) udp(src, dst netip.Addr, from, to int, data []byte) []byte {
	b := append(concat(be16(from), be16(to), be16(8+len(data)), []byte{0, 0}), data...)
	if o.chance(3) {
		b[5] ^= 3 // length
	}
	if o.chance(90) {
		o.checksum(src, dst, protoUDP, b, 6)
	}
	return b
}

// ip4 makes an IPv4 datagram; fragment is the field with flags and offset.
func (o *onion) ip4(src, dst netip.Addr, proto uint8, payload []byte, id, fragment int) []byte {
	options := 0
	if o.chance(10) {
		options = 4 * o.IntN(4)
	}
	h := make([]byte, 20+options)
	h[0], h[8], h[9] = byte(0x45+options/4), 64, proto
	total := len(h) + len(payload)
	if o.chance(4) {
		total = pick(o.Rand, 0, total-1, total+1, 19, 40)
	}
	binary.BigEndian.PutUint16(h[2:], uint16(total))
	binary.BigEndian.PutUint16(h[4:], uint16(id))
	binary.BigEndian.PutUint16(h[6:], uint16(fragment))
	copy(h[12:], src.AsSlice())
	copy(h[16:], dst.AsSlice())
	if o.chance(2) {
		h[0] = pick[byte](o.Rand, 0x44, 0x46, 0x65, 0x4f)
	}
	binary.BigEndian.PutUint16(h[10:], ^onesSum(0, h))
	if o.chance(2) {
		h[10]++
	}
	return append(h, payload...)
}

// ip6 makes an IPv6 datagram; last goes behind the other extension headers.
func (o *onion) ip6(src, dst netip.Addr, proto uint8, payload, last []byte) []byte {
	next, chain := proto, []byte(nil)
	if last != nil {
		next, chain = extFragment, last
	}
	for o.chance(12) {
		next, chain = o.extension(next, chain)
	}
	body := concat(chain, payload)
	h := make([]byte, 40)
	h[0], h[6], h[7] = 0x60, next, 64
	length := len(body)
	if o.chance(4) {
		length = pick(o.Rand, 0, length-1, length+1, 7)
	}
	binary.BigEndian.PutUint16(h[4:], uint16(length))
	copy(h[8:], src.AsSlice())
	a := dst.As16()
	copy(h[24:], a[:])
	a = src.As16()
	copy(h[8:], a[:])
	return append(h, body...)
}

// extension puts a header before a chain.
func (o *onion) extension(next uint8, chain []byte) (uint8, []byte) {
	typ := pick[uint8](o.Rand, extHopByHop, extRouting, extDestination, extDestination, extAH, extMobility, protoESP, extFragment)
	words := o.IntN(4)
	b := make([]byte, 8+8*words)
	b[0], b[1] = next, byte(words)
	switch typ {
	case extAH:
		b = make([]byte, 8+4*words)
		b[0], b[1] = next, byte(words)
	case extRouting:
		b[2], b[3] = byte(pick(o.Rand, 0, 2, 0, 4)), byte(o.IntN(2))
		copy(b[8:], o.addresses(words/2))
	case extDestination:
		if words == 2 && o.chance(70) {
			b[2], b[3] = 1, 2 // padding, so that the address is aligned
			b[6], b[7] = optionHomeAddress, 16
			copy(b[8:], o.addresses(1))
		} else if o.chance(50) {
			b[2], b[3] = pick[byte](o.Rand, 0, 1, optionHomeAddress), byte(o.IntN(20))
		}
	case protoESP, extFragment:
		b = o.bytes(8)
		b[0] = next
		if typ == extFragment {
			b[2], b[3] = 0, 0 // atomic
		}
	}
	return typ, concat(b, chain)
}

func (o *onion) addresses(n int) (b []byte) {
	for range n {
		a := netip.MustParseAddr(pick(o.Rand, onionAddrs6...)).As16()
		b = append(b, a[:]...)
	}
	return b
}

// fragments cuts a payload at random, with overlaps, holes, copies, in any order.
func (o *onion) fragments(src, dst netip.Addr, v6 bool, proto uint8, payload []byte) [][]byte {
	id := o.IntN(1 << 16)
	if o.chance(10) {
		id = 7
	}
	var out [][]byte
	for at := 0; at < len(payload); {
		size := min(8*(1+o.IntN(8)), len(payload)-at)
		from := at
		if o.chance(8) && at > 0 {
			from -= 8
		}
		more := 1
		if at+size == len(payload) {
			more = 0
		}
		if o.chance(2) {
			more ^= 1
		}
		piece := append([]byte(nil), payload[from:at+size]...)
		if o.chance(3) {
			piece = append(piece, o.bytes(8)...)
		}
		if v6 {
			header := concat([]byte{proto, 0}, be16(from|more), be16(0), be16(id))
			out = append(out, o.ip6(src, dst, proto, piece, header))
		} else {
			out = append(out, o.ip4(src, dst, proto, piece, id, more<<13|from/8))
		}
		at += size
	}
	if o.chance(30) {
		o.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	if o.chance(10) {
		out = append(out, out[o.IntN(len(out))])
	}
	if o.chance(10) {
		out = out[:len(out)-1]
	}
	return out
}
