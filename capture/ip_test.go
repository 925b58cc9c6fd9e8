package capture

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// readIP reads one datagram that was wire bytes long.
func readIP(t testing.TB, b []byte, wire int, o Options) ([]string, Stats) {
	t.Helper()
	rows, s := readPcap(t, appendRecord(pcapFileHeader(linkRaw), epoch*second, uint32(wire), b), o)
	var out []string
	for i := range rows {
		out = append(out, ends(&rows[i]))
	}
	require.Zero(t, s.Panics, s.FirstPanic)
	return out, s
}

// fix4 makes the checksum of an IPv4 header right again.
func fix4(b []byte) []byte {
	header := b[:min(int(b[0]&15)*4, len(b))]
	header[10], header[11] = 0, 0
	binary.BigEndian.PutUint16(header[10:], ^onesSum(0, header))
	return b
}

func TestIPAcceptance(t *testing.T) {
	change := func(b []byte, f func([]byte)) []byte {
		b = bytes.Clone(b)
		f(b)
		if b[0]>>4 == 4 {
			fix4(b)
		}
		return b
	}
	v4, v6 := udp4(t), udp6(t)
	total := func(n int) func([]byte) { return func(b []byte) { binary.BigEndian.PutUint16(b[2:], uint16(n)) } }
	payload := func(n int) func([]byte) { return func(b []byte) { binary.BigEndian.PutUint16(b[4:], uint16(n)) } }
	withOptions := fix4(concat([]byte{0x46, 0, 0, 37}, v4[4:20], []byte{1, 1, 1, 0}, v4[20:]))
	offload := Options{IgnoreChecksums: true}
	for _, tt := range []struct {
		name string
		b    []byte
		wire int // 0: as captured
		o    Options
		want string
		skip Skip
	}{
		{"as it is", v4, 0, Options{}, udp4Conn, 0},
		{"with options", withOptions, 0, Options{}, "udp 10.0.0.1:4000 192.0.2.9:5000 37", 0},
		{"version 5", change(v4, func(b []byte) { b[0] = 0x55 }), 0, Options{}, "", SkipLink},
		{"longer than on the wire", change(v4, total(34)), 0, Options{}, "", SkipLength},
		{"longer than captured only", v4[:30], 33, Options{}, udp4Conn, 0},
		{"captured up to the transport's header only", v4[:28], 33, Options{}, udp4Conn, 0},
		{"less than that", v4[:27], 33, Options{}, "", SkipTruncated},
		{"less on the wire than captured", v4, 32, Options{}, "", SkipLength},
		{"no length", change(v4, total(0)), 0, Options{}, "", SkipLength},
		{"no length: segmentation offload", change(v4, total(0)), 0, offload, "udp 10.0.0.1:4000 192.0.2.9:5000 0", 0},
		{"a length below the header", change(v4, total(19)), 0, Options{}, "", SkipLength},
		{"room for half a transport header", change(v4, total(27)), 0, Options{}, "", SkipTruncated},
		{"a header of 16 bytes", change(v4, func(b []byte) { b[0] = 0x44 }), 0, Options{}, "", SkipTruncated},
		{"a header longer than captured", change(v4, func(b []byte) { b[0] = 0x4f; b[2] = 1 }), 400, offload, "", SkipTruncated},
		{"another transport", change(v4, func(b []byte) { b[9] = 132 }), 0, Options{}, "unknown_transport 10.0.0.1:0 192.0.2.9:0 33", 0},
		{"ESP over IPv4 is one, too", change(v4, func(b []byte) { b[9] = protoESP }), 0, Options{}, "unknown_transport 10.0.0.1:0 192.0.2.9:0 33", 0},
		{"IPv6", v6, 0, Options{}, udp6Conn, 0},
		{"IPv6 longer than on the wire", change(v6, payload(14)), 0, Options{}, "", SkipLength},
		{"IPv6 without payload: the transport's header is behind it", change(v6, payload(0)), 0, offload, "udp [2001:db8::1]:4000 [2001:db8::9]:5000 40", 0},
		{"IPv6, less than a header", v6[:39], 53, Options{}, "", SkipTruncated},
		{"IPv4-mapped is IPv4", mapped(udp6(t)), 0, offload, "udp 10.0.0.1:4000 [2001:db8::9]:5000 53", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire := tt.wire
			if wire == 0 {
				wire = len(tt.b)
			}
			got, s := readIP(t, tt.b, wire, tt.o)
			if tt.want == "" {
				require.Empty(t, got)
				require.Equal(t, uint64(1), s.Skipped[tt.skip], "%v", s.Skipped)
				return
			}
			require.Equal(t, []string{tt.want}, got)
		})
	}
}

