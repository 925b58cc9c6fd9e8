package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// serialize makes a packet with gopacket, which does not know how we read it.
func serialize(t testing.TB, parts ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	require.NoError(t, gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, parts...))
	return bytes.Clone(b.Bytes())
}

var (
	ip4Layer = layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP,
		SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{192, 0, 2, 9}}
	ip6Layer = layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolUDP,
		SrcIP: []byte{0x20, 1, 0xd, 0xb8, 15: 1}, DstIP: []byte{0x20, 1, 0xd, 0xb8, 15: 9}}
)

// udp4 and udp6 are datagrams from port 4000 to 5000 with a payload of five
// bytes; udp4Conn and udp6Conn what they are in a row.
func udp4(t testing.TB) []byte {
	ip, udp := ip4Layer, layers.UDP{SrcPort: 4000, DstPort: 5000}
	require.NoError(t, udp.SetNetworkLayerForChecksum(&ip))
	return serialize(t, &ip, &udp, gopacket.Payload("hello"))
}

func udp6(t testing.TB) []byte {
	ip, udp := ip6Layer, layers.UDP{SrcPort: 4000, DstPort: 5000}
	require.NoError(t, udp.SetNetworkLayerForChecksum(&ip))
	return serialize(t, &ip, &udp, gopacket.Payload("hello"))
}

const (
	udp4Conn = "udp 10.0.0.1:4000 192.0.2.9:5000 33"
	udp6Conn = "udp [2001:db8::1]:4000 [2001:db8::9]:5000 53"
)

// ends is what a packet was read as: transport, ends, bytes of IP.
func ends(c *conn.Conn) string {
	return fmt.Sprint(c.Proto, " ", c.Orig, " ", c.Resp, " ", c.OrigIPBytes+c.RespIPBytes)
}

// readPcap reads a capture from memory.
func readPcap(t testing.TB, pcap []byte, o Options) ([]conn.Conn, Stats) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(pcap), o)
	require.NoError(t, err)
	var rows []conn.Conn
	for {
		var c conn.Conn
		if err := r.Read(&c); err != nil {
			require.Equal(t, io.EOF, err)
			return rows, r.Stats()
		}
		rows = append(rows, c)
	}
}

// readLink reads one frame of a link.
func readLink(t testing.TB, link linkType, frame []byte, o Options) ([]string, Stats) {
	t.Helper()
	rows, s := readPcap(t, appendRecord(pcapFileHeader(link), epoch*second, uint32(len(frame)), frame), o)
	var out []string
	for i := range rows {
		out = append(out, ends(&rows[i]))
	}
	require.Zero(t, s.Panics, s.FirstPanic)
	return out, s
}

