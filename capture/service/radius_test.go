package service

import "testing"

func radiusDetections() []detection {
	head := "\x01\x07\x00\x1a" + zeros(16)
	return []detection{
		{name: "request", udp: true, port: 1812, turns: []turn{client(head, "\x01\x06test")}, want: "radius"},
		{name: "answer alone", udp: true, port: 1812, turns: []turn{server(head)}, want: "radius"},
		{name: "another port", udp: true, port: 1645, turns: []turn{client(head, "\x01\x06test")}},
		{name: "header cut", udp: true, port: 1812, turns: []turn{client(head[:19])}},
		{name: "attribute cut", udp: true, port: 1812, turns: []turn{client(head, "\x01\x06tes")}},
		{name: "attribute without length", udp: true, port: 1812, turns: []turn{client(head, "\x01")}},
		{name: "attribute too short", udp: true, port: 1812, turns: []turn{client(head, "\x01\x01\x01\x03x")}},
		{name: "empty attribute", udp: true, port: 1812, turns: []turn{client(head, "\x01\x02")}, want: "radius"},
		{name: "a good one, then garbage", udp: true, port: 1812, turns: []turn{client(head), client("garbage")}},
	}
}

func TestRADIUS(t *testing.T) { testDetections(t, radiusDetections()) }

func FuzzRADIUS(f *testing.F) { fuzzDetections(f, radiusDetections()) }
