package capture

import (
	"net/netip"
)

// privateAddressSpace is Site::private_address_space, IPv4
// (scripts/base/utils/site.zeek). Each block is local in its 6to4 form too:
// 2002:: followed by the IPv4 prefix.
var privateAddressSpace = []string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/24", "239.0.0.0/8", "240.0.0.0/4", "255.255.255.255/32",
}

var privateAddressSpace6 = []string{
	"::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:2::/48", "2001:db8::/32",
	"fc00::/7", "fe80::/10", "fec0::/10",
}

// sites says which addresses are local. A prefix is kept under the first byte
// of the addresses that it covers, in the form they have as 128 bits.
type sites struct {
	four [256][]prefix
	six  [256][]prefix
}

type prefix struct{ hi, lo, maskHi, maskLo uint64 }

// newSites makes private addresses local, and what a site adds.
func newSites(more []netip.Prefix) *sites {
	s := new(sites)
	for _, text := range privateAddressSpace {
		p := netip.MustParsePrefix(text)
		s.add(p)
		four := p.Addr().As4()
		six := [16]byte{0x20, 0x02, four[0], four[1], four[2], four[3]}
		s.add(netip.PrefixFrom(netip.AddrFrom16(six), 16+p.Bits()))
	}
	for _, text := range privateAddressSpace6 {
		s.add(netip.MustParsePrefix(text))
	}
	for _, p := range more {
		if p.IsValid() {
			s.add(p)
		}
	}
	return s
}

func (s *sites) add(p netip.Prefix) {
	length := p.Bits()
	if p.Addr().Is4() {
		length += 96
	}
	q := prefix{maskHi: ^uint64(0), maskLo: ^uint64(0)}
	if length <= 64 {
		q.maskHi, q.maskLo = q.maskHi<<(64-length), 0
	} else {
		q.maskLo <<= 128 - length
	}
	first := addressOf(p.Addr())
	q.hi, q.lo = first.hi&q.maskHi, first.lo&q.maskLo

	for i := range uint64(256) {
		if q.coversFirst(0, 0xffff<<32|i<<24, 104) {
			s.four[i] = append(s.four[i], q)
		}
		if q.coversFirst(i<<56, 0, 8) {
			s.six[i] = append(s.six[i], q)
		}
	}
}

// coversFirst reports whether the prefix has addresses in common with the one
// of the given length.
func (q *prefix) coversFirst(hi, lo uint64, length int) bool {
	maskHi, maskLo := ^uint64(0), ^uint64(0)
	if length <= 64 {
		maskHi, maskLo = maskHi<<(64-length), 0
	} else {
		maskLo <<= 128 - length
	}
	return (q.hi^hi)&q.maskHi&maskHi == 0 && (q.lo^lo)&q.maskLo&maskLo == 0
}

func (s *sites) local(a address) bool {
	hi, lo := a.hi, a.lo
	list := s.six[hi>>56]
	if hi == 0 && lo>>32 == 0xffff {
		list = s.four[lo>>24&0xff]
	}
	for i := range list {
		if q := &list[i]; (hi^q.hi)&q.maskHi == 0 && (lo^q.lo)&q.maskLo == 0 {
			return true
		}
	}
	return false
}
