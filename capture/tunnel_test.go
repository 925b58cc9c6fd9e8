package capture

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// outer4 is an IPv4 datagram between two other hosts.
func outer4(t testing.TB, proto layers.IPProtocol, parts ...gopacket.SerializableLayer) []byte {
	ip := ip4Layer
	ip.Protocol = proto
	ip.SrcIP, ip.DstIP = []byte{198, 51, 100, 1}, []byte{198, 51, 100, 2}
	return serialize(t, append([]gopacket.SerializableLayer{&ip}, parts...)...)
}

// outerUDP is a datagram of UDP between them.
func outerUDP(t testing.TB, src, dst layers.UDPPort, parts ...gopacket.SerializableLayer) []byte {
	ip := ip4Layer
	ip.SrcIP, ip.DstIP = []byte{198, 51, 100, 1}, []byte{198, 51, 100, 2}
	udp := &layers.UDP{SrcPort: src, DstPort: dst}
	require.NoError(t, udp.SetNetworkLayerForChecksum(&ip))
	return serialize(t, append([]gopacket.SerializableLayer{&ip, udp}, parts...)...)
}

// tunnelRows are the rows of datagrams: ends, service, history, and which row
// (or "another") each parent is.
func tunnelRows(t testing.TB, o Options, datagrams ...[]byte) []string {
	pcap := pcapFileHeader(linkRaw)
	for i, b := range datagrams {
		pcap = appendRecord(pcap, (epoch+conn.Micros(i))*second, uint32(len(b)), b)
	}
	rows, s := readPcap(t, pcap, o)
	require.Zero(t, s.Panics, s.FirstPanic)
	slices.SortStableFunc(rows, func(a, b conn.Conn) int { return int(a.TS - b.TS) })
	names := map[string]string{}
	for _, c := range rows {
		names[c.UID] = c.Orig.String()
	}
	var out []string
	for _, c := range rows {
		var parents []string
		for _, uid := range c.TunnelParents {
			name, ok := names[uid]
			if !ok {
				name = "another"
			}
			parents = append(parents, name)
		}
		slices.Sort(parents)
		line := c.Orig.String() + " " + c.History
		if c.Has(conn.Service) {
			line += " " + c.Service
		}
		for _, p := range parents {
			line += " <" + p
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func TestTunnels(t *testing.T) {
	v4, v6 := udp4(t), udp6(t)
	payload := func(parts ...[]byte) gopacket.Payload { return concat(parts...) }
	ethernet := &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}
	const in4, in6 = "10.0.0.1:4000 D <another", "[2001:db8::1]:4000 D <another"
	const carrier = "198.51.100.1:7000"
	by := func(service string) []string {
		return []string{"10.0.0.1:4000 D <" + carrier, carrier + " D " + service}
	}
	by6 := func(service string) []string {
		return []string{carrier + " D " + service, "[2001:db8::1]:4000 D <" + carrier}
	}
	gre := func(flags int, typ layers.EthernetType, rest ...[]byte) []byte {
		return outer4(t, layers.IPProtocolGRE, payload(be16(flags), be16(typ), concat(rest...)))
	}
	ether := concat(make([]byte, 12), be16(etherIPv4), v4)
	wifi := concat([]byte{8, 0}, make([]byte, 22), []byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherIPv4), v4)
	gtp := func(flags, typ byte, rest ...[]byte) []byte {
		return outerUDP(t, 7000, gtpUserPort, payload([]byte{flags, typ}, make([]byte, 6), concat(rest...)))
	}
	ayiya := []byte{0x42, 0x52, 0x11, protoIPv6, 43: 0} // with 16 bytes of identity and 20 of signature
	ayiya = append(ayiya, v6...)
	geneve := func(options int, typ layers.EthernetType, b []byte) []byte {
		return outerUDP(t, 7000, genevePort, payload([]byte{byte(options), 0}, be16(typ), make([]byte, 4+4*options), b))
	}

	for _, tt := range []struct {
		name string
		b    []byte
		want []string
	}{
		{"IPv4 in IPv4", outer4(t, layers.IPProtocolIPv4, payload(v4)), []string{in4}},
		{"IPv6 in IPv4", outer4(t, layers.IPProtocolIPv6, payload(v6)), []string{in6}},
		{"IPv6 in IPv6", serialize(t, &layers.IPv6{Version: 6, NextHeader: layers.IPProtocolIPv6, SrcIP: ip6Layer.DstIP, DstIP: ip6Layer.SrcIP}, payload(v6)), []string{in6}},
		{"the wrong version", outer4(t, layers.IPProtocolIPv6, payload(v4)), nil},
		{"with something behind", outer4(t, layers.IPProtocolIPv4, payload(v4, []byte{0})), nil},
		{"with padding of the link behind", append(outer4(t, layers.IPProtocolIPv4, payload(v4)), 0), nil},

		{"GRE", outer4(t, layers.IPProtocolGRE, &layers.GRE{Protocol: layers.EthernetTypeIPv4}, payload(v4)), []string{in4}},
		{"GRE with all it can have", outer4(t, layers.IPProtocolGRE,
			&layers.GRE{Protocol: layers.EthernetTypeIPv6, ChecksumPresent: true, KeyPresent: true, SeqPresent: true}, payload(v6)), []string{in6}},
		{"GRE and padding", append(outer4(t, layers.IPProtocolGRE, &layers.GRE{Protocol: layers.EthernetTypeIPv4}, payload(v4)), 0, 0), []string{in4}},
		{"GRE of another type is tried as IP", gre(0, 0x1234, v4), []string{in4}},
		{"GRE with Ethernet", outer4(t, layers.IPProtocolGRE, &layers.GRE{Protocol: layers.EthernetTypeTransparentEthernetBridging}, ethernet, payload(v4)), []string{in4}},
		{"GRE with a route", gre(greRouting, etherIPv4, v4), nil},
		{"GRE of version 2", gre(2, etherIPv4, v4), nil},
		{"GRE, cut", outer4(t, layers.IPProtocolGRE, payload([]byte{0, 0, 8})), nil},
		{"GRE, Ethernet cut", gre(0, etherBridging, make([]byte, 14)), nil},
		{"PPTP", gre(greKey|1, etherPPTP, make([]byte, 4), be16(0xff03), be16(pppIPv4), v4), []string{in4}},
		{"PPTP with an acknowledgement", gre(greKey|greSequence|greAck|1, etherPPTP, make([]byte, 12), be16(0xff03), be16(pppIPv6), v6), []string{in6}},
		{"PPTP with a control protocol", gre(greKey|1, etherPPTP, make([]byte, 4), be16(0xff03), be16(0xc021), v4), nil},
		{"PPTP with something behind", gre(greKey|1, etherPPTP, make([]byte, 4), be16(0xff03), be16(pppIPv4), v4, []byte{0}), nil},
		{"ERSPAN I", gre(0, etherERSPAN, ether), []string{in4}},
		{"ERSPAN II", gre(greSequence, etherERSPAN, make([]byte, 4+8), ether), []string{in4}},
		{"ERSPAN III", gre(greSequence, etherERSPAN3, make([]byte, 4+12), ether), []string{in4}},
		{"ERSPAN III with an option", gre(greSequence, etherERSPAN3, make([]byte, 4+11), []byte{1}, make([]byte, 8), ether), []string{in4}},
		{"Aruba", gre(0, 0x8210, wifi), []string{in4}},
		{"GRE in UDP", outerUDP(t, 7000, grePort, payload([]byte{0, 0, 8, 0}, v4)), []string{in4, carrier + " D"}},

		{"VXLAN", outerUDP(t, 7000, vxlanPort, &layers.VXLAN{ValidIDFlag: true, VNI: 5}, ethernet, payload(v4)), by("vxlan")},
		{"VXLAN without its flag", outerUDP(t, 7000, vxlanPort, &layers.VXLAN{VNI: 5}, ethernet, payload(v4)), []string{carrier + " D"}},
		{"VXLAN, empty", outerUDP(t, 7000, vxlanPort, &layers.VXLAN{ValidIDFlag: true}), []string{carrier + " D vxlan"}},
		{"VXLAN on another port", outerUDP(t, 7000, 8472, &layers.VXLAN{ValidIDFlag: true, VNI: 5}, ethernet, payload(v4)), []string{carrier + " D"}},
		{"Geneve", geneve(0, etherBridging, ether), by("geneve")},
		{"Geneve with options and IPv6", geneve(3, etherIPv6, v6), by6("geneve")},
		{"Geneve of another version", geneve(0x40, etherIPv4, v4), []string{carrier + " D"}},
		{"Geneve with something else", geneve(0, 0x1234, v4), []string{carrier + " D geneve"}},
		{"Geneve, options cut", outerUDP(t, 7000, genevePort, payload([]byte{5, 0, 8, 0, 0, 0, 0, 0})), []string{carrier + " D"}},
		{"AYIYA", outerUDP(t, 7000, ayiyaPort, payload(ayiya)), by6("ayiya")},
		{"AYIYA on any port", outerUDP(t, 7000, 9000, payload(ayiya)), by6("ayiya")},
		{"AYIYA, another operation", outerUDP(t, 7000, ayiyaPort, payload(ayiya[:2], []byte{0x12}, ayiya[3:])), []string{carrier + " D"}},
		{"Teredo", outerUDP(t, 7000, teredoPort, payload(v6)), []string{carrier + " D", "[2001:db8::1]:4000 D <" + carrier}},
		{"Teredo with its headers", outerUDP(t, 7000, teredoPort, payload([]byte{0, 1, 1, 2}, make([]byte, 3+9), make([]byte, 8), v6)),
			[]string{carrier + " D", "[2001:db8::1]:4000 D <" + carrier}},
		{"Teredo with a header twice", outerUDP(t, 7000, teredoPort, payload(make([]byte, 16), v6)), []string{carrier + " D"}},
		{"Teredo with something behind", outerUDP(t, 7000, teredoPort, payload(v6, []byte{0})), []string{carrier + " D"}},
		{"Teredo on any port", outerUDP(t, 7000, 9000, payload(make([]byte, 8), v6)), []string{carrier + " D", "[2001:db8::1]:4000 D <" + carrier}},
		{"IPv6 in UDP without Teredo's address", outerUDP(t, 7000, 9000, payload(v6)), []string{carrier + " D"}},
		{"GTP", outerUDP(t, 7000, gtpUserPort, &layers.GTPv1U{Version: 1, ProtocolType: 1, MessageType: 255, TEID: 4}, payload(v4)), by("gtpv1")},
		{"GTP with a sequence number", gtp(0x32, 255, make([]byte, 4), v4), by("gtpv1")},
		{"GTP with extensions", gtp(0x34, 255, make([]byte, 4), []byte{1, 0, 0, 9}, []byte{2, 0, 0, 0, 0, 0, 0, 0}, v6), by6("gtpv1")},
		{"GTP with an endless extension", gtp(0x34, 255, make([]byte, 4), []byte{0, 0, 0, 9}, v6), []string{carrier + " D"}},
		{"GTP of version 2", gtp(0x50, 255, v4), []string{carrier + " D"}},
		{"GTP, another message", gtp(0x30, 1, v4), []string{carrier + " D"}},
		{"GTP with something behind", gtp(0x30, 255, v4, []byte{0}), []string{carrier + " D"}},
		{"GTP without a packet", gtp(0x30, 255), []string{carrier + " D"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tunnelRows(t, Options{}, tt.b))
		})
	}
}

