package capture

import (
	"encoding/binary"
	"math/bits"
)

// Internet checksums (RFC 1071): sums in ones' complement, of which the byte
// order does not matter until the end. So eight bytes are added at a time, as
// most processors have them.

// sum adds b to a sum begun elsewhere; an odd byte counts as if a zero followed.
func sum(b []byte, s uint64) uint64 {
	var swapped, carry uint64
	for len(b) >= 64 {
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b), carry)
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b[8:]), carry)
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b[16:]), carry)
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b[24:]), carry)
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b[32:]), carry)
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b[40:]), carry)
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b[48:]), carry)
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b[56:]), carry)
		b = b[64:]
	}
	for len(b) >= 8 {
		swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(b), carry)
		b = b[8:]
	}
	var rest [8]byte
	copy(rest[:], b)
	swapped, carry = bits.Add64(swapped, binary.LittleEndian.Uint64(rest[:]), carry)
	swapped, carry = bits.Add64(swapped, carry, 0)
	s, carry = bits.Add64(s, uint64(bits.ReverseBytes16(fold(swapped+carry))), 0)
	return s + carry
}

// fold brings a sum to 16 bits. Over data that holds its own checksum it is
// 0xffff if all is right, and 0 only for nothing but zeros.
func fold(s uint64) uint16 {
	s = s>>32 + s&0xffffffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return uint16(s)
}

func validSum(s uint64) bool { return fold(s) == 0xffff }

// validIPv4 checks an IPv4 header, options included.
func validIPv4(header []byte) bool {
	if len(header) == ipv4Header { // nearly all
		a, carry := bits.Add64(binary.BigEndian.Uint64(header), binary.BigEndian.Uint64(header[8:]), 0)
		a, carry = bits.Add64(a, uint64(binary.BigEndian.Uint32(header[16:])), carry)
		return validSum(a + carry)
	}
	return validSum(sum(header, 0))
}

// validTCP checks the whole payload of an IP datagram, and with it the
// addresses after mobility and routing headers have had their say.
func validTCP(p *packet) bool { return validSum(sum(p.payload, pseudoHeader(p, protoTCP, p.v6))) }

// validUDP does the same; whether there is a checksum is for the caller to see.
func validUDP(p *packet) bool { return validSum(sum(p.payload, pseudoHeader(p, protoUDP, p.v6))) }

// validICMP: ICMPv6 sums up the addresses, ICMP does not. Which it is, the
// protocol says, not the version of IP.
func validICMP(p *packet) bool {
	if p.proto == protoICMPv6 {
		return validSum(sum(p.payload, pseudoHeader(p, protoICMPv6, true)))
	}
	return validSum(sum(p.payload, 0))
}

// validMobility checks a mobility header of IPv6, whose length Zeek counts in
// eight bits. No connection comes of such a packet; but a wrong one ends an
// A-MSDU.
func validMobility(h *ipHeader, b []byte) bool {
	n := uint8(len(b))
	s := extMobility + uint64(n) + addressSum6(h.src) + addressSum6(h.dst)
	return validSum(sum(b[:n], s))
}

func pseudoHeader(p *packet, proto uint8, v6 bool) uint64 {
	s := uint64(proto) + uint64(len(p.payload))
	if v6 {
		return s + addressSum6(p.src) + addressSum6(p.dst)
	}
	return s + addressSum4(p.src) + addressSum4(p.dst)
}

func addressSum4(a address) uint64 { return a.lo & 0xffffffff }

func addressSum6(a address) uint64 {
	return a.hi>>32 + a.hi&0xffffffff + a.lo>>32 + a.lo&0xffffffff
}
