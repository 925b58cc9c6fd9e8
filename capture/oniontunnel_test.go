package capture

import (
	"encoding/binary"

	"github.com/google/gopacket/layers"
)

// The tunnels and links of the onion.

func (o *onion) gre(depth int) (out [][]byte) {
	if o.chance(15) { // PPTP
		v6 := o.chance(40)
		for _, d := range o.datagrams(v6, depth) {
			flags := greKey | 1 | pick(o.Rand, 0, greSequence) | pick(o.Rand, 0, greAck)
			ppp := pppIPv4
			if v6 {
				ppp = pppIPv6
			}
			out = append(out, concat(o.greHeader(flags, etherPPTP), be16(0xff03), be16(pick(o.Rand, ppp, ppp, ppp, ppp, 0xc021)), d))
		}
		return out
	}
	flags := 0
	for _, f := range []int{greChecksum, greKey, greSequence, greAck} {
		if o.chance(25) {
			flags |= f
		}
	}
	if o.chance(3) {
		flags |= pick(o.Rand, greRouting, 8, 2)
	}
	switch o.IntN(5) {
	case 0:
		for _, f := range o.ethernet(depth) {
			out = append(out, concat(o.greHeader(flags, etherBridging), f))
		}
	case 1:
		for _, f := range o.ethernet(depth) {
			header := o.bytes(8)
			if flags&greSequence == 0 {
				header = nil
			}
			out = append(out, concat(o.greHeader(flags, etherERSPAN), header, f))
		}
	case 2:
		for _, f := range o.ethernet(depth) {
			header := o.bytes(12)
			if header[11]&1 != 0 {
				header = append(header, o.bytes(8)...)
			}
			out = append(out, concat(o.greHeader(flags, etherERSPAN3), header, f))
		}
	case 3:
		for _, f := range o.ieee80211(depth) {
			out = append(out, concat(o.greHeader(flags, pick[layers.EthernetType](o.Rand, 0x8200, 0x8210, 0x8300, 0x8370, 0x9000, 0x8380)), f))
		}
	default:
		for _, d := range o.datagrams(o.chance(40), depth) {
			out = append(out, concat(o.greHeader(flags, pick(o.Rand, etherIPv4, etherIPv6, 0x1234)), d))
		}
	}
	return out
}

func (o *onion) greHeader(flags int, typ layers.EthernetType) []byte {
	b := concat(be16(flags), be16(typ))
	for _, f := range []int{greChecksum, greKey, greSequence, greAck} {
		if flags&f != 0 {
			b = append(b, o.bytes(4)...)
		}
	}
	return b
}

// udpTunnel is what datagrams to a port carry.
func (o *onion) udpTunnel(depth int) (port int, out [][]byte) {
	switch o.IntN(6) {
	case 0:
		for _, f := range o.ethernet(depth) {
			flags := byte(8)
			if o.chance(3) {
				flags = 0
			}
			out = append(out, concat([]byte{flags, 0, 0, 0}, o.bytes(3), []byte{0}, f))
		}
		return vxlanPort, out
	case 1:
		typ := pick(o.Rand, etherBridging, etherIPv4, etherIPv6, etherIPv4, etherARP)
		inner := o.ethernet(depth)
		if typ != etherBridging {
			inner = o.datagrams(typ == etherIPv6, depth)
		}
		options := o.IntN(4)
		first := byte(options)
		if o.chance(3) {
			first = pick[byte](o.Rand, 0x40, 0x3f)
		}
		for _, b := range inner {
			out = append(out, concat([]byte{first, 0}, be16(typ), o.bytes(3), []byte{0}, o.bytes(4*options), b))
		}
		return genevePort, out
	case 2:
		next := pick(o.Rand, protoIPv6, protoIPv6, protoIPv4, 17)
		for _, b := range o.datagrams(next != protoIPv4, depth) {
			identity, signature := o.IntN(5), o.IntN(6)
			operation := byte(1)
			if o.chance(5) {
				operation = 2
			}
			first := []byte{byte(identity<<4 | 2), byte(signature<<4 | 1), operation, byte(next)}
			if o.chance(50) {
				first[0], first[1], signature = byte(4<<4|4), 0x52, 5
				identity = 4
				first[2] = 0x11
			}
			out = append(out, concat(first, o.bytes(4), o.bytes(1<<identity+4*signature), b))
		}
		return pick(o.Rand, ayiyaPort, 40002), out
	case 3:
		for _, b := range o.datagrams(true, depth) {
			if o.chance(30) {
				b = concat(be16(teredoOrigin), o.bytes(6), b)
			}
			if o.chance(30) {
				id, auth := o.IntN(4), o.IntN(4)
				b = concat(be16(teredoAuthentication), []byte{byte(id), byte(auth)}, o.bytes(9+id+auth), b)
			}
			if o.chance(4) {
				b = append(b, 0)
			}
			out = append(out, b)
		}
		return pick(o.Rand, teredoPort, 40003, 40003), out
	case 4:
		for _, b := range o.datagrams(o.chance(40), depth) {
			out = append(out, o.gtp(b))
		}
		return pick(o.Rand, gtpUserPort, gtpCtrlPort), out
	}
	return grePort, o.gre(depth)
}

