package capture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeyOrder(t *testing.T) {
	tests := []struct {
		name     string
		src, dst string
		flipped  bool
	}{
		{"lower address first", "10.0.0.1:9", "10.0.0.2:1", false},
		{"higher address first", "10.0.0.2:1", "10.0.0.1:9", true},
		{"IPv4 is above ::1", "10.0.0.1:9", "[::1]:1", true},
		{"and below other IPv6", "10.0.0.1:9", "[2001:db8::1]:1", false},
		{"one address: ports as bytes swapped", "127.0.0.1:80", "127.0.0.1:443", false}, // 0x5000 < 0xbb01
		{"256 is lower than 80", "127.0.0.1:256", "127.0.0.1:80", false},                // 0x0001 < 0x5000
		{"one end", "127.0.0.1:80", "127.0.0.1:80", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src, dst := netip.MustParseAddrPort(tt.src), netip.MustParseAddrPort(tt.dst)
			k, flipped := newKey(addressOf(src.Addr()), addressOf(dst.Addr()), src.Port(), dst.Port(), protoTCP, false)
			require.Equal(t, tt.flipped, flipped)
			first, second := src, dst
			if flipped {
				first, second = dst, src
			}
			require.Equal(t, first, k.first())
			require.Equal(t, second, k.second())
			back, _ := newKey(addressOf(dst.Addr()), addressOf(src.Addr()), dst.Port(), src.Port(), protoTCP, false)
			require.Equal(t, k, back)
			require.Equal(t, k.hash(7), back.hash(7))
		})
	}
}

// bytes lays a key out as Zeek does, which compares the memory.
func (k *key) bytes() []byte {
	var b []byte
	for _, w := range []uint64{k.hi1, k.lo1, k.hi2, k.lo2} {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	b = binary.BigEndian.AppendUint16(b, k.port1)
	b = binary.BigEndian.AppendUint16(b, k.port2)
	return binary.LittleEndian.AppendUint16(b, uint16(k.proto))
}

func TestKeysCompareAsTheirBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	random := func() key {
		small := func() uint64 { return pick(r, 0, 1, 0xffff0a000001, 1<<63, r.Uint64()) }
		return key{small(), small(), small(), small(), uint16(r.IntN(3) * 200), uint16(r.IntN(3) * 200), uint8(r.IntN(3) * 100)}
	}
	for range 20000 {
		a, b := random(), random()
		require.Equal(t, bytes.Compare(a.bytes(), b.bytes()), a.compare(&b))
	}
}

func TestUID(t *testing.T) {
	seen := map[string]bool{}
	pattern := regexp.MustCompile(`^C[0-9A-Za-z]{12,17}$`)
	for i := range uint64(20000) {
		k := key{lo1: i % 7, port1: uint16(i)}
		u := newUID(&k, 5, i).String()
		require.Regexp(t, pattern, u)
		require.False(t, seen[u], "twice: %s", u)
		seen[u] = true
		require.Equal(t, u, newUID(&k, 5, i).String())
	}
}

func TestSitesAreThoseOfPrefixes(t *testing.T) {
	more := []netip.Prefix{netip.MustParsePrefix("8.8.0.0/16"), netip.MustParsePrefix("2a00::/12"), netip.MustParsePrefix("9.9.9.9/32")}
	var all []netip.Prefix
	for _, text := range append(append([]string{}, privateAddressSpace...), privateAddressSpace6...) {
		all = append(all, netip.MustParsePrefix(text))
	}
	for _, p := range all { // 6to4
		if p.Addr().Is4() {
			b := p.Addr().As4()
			six := netip.AddrFrom16([16]byte{0x20, 0x02, b[0], b[1], b[2], b[3]})
			all = append(all, netip.PrefixFrom(six, 16+p.Bits()))
		}
	}
	all = append(all, more...)
	s := newSites(more)
	slow := func(a netip.Addr) bool {
		for _, p := range all {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	for _, text := range []string{"10.1.2.3", "224.0.0.251", "224.0.1.1", "239.255.255.250", "ff02::1", "2001:0:1::1", "2001:db8::1",
		"2002:c0a8:101::1", "2002:808::1", "8.8.8.8", "8.9.0.0", "9.9.9.9", "9.9.9.8", "2a0f::1", "2a10::1", "::", "::1", "::2", "64:ff9b::1", "64:ff9b:1::1"} {
		a := netip.MustParseAddr(text)
		require.Equal(t, slow(a), s.local(addressOf(a)), text)
	}
	r := rand.New(rand.NewPCG(4, 4))
	for range 20000 {
		p := all[r.IntN(len(all))]
		b := p.Addr().As16()
		for range 1 + r.IntN(3) {
			b[r.IntN(16)] ^= 1 << r.IntN(8)
		}
		a := netip.AddrFrom16(b).Unmap()
		require.Equal(t, slow(a), s.local(addressOf(a)), "%v", a)
	}
}

func TestWholeInternetIsLocal(t *testing.T) {
	s := newSites([]netip.Prefix{netip.MustParsePrefix("::/0")})
	require.True(t, s.local(addressOf(netip.MustParseAddr("8.8.8.8"))))
	require.True(t, s.local(addressOf(netip.MustParseAddr("2600::1"))))
	s = newSites([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")})
	require.True(t, s.local(addressOf(netip.MustParseAddr("8.8.8.8"))))
	require.False(t, s.local(addressOf(netip.MustParseAddr("2600::1"))))
}
