package service

import "testing"

func dhcpDetections() []detection {
	message := func(options string) string {
		return "\x01\x01\x06\x00" + zeros(232) + "\x63\x82\x53\x63" + options
	}
	return []detection{
		{name: "discover", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x01\xff"))}, want: "dhcp"},
		{name: "another port", udp: true, port: 6767, turns: []turn{client(message("\x0c\x01x\xff"))}},
		{name: "by signature", udp: true, port: 6767, turns: []turn{client(message("\x35\x01\x01\xff"))}, want: "dhcp"},
		{name: "without type", udp: true, port: 67, turns: []turn{client(message("\x0c\x01x\xff"))}},
		{name: "without end", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x05"))}, want: "dhcp"},
		{name: "padded", udp: true, port: 67, turns: []turn{client(message("\x00\x00\x35\x01\x05\x00\xff" + zeros(20)))}, want: "dhcp"},
		{name: "wrong cookie", udp: true, port: 67, turns: []turn{client("\x01\x01\x06\x00" + zeros(232) + "\x63\x82\x53\x64\x35\x01\x01\xff")}},
		{name: "header cut", udp: true, port: 67, turns: []turn{client(message("")[:239])}},
		{name: "option cut", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x01\x0c\x05host"))}},
		{name: "length of a typed option is not used", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x01\x32\x09\x0a\x00\x00\x01\xff"))}, want: "dhcp"},
		{name: "short identifier", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x01\x3d\x00\x01\xff"))}},
		{name: "relay agent", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x01\x52\x06\x01\x01a\x02\x01b\xff"))}, want: "dhcp"},
		{name: "relay agent, again", udp: true, port: 67, turns: []turn{
			client(message("\x35\x01\x01\x52\x06\x01\x01a\x02\x01b\xff")),
			client(message("\x35\x01\x01\x52\x06\x01\x01a\x02\x01b\xff"))}},
		{name: "two types", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x00\x35\x01\x01\xff"))}},
		{name: "one of the answers is garbage", udp: true, port: 67, turns: []turn{client(message("\x35\x01\x01\xff")), server("garbage")}},
	}
}

func TestDHCP(t *testing.T) { testDetections(t, dhcpDetections()) }

func FuzzDHCP(f *testing.F) { fuzzDetections(f, dhcpDetections()) }
