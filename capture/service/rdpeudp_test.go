package service

import (
	"strings"
	"testing"
)

func rdpeudpDetections() []detection {
	syn := func(ack, flags string, version string) string {
		s := ack + "\x04\x00" + flags + zeros(8) + "\x00\x01" + version
		if version == "\x01\x01" {
			s += strings.Repeat("h", 32)
		}
		return s + zeros(1200-len(s))
	}
	open := syn("\xff\xff\xff\xff", "\x10\x01", "\x00\x02")
	opened := syn("\x00\x00\x00\x01", "\x10\x05", "\x00\x02")
	return []detection{
		{name: "SYN alone", udp: true, port: 3389, turns: []turn{client(open)}},
		{name: "SYN and SYN+ACK", udp: true, port: 3389, turns: []turn{client(open), server(opened)}, want: "rdpeudp"},
		{name: "by signature", udp: true, port: 4000, turns: []turn{client(open), server(opened)}, want: "rdpeudp"},
		{name: "SYN+ACK alone", udp: true, port: 3389, turns: []turn{server(opened)}},
		{name: "version 3", udp: true, port: 3389, turns: []turn{client(syn("\xff\xff\xff\xff", "\x10\x01", "\x01\x01")),
			server(syn("\x00\x00\x00\x01", "\x10\x05", "\x01\x01")), client("abc")}, want: "rdpeudp"},
		{name: "version 3, then too short", udp: true, port: 3389, turns: []turn{client(syn("\xff\xff\xff\xff", "\x10\x01", "\x01\x01")),
			server(syn("\x00\x00\x00\x01", "\x10\x05", "\x01\x01")), client("ab")}},
		{name: "without version", udp: true, port: 3389, turns: []turn{client(syn("\xff\xff\xff\xff", "\x00\x01", "\x00\x02")), server(opened)}},
		{name: "data", udp: true, port: 3389, turns: []turn{client(open), server(opened), client("\x00\x00\x00\x01\x04\x00\x00\x0c\x00\x00\x00\x00" + zeros(8) + "x")}, want: "rdpeudp"},
		{name: "data cut", udp: true, port: 3389, turns: []turn{client(open), server(opened), client("\x00\x00\x00\x01\x04\x00\x00\x0c\x00\x00\x00\x00" + zeros(7))}},
		{name: "correlation", udp: true, port: 3389, turns: []turn{client("\xff\xff\xff\xff\x04\x00\x18\x01" + zeros(8) + zeros(32) + "\x00\x01\x00\x02"), server(opened)}, want: "rdpeudp"},
	}
}

func TestRDPEUDP(t *testing.T) { testDetections(t, rdpeudpDetections()) }

func FuzzRDPEUDP(f *testing.F) { fuzzDetections(f, rdpeudpDetections()) }