func TestLinks(t *testing.T) {
	v4, v6 := udp4(t), udp6(t)
	eth := func(typ layers.EthernetType, b ...[]byte) []byte {
		return concat([]byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"), be16(typ), concat(b...))
	}
	snap := func(typ layers.EthernetType, b []byte) []byte {
		return concat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(typ), b)
	}
	wifi := func(control, flags byte, rest ...[]byte) []byte {
		return concat([]byte{control, flags}, make([]byte, 22), concat(rest...))
	}
	subframe := func(b []byte) []byte {
		return concat(make([]byte, 12), be16(len(b)), b, make([]byte, len(b)%4))
	}
	padded := func(b []byte, n int) []byte { return concat(b, make([]byte, n)) }
	mpls := func(last byte) []byte { return []byte{0, 1, 0x40 | last, 64} }
	ethernet := &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeDot1Q}
	nflog := func(family byte, tlvs ...[]byte) []byte { return concat([]byte{family, 0, 0, 0}, concat(tlvs...)) }
	tlv := func(order binary.AppendByteOrder, typ uint16, value []byte) []byte {
		return concat(order.AppendUint16(nil, uint16(len(value)+4)), order.AppendUint16(nil, typ), value, make([]byte, (4-len(value)%4)%4))
	}
	little := binary.LittleEndian
	for _, tt := range []struct {
		name  string
		link  linkType
		frame []byte
		want  string // empty: no connection
		skip  Skip   // then: why
	}{
		{"ethernet", linkEthernet, eth(etherIPv4, v4), udp4Conn, 0},
		{"ethernet, IPv6", linkEthernet, eth(etherIPv6, v6), udp6Conn, 0},
		{"ethernet, the other version than the type says", linkEthernet, eth(etherIPv6, v4), udp4Conn, 0},
		{"ethernet with padding", linkEthernet, padded(eth(etherIPv4, v4), 13), udp4Conn, 0},
		{"ethernet, 16 bytes", linkEthernet, eth(etherIPv4, v4)[:16], "", SkipTruncated},
		{"ethernet, half an IP header", linkEthernet, eth(etherIPv4, v4)[:30], "", SkipTruncated},
		{"ARP", linkEthernet, eth(etherARP, make([]byte, 28)), "", SkipLink},
		{"an unknown type", linkEthernet, eth(0x1234, v4), "", SkipLink},
		{"fabric path", linkEthernet, eth(etherFabricPath, make([]byte, 2), eth(etherIPv4, v4)), udp4Conn, 0},
		{"fabric path, cut", linkEthernet, eth(etherFabricPath, make([]byte, 16)), "", SkipTruncated},
		{"802.3 with SNAP", linkEthernet, eth(layers.EthernetType(len(v4)+8), snap(etherIPv4, v4)), udp4Conn, 0},
		{"802.3, numbered SNAP", linkEthernet, eth(layers.EthernetType(len(v4)+9), []byte{0xaa, 0xaa, 0, 0, 0, 0, 0, 8, 0}, v4), udp4Conn, 0},
		{"802.3, SNAP of an organization", linkEthernet, eth(layers.EthernetType(len(v4)+8), []byte{0xaa, 0xaa, 3, 0, 0, 1, 8, 0}, v4), "", SkipLink},
		{"802.3, LLC", linkEthernet, eth(40, []byte{0x42, 0x42, 3}, make([]byte, 37)), "", SkipLink},
		{"802.3, Novell", linkEthernet, eth(40, []byte{0xff, 0xff}, make([]byte, 38)), "", SkipLink},
		{"802.3, cut", linkEthernet, eth(400, snap(etherIPv4, v4)), "", SkipTruncated},
		{"neither length nor type", linkEthernet, eth(1520, v4), "", SkipLink},
		{"VLAN", linkEthernet, serialize(t, ethernet, &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeIPv4}, gopacket.Payload(v4)), udp4Conn, 0},
		{"QinQ", linkEthernet, eth(etherQinQ, []byte{0, 1}, be16(etherVLAN), []byte{0, 2}, be16(etherIPv4), v4), udp4Conn, 0},
		{"QinQ of old", linkEthernet, eth(etherQinQOld, []byte{0, 1}, be16(etherVLAN), []byte{0, 2}, be16(etherIPv6), v6), udp6Conn, 0},
		{"QinQ inside VLAN", linkEthernet, eth(etherVLAN, []byte{0, 1}, be16(etherQinQ), []byte{0, 2}, be16(etherIPv4), v4), "", SkipLink},
		{"VLAN with SNAP", linkEthernet, eth(etherVLAN, []byte{0, 1}, be16(20), snap(etherIPv4, v4)), udp4Conn, 0},
		{"VLAN, cut", linkEthernet, eth(etherVLAN, []byte{0, 1, 8, 0}), "", SkipTruncated},
		{"MPLS", linkEthernet, eth(etherMPLS, mpls(0), mpls(1), v4), udp4Conn, 0},
		{"MPLS without an end", linkEthernet, eth(etherMPLS, mpls(0), mpls(0)), "", SkipTruncated},
		{"MPLS with Ethernet inside", linkEthernet, eth(etherMPLS, mpls(1), eth(etherIPv4, v4)), "", SkipLink},
		{"PBB", linkEthernet, eth(etherPBB, make([]byte, 4), eth(etherIPv4, v4)), udp4Conn, 0},
		{"PBB, cut", linkEthernet, eth(etherPBB, make([]byte, 18)), "", SkipTruncated},
		{"VN tag", linkEthernet, eth(etherVNTag, make([]byte, 4), be16(etherVLAN), []byte{0, 1}, be16(etherIPv4), v4), udp4Conn, 0},
		{"VN tag without VLAN", linkEthernet, eth(etherVNTag, make([]byte, 4), be16(etherIPv4), v4), "", SkipLink},
		{"PPPoE", linkEthernet, eth(etherPPPoE, []byte{0x11, 0, 0, 1}, be16(len(v4)+2), be16(pppIPv4), v4), udp4Conn, 0},
		{"PPPoE with a control protocol", linkEthernet, eth(etherPPPoE, []byte{0x11, 0, 0, 1}, be16(12), be16(0xc021), make([]byte, 10)), "", SkipLink},
		{"PPPoE too short for an IP header", linkEthernet, eth(etherPPPoE, []byte{0x11, 0, 0, 1}, be16(12), be16(pppIPv4), v4), "", SkipTruncated},
		{"null", linkNull, concat([]byte{2, 0, 0, 0}, v4), udp4Conn, 0},
		{"null, IPv6 of a BSD", linkNull, concat([]byte{28, 0, 0, 0}, v6), udp6Conn, 0},
		{"null in the other byte order", linkNull, concat([]byte{0, 0, 0, 2}, v4), "", SkipLink},
		{"PPP", linkPPP, concat(be16(pppIPv4), v4), udp4Conn, 0},
		{"PPP like HDLC", linkPPP, concat([]byte{0xff, 3}, be16(pppIPv6), v6), udp6Conn, 0},
		{"PPP with MPLS", linkPPP, concat(be16(pppMPLS), mpls(1), v4), udp4Conn, 0},
		{"PPP serial", linkPPPSerial, concat([]byte{0x0f, 0}, be16(pppIPv4), v4), udp4Conn, 0},
		{"FDDI", linkFDDI, concat(make([]byte, 21), v4), udp4Conn, 0},
		{"FDDI, cut", linkFDDI, make([]byte, 21), "", SkipTruncated},
		{"raw", linkRaw, v4, udp4Conn, 0},
		{"an unknown link is taken for IP", 147, v6, udp6Conn, 0},
		{"and dropped if it is not", 195, []byte("Zigbee, no IP version in sight"), "", SkipLinkType},
		{"SLL", linkSLL, concat(make([]byte, 14), be16(etherIPv4), v4), udp4Conn, 0},
		{"SLL with VLAN is not followed", linkSLL, concat(make([]byte, 14), be16(etherVLAN), []byte{0, 1, 8, 0}, v4), "", SkipLink},
		{"SLL2", linkSLL2, concat(be16(etherIPv6), make([]byte, 18), v6), udp6Conn, 0},
		{"NFLOG", linkNFLOG, nflog(2, tlv(little, 1, []byte("x")), tlv(little, 9, v4)), udp4Conn, 0},
		{"NFLOG, IPv6", linkNFLOG, nflog(10, tlv(little, 9, v6)), udp6Conn, 0},
		{"NFLOG of another family", linkNFLOG, nflog(7, tlv(little, 9, v4)), "", SkipLink},
		{"NFLOG with a length of nothing", linkNFLOG, nflog(2, []byte{3, 0, 1, 0}, v4), "", SkipTruncated},
		{"NFLOG of another version", linkNFLOG, []byte("\x02\x01\x00\x00\x00\x00"), "", SkipLink},
		{"802.11", link80211, wifi(8, 0, snap(etherIPv4, v4)), udp4Conn, 0},
		{"802.11, four addresses", link80211, wifi(8, 3, make([]byte, 6), snap(etherIPv4, v4)), udp4Conn, 0},
		{"802.11, QoS", link80211, wifi(0x88, 1, []byte{0, 0}, snap(etherIPv6, v6)), udp6Conn, 0},
		{"802.11, QoS, encrypted", link80211, wifi(0x88, 0x41, []byte{0, 0}, snap(etherIPv4, v4)), "", SkipLink},
		{"802.11, a beacon", link80211, wifi(0x80, 0, make([]byte, 40)), "", SkipLink},
		{"802.11, no data", link80211, wifi(0x48, 0, make([]byte, 40)), "", SkipLink},
		{"802.11, no SNAP", link80211, wifi(8, 0, make([]byte, 40)), "", SkipLink},
		{"802.11, aggregated", link80211, wifi(0x88, 1, []byte{0x80, 0}, subframe(snap(etherIPv4, v4))), udp4Conn, 0},
		{"radiotap", linkRadiotap, concat([]byte{0, 0, 9, 0, 0, 0, 0, 0, 0}, wifi(8, 0, snap(etherIPv4, v4))), udp4Conn, 0},
		{"radiotap longer than the frame", linkRadiotap, []byte{0, 0, 9, 0}, "", SkipTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, s := readLink(t, tt.link, tt.frame, Options{})
			if tt.want == "" {
				require.Empty(t, got)
				require.Equal(t, uint64(1), s.Skipped[tt.skip], "%v", s.Skipped)
				require.Equal(t, uint64(1), s.TotalSkipped())
				return
			}
			require.Equal(t, []string{tt.want}, got)
			require.Zero(t, s.TotalSkipped())
		})
	}

	t.Run("NFLOG of a big-endian host", func(t *testing.T) {
		w := newPcapWriter()
		w.order, w.link = binary.BigEndian, uint32(linkNFLOG)
		frame := nflog(2, tlv(binary.BigEndian, 1, []byte("x")), tlv(binary.BigEndian, 9, v4))
		w.record(epoch, 0, uint32(len(frame)), uint32(len(frame)), string(frame))
		rows, _ := readPcap(t, w.b, Options{})
		require.Len(t, rows, 1)
		require.Equal(t, udp4Conn, ends(&rows[0]))
	})

	// The first subframe that leads nowhere ends an A-MSDU: here ARP that is
	// not from the station itself.
	t.Run("802.11, several subframes", func(t *testing.T) {
		arp := concat([]byte{0, 1, 8, 0, 6, 4, 0, 1}, make([]byte, 20))
		foreign := bytes.Clone(arp)
		foreign[8] = 1
		for _, tt := range []struct {
			between []byte
			want    int
		}{{arp, 2}, {foreign, 1}} {
			rows, _ := readLink(t, link80211, wifi(0x88, 1, []byte{0x80, 0},
				subframe(snap(etherIPv4, v4)), subframe(snap(etherARP, tt.between)), subframe(snap(etherIPv6, v6))), Options{})
			require.Len(t, rows, tt.want)
		}
	})
}

// Headers in headers are followed up to a limit; at the limit itself the
// connection is there, and marked.
func TestNestedHeaders(t *testing.T) {
	for _, tt := range []struct {
		pbb  int // each is two analyzers; Ethernet, IP and UDP are three
		want []string
	}{{10, []string{"D"}}, {11, []string{"DX"}}, {12, nil}} {
		b := concat(make([]byte, 12), be16(etherIPv4), udp4(t))
		for range tt.pbb {
			b = concat(make([]byte, 12), be16(etherPBB), make([]byte, 4), b)
		}
		rows, s := readPcap(t, appendRecord(pcapFileHeader(linkEthernet), epoch*second, uint32(len(b)), b), Options{})
		var got []string
		for _, c := range rows {
			got = append(got, c.History)
		}
		require.Equal(t, tt.want, got)
		require.Equal(t, tt.want == nil, s.Skipped[SkipDepth] == 1)
	}
}
