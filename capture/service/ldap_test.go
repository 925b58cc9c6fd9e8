package service

import "testing"

func ldapDetections() []detection {
	message := func(id string, operation ...string) string {
		body := tlv(2, id)
		for _, o := range operation {
			body += o
		}
		return tlv(0x30, body)
	}
	bind := message("\x01", tlv(0x60, tlv(2, "\x03"), tlv(4), tlv(0x80)))
	result := func(op byte, code string, more ...string) string {
		body := tlv(10, code) + tlv(4) + tlv(4)
		for _, m := range more {
			body += m
		}
		return tlv(op, body)
	}
	bound := message("\x01", result(0x61, "\x00"))
	present := tlv(0x87, "objectClass")
	search := func(filter string) string {
		return message("\x02", tlv(0x63, tlv(4, "dc=x"), tlv(10, "\x02"), tlv(10, "\x00"), tlv(2, "\x00"), tlv(2, "\x00"),
			tlv(1, "\x00"), filter, tlv(0x30, tlv(4, "cn"))))
	}
	entry := message("\x02", tlv(0x64, tlv(4, "cn=y,dc=x"), tlv(0x30, tlv(0x30, tlv(4, "cn"), tlv(0x31, tlv(4, "y"))))))
	done := message("\x02", result(0x65, "\x00"))
	control := tlv(0xa0, tlv(0x30, tlv(4, "1.2.840.113556.1.4.319")))
	sasl := func(mechanism, credentials string) string {
		return message("\x01", tlv(0x60, tlv(2, "\x03"), tlv(4), tlv(0xa3, tlv(4, mechanism), tlv(4, credentials))))
	}
	startTLS := message("\x03", tlv(0x77, tlv(0x80, "1.3.6.1.4.1.1466.20037")))
	started := message("\x03", result(0x78, "\x00", tlv(0x8a, "1.3.6.1.4.1.1466.20037")))
	add := message("\x04", tlv(0x68, tlv(4, "cn=z,dc=x"), tlv(0x30)))
	wrapped := func(flags, payload string) string {
		return be32(16+len(payload)) + "\x05\x04" + flags + "\xff" + be16(0) + be16(0) + zeros(8) + payload
	}
	return []detection{
		{name: "bind", port: 389, turns: []turn{client(bind)}, want: "ldap_tcp"},
		{name: "bind on another port", port: 1389, turns: []turn{client(bind)}},
		{name: "by signature", port: 1389, turns: []turn{client(bind), server(bound)}, want: "ldap_tcp"},
		{name: "a session", port: 389, turns: []turn{client(bind), server(bound), client(search(present)), server(entry, done), client(message("\x03", tlv(0x42)))}, want: "ldap_tcp"},
		{name: "controls", port: 389, turns: []turn{client(message("\x02", tlv(0x63, tlv(4), tlv(10, "\x02"), tlv(10, "\x00"), tlv(2, "\x00"), tlv(2, "\x00"), tlv(1, "\x00"), present, tlv(0x30)), control))}, want: "ldap_tcp"},
		{name: "filters", port: 389, turns: []turn{client(search(tlv(0xa0, tlv(0xa1, present, present), tlv(0xa2, tlv(0xa3, tlv(4, "cn"), tlv(4, "y"))), tlv(0xa4, tlv(4, "cn"), tlv(0x30, tlv(0x80, "a"), tlv(0x82, "b"))))))}, want: "ldap_tcp"},
		{name: "unknown filter", port: 389, turns: []turn{client(search(tlv(0xab, present)))}},
		{name: "add, not looked into", port: 389, turns: []turn{client(add)}, want: "ldap_tcp"},
		{name: "delete", port: 389, turns: []turn{client(bind), client(message("\x02", tlv(0x4a, "cn=y,dc=x")))}},
		{name: "cut", port: 389, turns: []turn{client(bind[:len(bind)-1])}},
		{name: "cut, and closed", port: 389, turns: []turn{client(bind), client(bind[:5]), fin(true)}},
		{name: "HTTP", port: 389, turns: []turn{client("GET / HTTP/1.0\r\n\r\n")}, want: "http"},
		{name: "hello for an answer", port: 389, turns: []turn{client(bind), server("hello\r\n")}},
		{name: "inner length too large", port: 389, turns: []turn{client("\x30\x08\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00")}},
		{name: "a gap between messages", port: 389, turns: []turn{client(bind), gap(false, 20)}},
		{name: "a gap in what is passed over", port: 389, turns: []turn{client(add[:12]), gap(true, 4), client(add[16:])}, want: "ldap_tcp", whole: true},
		{name: "a gap where a byte is read", port: 389, turns: []turn{client(bind), server(bound[:10]), gap(false, 1)}, whole: true},
		{name: "a gap that is short of what is read", port: 389, turns: []turn{client(bind), server(entry[:12]), gap(false, 1)}, want: "ldap_tcp", whole: true},
		{name: "a gap inside what is read", port: 389, turns: []turn{client(bind), server(entry[:12]), gap(false, 1), server(entry[13:] + "garbage")}, want: "ldap_tcp", whole: true},
		{name: "a gap that completes what is read", port: 389, turns: []turn{client(bind), server(entry[:12]), gap(false, 6)}, whole: true},
		{name: "StartTLS", port: 389, turns: []turn{client(startTLS), server(started), client(tlsHello())}, want: "ldap_tcp,ssl"},
		{name: "StartTLS refused", port: 389, turns: []turn{client(startTLS), server(message("\x03", result(0x78, "\x02"))), client(tlsHello())}},
		{name: "SASL, then clear text", port: 389, turns: []turn{client(sasl("PLAIN", "\x00u\x00p")), server(bound), client(search(present))}, want: "ldap_tcp"},
		{name: "SASL, then sealed", port: 389, turns: []turn{client(sasl("DIGEST-MD5", "x")), server(bound), client(be32(8), "12345678"), client(be32(3), "123")}, want: "ldap_tcp"},
		{name: "SASL, then wrapped", port: 389, turns: []turn{client(sasl("GSSAPI", "x")), server(bound), client(wrapped("\x00", search(present))), server(wrapped("\x01", entry+done))}, want: "ldap_tcp"},
		{name: "SASL, then wrapped garbage", port: 389, turns: []turn{client(sasl("GSSAPI", "x")), server(bound), client(wrapped("\x00", "garbage"))}},
		{name: "SASL, then wrapped and sealed", port: 389, turns: []turn{client(sasl("GSSAPI", "x")), server(bound), client(wrapped("\x02", "garbage"))}, want: "ldap_tcp"},
		{name: "datagram", udp: true, port: 389, turns: []turn{client(search(present))}, want: "ldap_udp"},
		{name: "datagram cut", udp: true, port: 389, turns: []turn{client(search(present)[:20])}},
		{name: "two messages in a datagram", udp: true, port: 389, turns: []turn{client(search(present)), server(entry + done)}, want: "ldap_udp"},
	}
}

func TestLDAP(t *testing.T) { testDetections(t, ldapDetections()) }

func FuzzLDAP(f *testing.F) { fuzzDetections(f, ldapDetections()) }
