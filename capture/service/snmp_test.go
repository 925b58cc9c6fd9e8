package service

import "testing"

func snmpDetections() []detection {
	binding := tlv(0x30, tlv(0x30, tlv(6, "\x2b\x06\x01\x02\x01\x01\x01\x00"), tlv(5)))
	message := func(version string, pdu byte, bindings string) string {
		return tlv(0x30, tlv(2, version), tlv(4, "public"),
			tlv(pdu, tlv(2, "\x01\x02\x03\x04"), tlv(2, "\x00"), tlv(2, "\x00"), bindings))
	}
	request, response := message("\x00", 0xa0, binding), message("\x00", 0xa2, binding)
	v3 := func(flags string) string {
		return tlv(0x30, tlv(2, "\x03"), tlv(0x30, tlv(2, "\x01"), tlv(2, "\x05\xdc"), tlv(4, flags), tlv(2, "\x03")),
			tlv(4, tlv(0x30)), tlv(4, zeros(16)))
	}
	trap := tlv(0x30, tlv(2, "\x00"), tlv(4, "public"), tlv(0xa4, tlv(6, "\x2b\x06"), tlv(0x40, "\x0a\x00\x00\x01"),
		tlv(2, "\x06"), tlv(2, "\x01"), tlv(0x43, "\x01"), binding))
	return []detection{
		{name: "request alone", udp: true, port: 161, turns: []turn{client(request)}},
		{name: "request and response", udp: true, port: 161, turns: []turn{client(request), server(response)}, want: "snmp"},
		{name: "another port", udp: true, port: 1161, turns: []turn{client(request), server(response)}},
		{name: "version 2c", udp: true, port: 161, turns: []turn{server(message("\x01", 0xa2, binding))}, want: "snmp"},
		{name: "version 3, encrypted", udp: true, port: 161, turns: []turn{client(v3("\x07")), server(v3("\x07"))}, want: "snmp"},
		{name: "version 3 with odd flags", udp: true, port: 161, turns: []turn{server(v3("\x07\x07"))}},
		{name: "version 4", udp: true, port: 161, turns: []turn{server(message("\x04", 0xa2, binding))}, want: "snmp"},
		{name: "version of nine bytes", udp: true, port: 161, turns: []turn{server(message(zeros(9), 0xa2, binding))}, want: "snmp"},
		{name: "version of ten bytes", udp: true, port: 161, turns: []turn{server(message(zeros(10), 0xa2, binding))}},
		{name: "trap to the manager", udp: true, port: 162, turns: []turn{client(trap)}},
		{name: "trap cut", udp: true, port: 162, turns: []turn{server(response), client(trap[:len(trap)-1])}},
		{name: "no sequence", udp: true, port: 161, turns: []turn{server("\x31" + response[1:])}},
		{name: "garbage for bindings", udp: true, port: 161, turns: []turn{server(message("\x00", 0xa2, tlv(4, "garbage")))}},
		{name: "unknown PDU", udp: true, port: 161, turns: []turn{server(message("\x00", 0xaf, "garbage"))}, want: "snmp"},
		{name: "bytes behind the message", udp: true, port: 161, turns: []turn{server(response + "\x00")}},
		{name: "response, then garbage", udp: true, port: 161, turns: []turn{server(response), client("garbage")}},
		{name: "length of two bytes", udp: true, port: 161, turns: []turn{server(message("\x00", 0xa2, tlv(0x30, tlv(0x30, tlv(6, "\x2b\x06"), tlv(4, zeros(300))))))}, want: "snmp"},
	}
}

func TestSNMP(t *testing.T) { testDetections(t, snmpDetections()) }

func FuzzSNMP(f *testing.F) { fuzzDetections(f, snmpDetections()) }
