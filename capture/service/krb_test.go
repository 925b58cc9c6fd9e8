package service

import "testing"

func krbName(parts ...string) string {
	var list string
	for _, p := range parts {
		list += tlv(0x1b, p)
	}
	return tlv(0x30, tlv(0xa0, tlv(2, "\x01")), tlv(0xa1, tlv(0x30, list)))
}

// krbRequest is an AS-REQ (10) or TGS-REQ (12).
func krbRequest(kind byte, preauth, options string) string {
	return tlv(0x60+kind, tlv(0x30, tlv(0xa1, tlv(2, "\x05")), tlv(0xa2, tlv(2, string(kind))), preauth,
		tlv(0xa4, tlv(0x30, tlv(0xa0, options), tlv(0xa1, krbName("user")), tlv(0xa2, tlv(0x1b, "REALM")),
			tlv(0xa3, krbName("krbtgt", "REALM")), tlv(0xa5, tlv(0x18, "20370913024805Z")), tlv(0xa7, tlv(2, "\x01")),
			tlv(0xa8, tlv(0x30, tlv(2, "\x12"), tlv(2, "\x17")))))))
}

func krbDetections() []detection {
	encrypted := tlv(0x30, tlv(0xa0, tlv(2, "\x12")), tlv(0xa2, tlv(4, "secret")))
	ticket := tlv(0x61, tlv(0x30, tlv(0xa0, tlv(2, "\x05")), tlv(0xa1, tlv(0x1b, "REALM")),
		tlv(0xa2, krbName("krbtgt", "REALM")), tlv(0xa3, encrypted)))
	options := tlv(3, "\x00\x50\x80\x00\x00")
	request := krbRequest(10, "", options)
	apRequest := tlv(0x6e, tlv(0x30, tlv(0xa0, tlv(2, "\x05")), tlv(0xa1, tlv(2, "\x0e")), tlv(0xa2, tlv(3, zeros(5))),
		tlv(0xa3, ticket), tlv(0xa4, encrypted)))
	preauth := func(kind, data string) string {
		return tlv(0xa3, tlv(0x30, tlv(0x30, tlv(0xa1, tlv(2, kind)), tlv(0xa2, tlv(4, data)))))
	}
	tgsRequest := krbRequest(12, preauth("\x01", apRequest), options)
	reply := tlv(0x6b, tlv(0x30, tlv(0xa0, tlv(2, "\x05")), tlv(0xa1, tlv(2, "\x0b")), tlv(0xa3, tlv(0x1b, "REALM")),
		tlv(0xa4, krbName("user")), tlv(0xa5, ticket), tlv(0xa6, encrypted)))
	failure := func(code, data string) string {
		return tlv(0x7e, tlv(0x30, tlv(0xa0, tlv(2, "\x05")), tlv(0xa1, tlv(2, "\x1e")), tlv(0xa4, tlv(0x18, "20370913024805Z")),
			tlv(0xa5, tlv(2, "\x01")), tlv(0xa6, tlv(2, code)), tlv(0xa9, tlv(0x1b, "REALM")),
			tlv(0xaa, krbName("krbtgt", "REALM")), tlv(0xac, tlv(4, data))))
	}
	tcp := func(message string) string { return be32(len(message)) + message }
	return []detection{
		{name: "request over TCP", port: 88, turns: []turn{client(tcp(request))}, want: "krb_tcp"},
		{name: "request and reply over TCP", port: 88, turns: []turn{client(tcp(request)), server(tcp(reply))}, want: "krb_tcp"},
		{name: "TCP by signature", port: 8888, turns: []turn{client(tcp(request))}, want: "krb_tcp"},
		{name: "length too small", port: 88, turns: []turn{client(be32(len(request)-1), request)}},
		{name: "length too large", port: 88, turns: []turn{client(be32(len(request)+1), request)}},
		{name: "length that wraps", port: 88, turns: []turn{client("\xff\xff\xff\xff", request)}},
		{name: "after a gap", port: 88, turns: []turn{gap(true, 100), client(tcp(request))}},
		{name: "request", udp: true, port: 88, turns: []turn{client(request)}, want: "krb"},
		{name: "request by signature", udp: true, port: 8888, turns: []turn{client(request)}, want: "krb"},
		{name: "ticket request", udp: true, port: 88, turns: []turn{client(tgsRequest)}, want: "krb"},
		{name: "ticket request, damaged behind the ticket", udp: true, port: 88, turns: []turn{client(krbRequest(12, preauth("\x01", apRequest), tlv(3, "\x00\x50")))}},
		{name: "encrypted time", udp: true, port: 88, turns: []turn{client(krbRequest(10, tlv(0xa3, tlv(0x30, tlv(0x30, tlv(0xa1, tlv(2, "\x02")), tlv(0xa2, encrypted)))), options))}, want: "krb"},
		{name: "unknown preauthentication", udp: true, port: 88, turns: []turn{client(krbRequest(10, preauth("\x80", "x"), options))}, want: "krb"},
		{name: "options cut", udp: true, port: 88, turns: []turn{client(krbRequest(10, "", tlv(3, "\x00\x50\x80")))}},
		{name: "name cut", udp: true, port: 88, turns: []turn{client(request[:60])}},
		{name: "reply", udp: true, port: 88, turns: []turn{client(request), server(reply)}, want: "krb"},
		{name: "AP-REQ", udp: true, port: 88, turns: []turn{client(apRequest)}, want: "krb"},
		{name: "PRIV", udp: true, port: 88, turns: []turn{client(tlv(0x75, tlv(0xa0, tlv(2, "\x05")), tlv(0xa1, tlv(2, "\x15")), tlv(0xa3, encrypted)))}, want: "krb"},
		{name: "SAFE", udp: true, port: 88, turns: []turn{client(tlv(0x74, tlv(0xa0, tlv(2, "\x05")), tlv(0xa1, tlv(2, "\x14")), tlv(0xa2, tlv(0x30, tlv(0xa0, tlv(4, "x")))), tlv(0xa3, tlv(2, "\x01")), tlv(0xa4, tlv(4, "y"))))}},
		{name: "CRED", udp: true, port: 88, turns: []turn{client(tlv(0x76, tlv(0x30, tlv(0xa0, tlv(2, "\x05")), tlv(0xa1, tlv(2, "\x16")), tlv(0xa2, tlv(0x30, ticket)), tlv(0xa3, encrypted))))}},
		{name: "error", udp: true, port: 88, turns: []turn{server(failure("\x06", "text"))}, want: "krb"},
		{name: "error that asks for preauthentication", udp: true, port: 88, turns: []turn{server(failure("\x19", tlv(0x30, tlv(0x30, tlv(0xa1, tlv(2, "\x13")), tlv(0xa2, tlv(4, "any"))))))}, want: "krb"},
		{name: "unknown message", udp: true, port: 88, turns: []turn{client(tlv(0x6f+8, tlv(0x30, "x")))}},
		{name: "good, then garbage", udp: true, port: 88, turns: []turn{client(request), server("garbage")}},
	}
}

func TestKRB(t *testing.T) { testDetections(t, krbDetections()) }

func FuzzKRBTCP(f *testing.F) { fuzzDetections(f, krbDetections()) }

func FuzzKRB(f *testing.F) {
	table := krbDetections()
	for len(table) > 0 && !table[0].udp {
		table = table[1:]
	}
	fuzzDetections(f, table)
}
