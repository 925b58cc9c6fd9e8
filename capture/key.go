package capture

import (
	"math/bits"
	"net/netip"
)

// key identifies a connection: both ends in a canonical order and the IP
// protocol (src/packet_analysis/protocol/ip/conn_key/IPBasedConnKey.cc).
// Neither VLAN tags nor tunnels are part of it. Addresses are IPv6, IPv4 ones
// mapped into ::ffff:0:0/96. A flip of the roles leaves it alone.
type key struct {
	hi1, lo1 uint64 // the lower end's address
	hi2, lo2 uint64
	port1    uint16
	port2    uint16
	proto    uint8
}

// newKey returns the key of a packet's ends, and whether the source is the
// second end of it. A one-way key (ICMP types without an answer) is not
// brought into order, so its reverse is another connection.
func newKey(src, dst address, srcPort, dstPort uint16, proto uint8, oneWay bool) (k key, flipped bool) {
	if oneWay || endLess(src, srcPort, dst, dstPort) {
		return key{src.hi, src.lo, dst.hi, dst.lo, srcPort, dstPort, proto}, false
	}
	return key{dst.hi, dst.lo, src.hi, src.lo, dstPort, srcPort, proto}, true
}

// endLess is Zeek's order of two ends. On equal addresses the ports count, as
// a little-endian machine sees their bytes in network order.
func endLess(a address, port1 uint16, b address, port2 uint16) bool {
	if a != b {
		return a.less(b)
	}
	return bits.ReverseBytes16(port1) < bits.ReverseBytes16(port2)
}

// compare returns the order in which Zeek, run with a seed, drains what is left at
// the end: memcmp over addresses, ports in network order, protocol
// (src/session/Key.cc).
func (k *key) compare(o *key) int {
	switch {
	case k.hi1 != o.hi1:
		return less(k.hi1 < o.hi1)
	case k.lo1 != o.lo1:
		return less(k.lo1 < o.lo1)
	case k.hi2 != o.hi2:
		return less(k.hi2 < o.hi2)
	case k.lo2 != o.lo2:
		return less(k.lo2 < o.lo2)
	case k.port1 != o.port1:
		return less(k.port1 < o.port1)
	case k.port2 != o.port2:
		return less(k.port2 < o.port2)
	case k.proto != o.proto:
		return less(k.proto < o.proto)
	}
	return 0
}

func less(b bool) int {
	if b {
		return -1
	}
	return 1
}

// hash mixes the key with a seed that is drawn for each table, so that nobody
// can choose addresses that share a chain.
func (k *key) hash(seed uint64) uint32 {
	ports := uint64(k.port1)<<32 | uint64(k.port2)<<8 | uint64(k.proto)
	a := mix(k.hi1^k.hi2^seed, k.lo1^0x9e3779b97f4a7c15)
	b := mix(k.lo2^bits.RotateLeft64(seed, 23), ports^0xd1b54a32d192ed03^k.hi2)
	h := mix(a^seed, b^0x2545f4914f6cdd1d)
	return uint32(h ^ h>>32)
}

func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// twoEnds reports that the ends differ; if not, every packet is the
// originator's.
func (k *key) twoEnds() bool {
	return k.lo1 != k.lo2 || k.port1 != k.port2 || k.hi1 != k.hi2
}

func (k *key) first() netip.AddrPort {
	return netip.AddrPortFrom(address{k.hi1, k.lo1}.addr(), k.port1)
}
func (k *key) second() netip.AddrPort {
	return netip.AddrPortFrom(address{k.hi2, k.lo2}.addr(), k.port2)
}