// chained puts extension headers before the UDP of udp6.
func chained(t testing.TB, first uint8, headers ...[]byte) []byte {
	v6 := udp6(t)
	chain := concat(headers...)
	b := concat(v6[:40], chain, v6[40:])
	b[6] = first
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
	return b
}

func TestExtensionHeaders(t *testing.T) {
	address := []byte{0x20, 1, 0xd, 0xb8, 15: 0x77}
	padding := func(next uint8) []byte { return []byte{next, 0, 1, 4, 0, 0, 0, 0} }
	home := concat([]byte{protoUDP, 2, 1, 2, 0, 0, optionHomeAddress, 16}, address)
	routing := func(typ, left byte, words int) []byte {
		b := make([]byte, 8+8*words)
		b[0], b[1], b[2], b[3] = protoUDP, byte(words), typ, left
		copy(b[len(b)-16:], address)
		return b
	}
	offload := Options{IgnoreChecksums: true} // changed addresses would need new ones
	const plain, from, to = "udp [2001:db8::1]:4000 [2001:db8::9]:5000 ", "udp [2001:db8::77]:4000 [2001:db8::9]:5000 ", "udp [2001:db8::1]:4000 [2001:db8::77]:5000 "
	for _, tt := range []struct {
		name string
		b    []byte
		want string
		skip Skip
	}{
		{"hop by hop", chained(t, extHopByHop, padding(protoUDP)), plain + "61", 0},
		{"a chain", chained(t, extHopByHop, padding(extDestination), padding(protoUDP)), plain + "69", 0},
		{"AH of no words", chained(t, extAH, []byte{protoUDP, 0, 0, 0, 0, 0, 0, 1}), plain + "61", 0},
		{"AH of three words", chained(t, extAH, []byte{protoUDP, 3}, make([]byte, 18)), plain + "73", 0},
		{"home address", chained(t, extDestination, home), from + "77", 0},
		{"home address, only the first", chained(t, extDestination,
			concat([]byte{extDestination}, home[1:]), concat(home[:8], make([]byte, 16))), from + "101", 0},
		{"an option that does not fit", chained(t, extDestination, []byte{protoUDP, 0, optionHomeAddress, 16, 0, 0, 0, 0}), plain + "61", 0},
		{"routing type 0", chained(t, extRouting, routing(0, 1, 4)), to + "93", 0},
		{"routing type 0, done", chained(t, extRouting, routing(0, 0, 4)), plain + "93", 0},
		{"routing type 0, odd", chained(t, extRouting, routing(0, 1, 3)), plain + "85", 0},
		{"routing type 2", chained(t, extRouting, routing(2, 1, 2)), to + "77", 0},
		{"routing type 2, too long", chained(t, extRouting, routing(2, 1, 4)), plain + "93", 0},
		{"routing type 4", chained(t, extRouting, routing(4, 1, 2)), plain + "77", 0},
		{"an atomic fragment", chained(t, extFragment, []byte{protoUDP, 0, 0, 0, 0, 0, 0, 9}), plain + "53", 0},
		{"ESP", chained(t, protoESP, make([]byte, 8)), "", SkipNoTransport},
		{"mobility", chained(t, extMobility, []byte{protoNone, 0, 0, 0, 0, 0, 0, 0}), "", SkipNoTransport},
		{"no next header", chained(t, protoNone), "", SkipNoTransport},
		{"a header that runs out of the packet", chained(t, extHopByHop, []byte{protoUDP, 200, 0, 0, 0, 0, 0, 0}),
			"unknown_transport [2001:db8::1]:0 [2001:db8::9]:0 61", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, s := readIP(t, tt.b, len(tt.b), offload)
			if tt.want == "" {
				require.Empty(t, got)
				require.Equal(t, uint64(1), s.Skipped[tt.skip], "%v", s.Skipped)
				return
			}
			require.Equal(t, []string{tt.want}, got)
		})
	}

	// Mobile IPv6: the checksum is over the addresses that the options give.
	b := chained(t, extDestination, home)
	src, udp := b[48:64], b[64:]
	udp[6], udp[7] = 0, 0
	sum := ^onesSum(uint32(onesSum(0, concat(src, b[24:40])))+protoUDP+uint32(len(udp)), udp)
	binary.BigEndian.PutUint16(udp[6:], sum)
	rows, _ := readPcap(t, appendRecord(pcapFileHeader(linkRaw), epoch*second, uint32(len(b)), b), Options{})
	require.Len(t, rows, 1)
	require.Equal(t, "D", rows[0].History)
}
