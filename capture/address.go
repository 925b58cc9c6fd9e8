package capture

import (
	"encoding/binary"
	"net/netip"
)

// address is an IPv6 address as two numbers; IPv4 ones are mapped into
// ::ffff:0:0/96. To take one out of a packet costs less than a netip.Addr does.
type address struct{ hi, lo uint64 }

func address4(b []byte) address {
	return address{0, 0xffff<<32 | uint64(binary.BigEndian.Uint32(b))}
}

func address6(b []byte) address {
	return address{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func addressOf(a netip.Addr) address {
	b := a.As16()
	return address6(b[:])
}

func (a address) addr() netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return netip.AddrFrom16(b).Unmap()
}

func (a address) less(o address) bool { return a.hi < o.hi || a.hi == o.hi && a.lo < o.lo }