// A tunnel is one for both directions, and lives as long as it is used once a
// day.
func TestIPTunnelIdentity(t *testing.T) {
	there := outer4(t, layers.IPProtocolIPv4, gopacket.Payload(udp4(t)))
	back := bytes.Clone(there)
	copy(back[12:], there[16:20])
	copy(back[16:], there[12:16])
	inner := back[20:]
	copy(inner[12:], there[32:40][4:])
	copy(inner[16:], there[32:36])
	copy(inner[20:], []byte{5000 >> 8, 5000 & 0xff, 4000 >> 8, 4000 & 0xff})
	fix4(back)
	const hour = 3600
	parents := func(times ...int) int {
		pcap := pcapFileHeader(linkRaw)
		for i, at := range times {
			b := [][]byte{there, back}[i%2]
			pcap = appendRecord(pcap, (epoch+conn.Micros(at))*second, uint32(len(b)), b)
		}
		rows, _ := readPcap(t, pcap, Options{})
		uids := map[string]bool{}
		for _, c := range rows {
			require.Len(t, c.TunnelParents, 1)
			uids[c.TunnelParents[0]] = true
		}
		return len(uids)
	}
	require.Equal(t, 1, parents(0, 1))
	require.Equal(t, 1, parents(0, 23*hour, 40*hour), "the timer ran at 40 h, saw the packet at 23 h and waits on")
	require.Equal(t, 2, parents(0, 24*hour))
	require.Equal(t, 2, parents(0, 1*hour, 40*hour))
}

