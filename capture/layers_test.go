package capture

import (
	"fmt"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"
)

// Packets of which Zeek makes a connection, and at which gopacket's decoders
// refuse or panic: why these layers are read by ourselves. If a line fails,
// that reason is gone (docs/architecture.md).
func TestWhatZeekTakesAndGopacketDoesNot(t *testing.T) {
	changed := func(b []byte, change func([]byte)) []byte {
		change(b)
		return b
	}
	ip4 := ip4Layer
	ip4.Protocol = layers.IPProtocolTCP
	syn := &layers.TCP{SrcPort: 4000, DstPort: 5000, SYN: true, Options: []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionData: []byte{5, 180}}}}
	require.NoError(t, syn.SetNetworkLayerForChecksum(&ip4))
	tcp := serialize(t, &ip4, syn)
	optional := concat(udp4(t)[:ipv4Header], []byte{7, 4, 0, 0}, udp4(t)[ipv4Header:])
	optional[0]++
	optional[3] += 4
	for _, tt := range []struct {
		name   string
		link   linkType
		frame  []byte
		layer  gopacket.DecodingLayer
		at     int // where the layer begins
		theirs string
	}{
		{"an IPv4 option of no length", linkRaw, changed(optional, func(b []byte) { b[ipv4Header+1] = 0 }),
			&layers.IPv4{}, 0, "Invalid IP option"},
		{"an IPv6 payload of no length", linkRaw, changed(udp6(t), func(b []byte) { b[4], b[5] = 0, 0 }),
			&layers.IPv6{}, 0, "IPv6 length 0"},
		{"a TCP option of no length", linkRaw, changed(tcp, func(b []byte) { b[ipv4Header+tcpHeader+1] = 0 }),
			&layers.TCP{}, ipv4Header, "Invalid TCP option length"},
		{"a UDP length below its header", linkRaw, changed(udp4(t), func(b []byte) { b[ipv4Header+5] = 7 }),
			&layers.UDP{}, ipv4Header, "UDP packet too small"},
		{"SLL with a long address", linkSLL, concat([]byte{0, 0, 0, 1, 0xff, 0xff}, make([]byte, 8), be16(etherIPv4), udp4(t)),
			&layers.LinuxSLL{}, 0, "panic: "},
		{"radiotap of all fields, in eight bytes", linkRadiotap, concat([]byte{0, 0, 8, 0, 0xff, 0xff, 0xff, 0xff}, []byte{8, 0}, make([]byte, 22),
			[]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherIPv4), udp4(t)), &layers.RadioTap{}, 0, "panic: "},
		{"802.11 without a checksum behind it", link80211, concat([]byte{8, 0}, make([]byte, 22),
			[]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(etherIPv4), udp4(t)), &layers.Dot11{}, 0, "payload 4 bytes short"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, _ := readLink(t, tt.link, tt.frame, Options{IgnoreChecksums: true})
			require.Len(t, rows, 1)
			require.Contains(t, decodes(tt.layer, tt.frame[tt.at:]), tt.theirs)
		})
	}
}

// decodes says what becomes of a header in gopacket.
func decodes(l gopacket.DecodingLayer, b []byte) (what string) {
	defer func() {
		if v := recover(); v != nil {
			what = fmt.Sprint("panic: ", v)
		}
	}()
	if err := l.DecodeFromBytes(b, noFeedback); err != nil {
		return err.Error()
	}
	if l, ok := l.(gopacket.Layer); ok {
		if n := len(b) - len(l.LayerContents()) - len(l.LayerPayload()); n > 0 {
			return fmt.Sprintf("payload %d bytes short", n)
		}
	}
	return "same"
}
