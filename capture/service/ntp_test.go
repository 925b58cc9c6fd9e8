package service

import "testing"

func ntpDetections() []detection {
	packet := func(first byte, size int) string { return string(first) + zeros(size-1) }
	return []detection{
		{name: "client", udp: true, port: 123, turns: []turn{client(packet(0x23, 48))}, want: "ntp"},
		{name: "client and server", udp: true, port: 123, turns: []turn{client(packet(0x23, 48)), server(packet(0x24, 48))}, want: "ntp"},
		{name: "another port", udp: true, port: 124, turns: []turn{client(packet(0x23, 48)), server(packet(0x24, 48))}},
		{name: "with an authenticator", udp: true, port: 123, turns: []turn{client(packet(0x23, 68))}, want: "ntp"},
		{name: "cut", udp: true, port: 123, turns: []turn{client(packet(0x23, 47))}},
		{name: "control", udp: true, port: 123, turns: []turn{client(packet(0x16, 12))}, want: "ntp"},
		{name: "control, cut", udp: true, port: 123, turns: []turn{client(packet(0x16, 11))}},
		{name: "private", udp: true, port: 123, turns: []turn{client("\x17\x00\x03\x2a" + zeros(4))}, want: "ntp"},
		{name: "private, cut", udp: true, port: 123, turns: []turn{client("\x17\x00\x03")}},
		{name: "mode 0", udp: true, port: 123, turns: []turn{client(packet(0x20, 48))}, want: "ntp"},
		{name: "version 7", udp: true, port: 123, turns: []turn{client(packet(0x3b, 48))}, want: "ntp"},
		{name: "garbage behind a good one", udp: true, port: 123, turns: []turn{client(packet(0x23, 48)), client("garbage")}},
	}
}

func TestNTP(t *testing.T) { testDetections(t, ntpDetections()) }

func FuzzNTP(f *testing.F) { fuzzDetections(f, ntpDetections()) }