func TestIPTunnelsAreLimited(t *testing.T) {
	s := &Stats{}
	table := newTable((&Options{}).withDefaults(), s)
	tunnels := newIPTunnels()
	l := &layer{ip: ipHeader{dst: addressOf(netip.MustParseAddr("10.0.0.1")), next: protoIPv4}}
	var a [4]byte
	for i := range maxIPTunnels + 3 {
		binary.BigEndian.PutUint32(a[:], uint32(i))
		l.ip.src = addressOf(netip.AddrFrom4(a))
		tunnels.level(table, l)
	}
	require.Len(t, tunnels.byPair, maxIPTunnels)
	require.Equal(t, uint64(3), s.TunnelsForgotten)
	require.LessOrEqual(t, len(tunnels.order), maxIPTunnels)
}

// Tunnels in tunnels end at a depth of four; the connection that would carry
// the fifth is marked, an IP tunnel has none.
func TestTunnelDepth(t *testing.T) {
	nest := func(n int) []byte {
		b := udp4(t)
		for i := range n {
			b = outerUDP(t, layers.UDPPort(7000+i), ayiyaPort, gopacket.Payload(concat([]byte{2, 0, 1, protoIPv4}, make([]byte, 5), b)))
		}
		return b
	}
	require.Len(t, tunnelRows(t, Options{}, nest(4)), 5)
	rows := tunnelRows(t, Options{}, nest(5))
	require.Len(t, rows, 5, "the innermost is missing")
	require.Equal(t, "198.51.100.1:7000 DX <198.51.100.1:7001", rows[0])

	b := udp4(t)
	for range 5 {
		b = outer4(t, layers.IPProtocolIPv4, gopacket.Payload(b))
	}
	require.Empty(t, tunnelRows(t, Options{}, b))
}

