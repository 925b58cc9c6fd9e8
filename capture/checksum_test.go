package capture

import (
	"math/rand/v2"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// The sum of eight bytes at a time is that of two at a time, with carries in
// every place.
func TestSumAgainstTheSimpleOne(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		b := make([]byte, n)
		for i := range b {
			b[i] = pick(r, 0xff, 0xff, 0, byte(r.Uint32()))
		}
		start := r.Uint32N(1 << 20)
		require.Equal(t, onesSum(start, b), fold(sum(b, uint64(start))), "%d bytes", n)
	}
	require.Zero(t, fold(sum(make([]byte, 40), 0)), "zeros have no sum")
	for range 3000 {
		h := make([]byte, 20)
		for i := range h {
			h[i] = pick(r, 0xff, 0xff, 0, byte(r.Uint32()))
		}
		h[0] = 0x45
		require.Equal(t, onesSum(0, h) == 0xffff, validIPv4(h))
		require.True(t, validIPv4(fix4(h)))
	}
	require.Equal(t, uint16(0xffff), fold(^uint64(0)))
}

// gopacket's checksums, and what becomes of them with a bit turned.
func TestChecksums(t *testing.T) {
	ip4, ip6 := ip4Layer, ip6Layer
	tcp := &layers.TCP{SrcPort: 4000, DstPort: 5000, SYN: true, Seq: 7, Window: 100}
	udp := &layers.UDP{SrcPort: 4000, DstPort: 5000}
	icmp4 := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 1, Seq: 2}
	icmp6 := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
	payload := gopacket.Payload("an odd number of bytes!")
	for _, tt := range []struct {
		name  string
		proto layers.IPProtocol
		v6    bool
		parts []gopacket.SerializableLayer
		bad   string // what the row shows then
	}{
		{"TCP", layers.IPProtocolTCP, false, []gopacket.SerializableLayer{tcp, payload}, "OTH C -"},
		{"TCP over IPv6", layers.IPProtocolTCP, true, []gopacket.SerializableLayer{tcp, payload}, "OTH C -"},
		{"UDP", layers.IPProtocolUDP, false, []gopacket.SerializableLayer{udp, payload}, "OTH C -"},
		{"UDP over IPv6", layers.IPProtocolUDP, true, []gopacket.SerializableLayer{udp, payload}, "OTH C -"},
		{"ICMP", layers.IPProtocolICMPv4, false, []gopacket.SerializableLayer{icmp4, payload}, "OTH - -"},
		{"ICMPv6", layers.IPProtocolICMPv6, true, []gopacket.SerializableLayer{icmp6, payload}, "OTH - -"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var network gopacket.NetworkLayer
			var first gopacket.SerializableLayer
			if tt.v6 {
				ip6.NextHeader = tt.proto
				network, first = &ip6, &ip6
			} else {
				ip4.Protocol = tt.proto
				network, first = &ip4, &ip4
			}
			for _, l := range []interface {
				SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
			}{tcp, udp, icmp6} {
				require.NoError(t, l.SetNetworkLayerForChecksum(network))
			}
			b := serialize(t, append([]gopacket.SerializableLayer{first}, tt.parts...)...)
			rows, s := readPcap(t, appendRecord(pcapFileHeader(linkRaw), epoch*second, uint32(len(b)), b), Options{})
			require.Len(t, rows, 1)
			require.Equal(t, uint64(1), rows[0].OrigPkts)
			require.Zero(t, s.BadChecksums)

			b[len(b)-1] ^= 1
			bad := appendRecord(pcapFileHeader(linkRaw), epoch*second, uint32(len(b)), b)
			rows, s = readPcap(t, bad, Options{})
			require.Equal(t, []string{tt.bad}, briefs(rows))
			require.Zero(t, rows[0].OrigPkts)
			require.Equal(t, uint64(1), s.BadChecksums)
			require.True(t, s.MostlyBadChecksums())

			rows, s = readPcap(t, bad, Options{IgnoreChecksums: true})
			require.Equal(t, uint64(1), rows[0].OrigPkts)
			require.Zero(t, s.BadChecksums)

			// What was not captured completely cannot be checked.
			cut := appendRecord(pcapFileHeader(linkRaw), epoch*second, uint32(len(b)), b[:len(b)-1])
			rows, _ = readPcap(t, cut, Options{})
			require.Equal(t, tt.name[:3] != "ICM", rows[0].OrigPkts == 1, "ICMP counts whole packets only")
		})
	}
}

func TestIPv4HeaderChecksum(t *testing.T) {
	b := udp4(t)
	b[8]++ // a hop without a new checksum
	got, s := readLink(t, linkRaw, b, Options{})
	require.Empty(t, got)
	require.Equal(t, uint64(1), s.Skipped[SkipIPChecksum])
	require.True(t, s.MostlyBadChecksums())
	got, _ = readLink(t, linkRaw, b, Options{IgnoreChecksums: true})
	require.Equal(t, []string{udp4Conn}, got)
}

// A UDP checksum of zero is none, but IPv6 must have one. The address does not
// tell the two apart.
func TestNoUDPChecksum(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		at   int
		want bool
	}{
		{"IPv4", udp4(t), 26, true},
		{"IPv6", udp6(t), 46, false},
		{"IPv4-mapped in IPv6", mapped(udp6(t)), 46, false},
	} {
		tt.b[tt.at], tt.b[tt.at+1] = 0, 0
		rows, _ := readPcap(t, appendRecord(pcapFileHeader(linkRaw), epoch*second, uint32(len(tt.b)), tt.b), Options{})
		require.Len(t, rows, 1)
		require.Equal(t, tt.want, rows[0].OrigPkts == 1, tt.name)
	}
}

// mapped makes the source of an IPv6 packet ::ffff:10.0.0.1.
func mapped(b []byte) []byte {
	copy(b[8:], []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1})
	return b
}

func BenchmarkSum(b *testing.B) {
	data := make([]byte, 1400)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		fold(sum(data, 0))
	}
}
