package service

import "testing"

func rdpDetections() []detection {
	tpkt := func(s string) string { return "\x03\x00" + be16(4+len(s)) + s }
	ask := func(more string) string {
		return tpkt(string([]byte{byte(6 + len(more))}) + "\xe0\x00\x00\x00\x00\x00" + more)
	}
	cookie, negotiate := "Cookie: mstshash=me\r\n", "\x01\x00\x08\x00\x03\x00\x00\x00"
	confirm := func(more string) string {
		return tpkt(string([]byte{byte(6 + len(more))}) + "\xd0\x00\x00\x12\x34\x00" + more)
	}
	selected := func(n byte) string { return confirm("\x02\x1f\x08\x00" + string([]byte{n, 0, 0, 0})) }
	block := func(kind, size int) string { return le16(kind) + le16(size) + zeros(size-4) }
	key := "\x00\x05\x00\x14\x7c\x00\x01"
	conference := func(blocks string) string {
		inner := key + "\x81\x2a" + "\x00\x08\x00\x10\x00\x01\xc0\x00" + "Duca\x81\x1c" + blocks
		body := "\x04\x01\x01\x04\x01\x01\x01\x01\xff" + tlv(0x30, zeros(24)) + tlv(0x30, zeros(24)) + tlv(0x30, zeros(24)) +
			"\x04\x82" + be16(len(inner)) + inner
		return tpkt("\x02\xf0\x80\x7f\x65\x82" + be16(len(body)) + body)
	}
	answer := func(blocks string) string {
		inner := key + "\x2a" + "\x14\x76\x0a\x01\x01\x00\x01\xc0\x00" + "McDn\x81\x08" + blocks
		body := "\x0a\x01\x00\x02\x01\x00" + tlv(0x30, zeros(24)) + "\x04\x82" + be16(len(inner)) + inner
		return tpkt("\x02\xf0\x80\x7f\x66\x82" + be16(len(body)) + body)
	}
	core := block(0xc001, 216)
	return []detection{
		{name: "negotiation alone", port: 3389, turns: []turn{client(ask(cookie + negotiate)), server(selected(0))}},
		{name: "conference", port: 3389, turns: []turn{client(ask(cookie)), server(confirm("")), client(conference(core))}, want: "rdp"},
		{name: "conference by signature", port: 4000, turns: []turn{client(ask(cookie)), server(confirm("")), client(conference(core))}, want: "rdp"},
		{name: "conference without core data", port: 3389, turns: []turn{client(conference(block(0xc004, 12) + zeros(200)))}},
		{name: "core data cut", port: 3389, turns: []turn{client(conference(block(0xc001, 100) + block(0xeeee, 100)))}},
		{name: "block shorter than its head", port: 3389, turns: []turn{client(conference(core + "\x02\xc0\x03\x00"))}},
		{name: "answer alone", port: 3389, turns: []turn{server(answer(block(0x0c01, 12)))}, want: "rdp"},
		{name: "server without encryption", port: 3389, turns: []turn{client(conference(core)), server(answer(block(0x0c01, 8) + block(0x0c02, 20))), client("garbage")}},
		{name: "TLS", port: 3389, turns: []turn{client(ask(cookie + negotiate)), server(selected(1)), client(tlsHello())}, want: "ssl"},
		{name: "TLS refused", port: 3389, turns: []turn{client(ask(negotiate)), server(confirm("\x03\x00\x08\x00\x05\x00\x00\x00")), client(conference(core))}, want: "rdp"},
		{name: "unknown answer", port: 3389, turns: []turn{client(conference(core)), server(confirm("\x04\x00\x08\x00\x05\x00\x00\x00"))}},
		{name: "cookie without end", port: 3389, turns: []turn{client(conference(core)), client(ask("Cookie: mstshash=me"))}},
		{name: "odd request", port: 3389, turns: []turn{client(conference(core)), client(ask("\x01\x00\x09\x00\x03\x00\x00\x00"))}},
		{name: "behind a gap", port: 3389, turns: []turn{gap(false, 10), client(conference(core))}},
		{name: "garbage", port: 3389, turns: []turn{client("\x03\x01garbage, garbage")}},
	}
}

func TestRDP(t *testing.T) { testDetections(t, rdpDetections()) }

func FuzzRDP(f *testing.F) { fuzzDetections(f, rdpDetections()) }