// Each change of the tunnel adds a parent, up to five; losing the tunnel is a
// change, too.
func TestTunnelChanges(t *testing.T) {
	via := func(port layers.UDPPort) []byte {
		return outerUDP(t, port, vxlanPort, &layers.VXLAN{ValidIDFlag: true},
			&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4}, gopacket.Payload(udp4(t)))
	}
	find := func(rows []string) string {
		i := slices.IndexFunc(rows, func(s string) bool { return s[:8] == "10.0.0.1" })
		return rows[i]
	}
	require.Equal(t, "10.0.0.1:4000 D <198.51.100.1:7000 <198.51.100.1:7001",
		find(tunnelRows(t, Options{}, via(7000), via(7001), via(7001))))
	require.Equal(t, "10.0.0.1:4000 D <198.51.100.1:7000",
		find(tunnelRows(t, Options{}, udp4(t), via(7000), udp4(t), via(7000), udp4(t), via(7000))), "five changes")
	require.Equal(t, "10.0.0.1:4000 DX <198.51.100.1:7000",
		find(tunnelRows(t, Options{}, udp4(t), via(7000), udp4(t), via(7000), udp4(t), via(7000), udp4(t))), "six")
}

// A connection made by a packet that carries another tunnel sees its own
// encapsulation grow: its next packet counts as a change.
func TestEncapsulationIsShared(t *testing.T) {
	inner := outerUDP(t, 7001, ayiyaPort, gopacket.Payload(concat([]byte{2, 0, 1, protoIPv4}, make([]byte, 5), udp4(t))))
	var in [][]byte
	for range 2 {
		in = append(in, outerUDP(t, 7000, ayiyaPort, gopacket.Payload(concat([]byte{2, 0, 1, protoIPv4}, make([]byte, 5), inner))))
	}
	s := &Stats{}
	o := (&Options{}).withDefaults()
	table := newTable(o, s)
	table.decoder = newDecoder(table, o)
	for i, b := range in {
		at := (epoch + conn.Micros(i)) * second
		table.begin(at)
		table.decoder.decode(&frame{data: b, wireLen: uint32(len(b)), link: linkRaw, time: at})
		table.end()
	}
	changes := map[uint16]int{}
	for _, c := range table.chains {
		for ; c != nil; c = c.next {
			changes[c.origPort()] = c.changes
		}
	}
	require.Equal(t, map[uint16]int{7000: 0, 7001: 1, 4000: 0}, changes)
}

// A packet of known connections allocates nothing, in tunnels neither.
func TestTunnelsAllocateNothing(t *testing.T) {
	b := outerUDP(t, 7000, vxlanPort, &layers.VXLAN{ValidIDFlag: true},
		&layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: layers.EthernetTypeIPv4},
		gopacket.Payload(outer4(t, layers.IPProtocolIPv4, gopacket.Payload(udp4(t)))))
	o := (&Options{}).withDefaults()
	table := newTable(o, &Stats{})
	table.decoder = newDecoder(table, o)
	f := frame{data: b, wireLen: uint32(len(b)), link: linkRaw, time: epoch * second}
	read := func() {
		f.time += 1000
		table.begin(f.time)
		table.decoder.decode(&f)
		table.end()
	}
	for range 100 {
		read()
	}
	require.Equal(t, 2, table.live)
	require.Zero(t, testing.AllocsPerRun(1000, read))
}