func (o *onion) gtp(b []byte) []byte {
	flags := byte(0x30)
	if o.chance(5) {
		flags = pick[byte](o.Rand, 0x20, 0x50, 0x10)
	}
	typ := byte(gtpGPDU)
	if o.chance(5) {
		typ = pick[byte](o.Rand, 1, 26, 16, 20, 254)
	}
	var optional []byte
	if o.chance(50) {
		flags |= byte(o.IntN(8))
	}
	if flags&gtpFlagOptional != 0 {
		optional = o.bytes(gtpOptional)
	}
	if flags&gtpFlagE != 0 {
		for n := 1 + o.IntN(2); n > 0; n-- {
			words := 1 + o.IntN(2)
			header := o.bytes(4 * words)
			header[0], header[len(header)-1] = byte(words), byte(n-1)
			optional = append(optional, header...)
		}
	}
	return concat([]byte{flags, typ}, be16(len(optional)+len(b)), o.bytes(4), optional, b)
}

// ethernet frames around one datagram.
func (o *onion) ethernet(depth int) (out [][]byte) {
	v6 := o.chance(40)
	for _, b := range o.datagrams(v6, depth) {
		typ := etherIPv4
		if v6 {
			typ = etherIPv6
		}
		switch o.IntN(20) {
		case 0:
			b, typ = concat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(typ), b), layers.EthernetType(len(b)+8)
		case 1:
			b, typ = concat(o.mpls(), b), etherMPLS
		case 2:
			b, typ = concat([]byte{0x11, 0, 0, 1}, be16(len(b)+2), be16(pick(o.Rand, pppIPv4, pppIPv6)), b), etherPPPoE
		}
		for o.chance(15) {
			b, typ = concat(o.bytes(2), be16(typ), b), pick(o.Rand, etherVLAN, etherVLAN, etherVLAN, etherQinQ, etherQinQOld)
		}
		if o.chance(3) {
			b, typ = concat(o.bytes(4), be16(typ), b), etherVNTag
		}
		b = concat(o.bytes(12), be16(typ), b)
		if o.chance(5) {
			b = concat(o.bytes(12), be16(etherPBB), o.bytes(4), b)
		}
		if o.chance(3) {
			b = concat(o.bytes(12), be16(etherFabricPath), o.bytes(2), b)
		}
		if len(b) < 60 && o.chance(50) {
			b = append(b, make([]byte, 60-len(b))...)
		}
		out = append(out, b)
	}
	return out
}

func (o *onion) mpls() (b []byte) {
	for o.chance(40) {
		b = append(b, 0, 1, 0, 64)
	}
	return append(b, 0, 1, 1, 64)
}

// ieee80211 frames, some of them of several subframes.
func (o *onion) ieee80211(depth int) (out [][]byte) {
	var bodies [][]byte
	v6 := o.chance(40)
	typ := etherIPv4
	if v6 {
		typ = etherIPv6
	}
	for _, b := range o.datagrams(v6, depth) {
		bodies = append(bodies, concat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(typ), b))
	}
	if o.chance(40) { // aggregate them
		for range o.IntN(3) {
			for _, b := range o.datagrams(false, depth) {
				bodies = append(bodies, concat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherIPv4), b))
			}
		}
		frame := concat([]byte{0x88, 1}, o.bytes(22), []byte{0x80, 0})
		for _, b := range bodies {
			frame = concat(frame, o.bytes(12), be16(len(b)), b, make([]byte, len(b)%4))
		}
		return [][]byte{frame}
	}
	for _, b := range bodies {
		control, flags := byte(8), byte(o.IntN(4))
		header := o.bytes(22)
		if flags == 3 {
			header = append(header, o.bytes(6)...)
		}
		if o.chance(30) {
			control |= 0x80
			header = append(header, 0, 0)
		}
		if o.chance(4) {
			control, flags = pick[byte](o.Rand, 0x48, 0x84, 0x80), flags|0x40
		}
		out = append(out, concat([]byte{control, flags}, header, b))
	}
	return out
}

// onionLinks are the links that a capture may be of.
var onionLinks = []linkType{linkEthernet, linkNull, linkPPP, linkPPPSerial, linkFDDI, linkRaw, link80211, linkSLL,
	linkRadiotap, linkNFLOG, linkSLL2, 12, 228}

// frames are the ones of a link around one datagram.
func (o *onion) frames(link linkType, depth int) (out [][]byte) {
	switch link {
	case linkEthernet:
		return o.ethernet(depth)
	case link80211:
		return o.ieee80211(depth)
	case linkRadiotap:
		for _, f := range o.ieee80211(depth) {
			header := append([]byte{0, 0, 0, 0}, o.bytes(4*o.IntN(4))...)
			binary.LittleEndian.PutUint16(header[2:], uint16(len(header)))
			out = append(out, concat(header, f))
		}
		return out
	}
	v6 := o.chance(40)
	typ, ppp, family := etherIPv4, pppIPv4, byte(2)
	if v6 {
		typ, ppp, family = etherIPv6, pppIPv6, 10
	}
	for _, b := range o.datagrams(v6, depth) {
		switch link {
		case linkNull:
			b = concat([]byte{pick[byte](o.Rand, 2, 24, 28, 30, 2, 7), 0, 0, 0}, b)
		case linkPPP:
			b = concat(pick(o.Rand, nil, []byte{0xff, 3}), be16(ppp), b)
		case linkPPPSerial:
			b = concat(o.bytes(2), be16(ppp), b)
		case linkFDDI:
			b = concat(o.bytes(21), b)
		case linkSLL:
			b = concat(o.bytes(14), be16(typ), b)
		case linkSLL2:
			b = concat(be16(typ), o.bytes(18), b)
		case linkNFLOG:
			b = concat([]byte{family, 0, 0, 0}, []byte{8, 0, 1, 0, 1, 2, 3, 4}, []byte{5, 0, 10, 0, 1, 0, 0, 0},
				binary.LittleEndian.AppendUint16(nil, uint16(len(b)+4)), []byte{9, 0}, b)
		}
		out = append(out, b)
	}
	return out
}
