package service

import "testing"

// dceRPC is a PDU of DCE/RPC, little endian.
func dceRPCPDU(kind byte, flags byte, call int, body string) string {
	return "\x05\x00" + string([]byte{kind, flags}) + "\x10\x00\x00\x00" + le16(16+len(body)) + le16(0) + le32(call) + body
}

func dceRPCBind() string {
	return dceRPCPDU(11, 3, 1, le16(4280)+le16(4280)+le32(0)+"\x01\x00\x00\x00"+
		le16(0)+"\x01\x00"+zeros(20)+zeros(20))
}

func dceRPCDetections() []detection {
	ack := dceRPCPDU(12, 3, 1, le16(4280)+le16(4280)+le32(0)+le16(4)+"135\x00"+"\x00\x00"+"\x01\x00\x00\x00"+zeros(24))
	request := dceRPCPDU(0, 3, 2, le32(4)+le16(0)+le16(3)+"abcd")
	response := dceRPCPDU(2, 3, 2, le32(4)+le16(0)+"\x00\x00"+"abcd")
	bind := dceRPCBind()
	withAuth := func(kind byte, blob string) string {
		body := bind[16:]
		return "\x05\x00\x0b\x03\x10\x00\x00\x00" + le16(16+len(body)+8+len(blob)) + le16(len(blob)) + le32(1) + body +
			string([]byte{kind, 6, 0, 0}) + zeros(4) + blob
	}
	bigEndian := "\x05\x00\x0b\x03\x00\x00\x00\x00" + be16(16+56) + be16(0) + be32(1) + be16(4280) + be16(4280) + be32(0) + "\x01\x00\x00\x00" +
		be16(0) + "\x01\x00" + zeros(40)
	ntlm := "NTLMSSP\x00" + le32(1) + le32(0) + zeros(16)
	return []detection{
		{name: "bind", port: 135, turns: []turn{client(bind)}, want: "dce_rpc"},
		{name: "bind by signature", port: 5000, turns: []turn{client(bind)}, want: "dce_rpc"},
		{name: "a call", port: 135, turns: []turn{client(bind), server(ack), client(request), server(response)}, want: "dce_rpc"},
		{name: "big endian", port: 135, turns: []turn{client(bigEndian)}, want: "dce_rpc"},
		{name: "cut", port: 135, turns: []turn{client(bind[:len(bind)-1])}},
		{name: "version 4", port: 135, turns: []turn{client("\x04" + bind[1:])}},
		{name: "contexts missing", port: 135, turns: []turn{client(dceRPCPDU(11, 3, 1, le16(4280)+le16(4280)+le32(0)+"\x02\x00\x00\x00"))}},
		{name: "a violation does not count", port: 135, turns: []turn{client(bind), server("HTTP/1.0 400 Bad Request\r\n\r\n")}, want: "dce_rpc"},
		{name: "behind a gap", port: 135, turns: []turn{gap(true, 100), client(bind)}},
		{name: "fragments", port: 135, turns: []turn{client(dceRPCPDU(0, 1, 2, zeros(20)))}, want: "dce_rpc"},
		{name: "fragment of nothing", port: 135, turns: []turn{client(dceRPCPDU(0, 2, 2, ""))}, want: "dce_rpc"},
		{name: "NTLM", port: 135, turns: []turn{client(withAuth(10, ntlm))}, want: "ntlm,dce_rpc"},
		{name: "SPNEGO", port: 135, turns: []turn{client(withAuth(9, tlv(0x60, tlv(6, "\x2b\x06\x01\x05\x05\x02"), tlv(0xa0, tlv(0x30, tlv(0xa2, tlv(4, ntlm)))))))}, want: "ntlm,gssapi,dce_rpc"},
		{name: "Kerberos", port: 135, turns: []turn{client(withAuth(16, "whatever"))}, want: "dce_rpc"},
		{name: "on UDP", udp: true, port: 135, turns: []turn{client(bind)}},
	}
}

func TestDCERPC(t *testing.T) { testDetections(t, dceRPCDetections()) }

func FuzzDCERPC(f *testing.F) { fuzzDetections(f, dceRPCDetections()) }
