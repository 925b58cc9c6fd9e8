package capture

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// realHeaders are what the shared traces of nDPI have of each layer, with all
// that follows in the frame.
func realHeaders(b testing.TB) map[gopacket.LayerType][][]byte {
	const most = 4096
	out := map[gopacket.LayerType][][]byte{}
	require.NoError(b, filepath.WalkDir(testenv.Shared(b, "ndpi-traces", "pcaps"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NoError(b, err)
		file, err := openPcap(bytes.NewReader(content), &Stats{})
		var fr frame
		for n := 0; err == nil && n < 40; n++ {
			if err = file.next(&fr); err != nil || fr.link != linkEthernet {
				continue
			}
			p := gopacket.NewPacket(fr.data, layers.LinkTypeEthernet, gopacket.Lazy)
			for _, l := range p.Layers() {
				whole := concat(l.LayerContents(), l.LayerPayload())
				if t := l.LayerType(); len(out[t]) < most && len(whole) > 0 {
					out[t] = append(out[t], whole)
				}
			}
		}
		return nil
	}))
	return out
}

// BenchmarkLayers reads headers of real traffic, one layer after the other, as
// capture would itself and as gopacket does. What is as fast there and gives
// the same rows is gopacket's (docs/architecture.md).
//
//	go test ./capture -run '^$' -bench Layers -cpu 1
func BenchmarkLayers(b *testing.B) {
	headers := realHeaders(b)
	type reader func([]byte)
	var (
		h       headersOf
		ip      ipHeader
		segment segment
		p       packet
		sink    int
	)
	decode := func(l gopacket.DecodingLayer) reader {
		return func(b []byte) {
			if l.DecodeFromBytes(b, noFeedback) == nil {
				sink++
			}
		}
	}
	be := binary.BigEndian
	for _, layer := range []struct {
		of           gopacket.LayerType
		ours, theirs reader
	}{
		{layers.LayerTypeEthernet, func(b []byte) {
			if len(b) > 16 {
				sink += int(be.Uint16(b[12:])) + len(b[14:])
			}
		}, func(b []byte) {
			if h.ethernet.DecodeFromBytes(b, noFeedback) == nil {
				sink += int(h.ethernet.EthernetType) + len(h.ethernet.Payload)
			}
		}},
		{layers.LayerTypeDot1Q, func(b []byte) {
			if len(b) > 4 {
				sink += int(be.Uint16(b[2:])) + len(b[4:])
			}
		}, func(b []byte) {
			if h.vlan.DecodeFromBytes(b, noFeedback) == nil {
				sink += int(h.vlan.Type) + len(h.vlan.Payload)
			}
		}},
		{layers.LayerTypeIPv4, func(b []byte) { ip.parse4(b) }, decode(&h.ip4)},
		{layers.LayerTypeIPv6, func(b []byte) { ip.parse6(b, noReplacement) }, decode(&h.ip6)},
		{layers.LayerTypeTCP, func(b []byte) {
			p.payload, p.length, p.ipLen = b, len(b), len(b)
			segment.parse(&p)
		}, decode(&h.tcp)},
		{layers.LayerTypeUDP, func(b []byte) {
			if len(b) >= 8 {
				sink += int(be.Uint16(b)) + int(be.Uint16(b[2:])) + int(be.Uint16(b[4:])) + int(be.Uint16(b[6:]))
			}
		}, decode(&h.udp)},
		{layers.LayerTypeICMPv4, func(b []byte) {
			if len(b) >= 8 {
				sink += int(b[0]) + int(b[1])
			}
		}, func(b []byte) {
			p.proto, p.payload = protoICMP, b
			typ, code := icmpType(&p)
			sink += int(typ) + int(code)
		}},
		{layers.LayerTypeICMPv6, func(b []byte) {
			if len(b) >= 8 {
				sink += int(b[0]) + int(b[1])
			}
		}, func(b []byte) {
			p.proto, p.payload = protoICMPv6, b
			typ, code := icmpType(&p)
			sink += int(typ) + int(code)
		}},
	} {
		all := headers[layer.of]
		run := func(read reader) func(*testing.B) {
			return func(b *testing.B) {
				require.NotEmpty(b, all)
				n := 0
				for b.Loop() {
					read(all[n])
					if n++; n == len(all) {
						n = 0
					}
				}
			}
		}
		b.Run(layer.of.String()+"/ours", run(layer.ours))
		b.Run(layer.of.String()+"/gopacket", run(layer.theirs))
	}
	frames := headers[layers.LayerTypeEthernet]
	b.Run("all/ours", func(b *testing.B) {
		n := 0
		for b.Loop() {
			readAllLayers(frames[n], &ip, &segment, &p)
			if n++; n == len(frames) {
				n = 0
			}
		}
	})
	b.Run("all/DecodingLayerParser", func(b *testing.B) {
		parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &h.ethernet, &h.vlan, &h.ip4, &h.ip6, &h.tcp, &h.udp, &h.icmp4, &h.icmp6)
		parser.IgnoreUnsupported = true
		var found []gopacket.LayerType
		n := 0
		for b.Loop() {
			if parser.DecodeLayers(frames[n], &found) == nil {
				sink++
			}
			if n++; n == len(frames) {
				n = 0
			}
		}
	})
	_ = sink
}

// readAllLayers reads a frame's headers as the decoder and the table do, without
// what they check and keep.
func readAllLayers(b []byte, ip *ipHeader, s *segment, p *packet) {
	if len(b) <= 16 {
		return
	}
	typ := etherType(b[12:])
	for b = b[14:]; typ == etherVLAN && len(b) > 4; b = b[4:] {
		typ = etherType(b[2:])
	}
	switch {
	case typ == etherIPv4 && len(b) >= ipv4Header:
		ip.parse4(b)
	case typ == etherIPv6 && len(b) >= ipv6Header:
		ip.parse6(b, noReplacement)
	default:
		return
	}
	if int(ip.length) > len(b) {
		return
	}
	p.payload, p.proto = b[ip.length:], ip.next
	p.length, p.ipLen = len(p.payload), len(b)
	if _, ok := transportOf(p); ok && p.proto == protoTCP {
		s.parse(p)
	}
}

// headersOf are the headers of a frame as gopacket reads them.
type headersOf struct {
	ethernet layers.Ethernet
	vlan     layers.Dot1Q
	ip4      layers.IPv4
	ip6      layers.IPv6
	tcp      layers.TCP
	udp      layers.UDP
	icmp4    layers.ICMPv4
	icmp6    layers.ICMPv6
}
