package service

import (
	"encoding/binary"
	"testing"
)

// dnp3Frame is a link frame: its header, and its data in checksummed pieces.
func dnp3Frame(control string, data string) string {
	head := "\x05\x64" + string([]byte{byte(5 + len(data))}) + control + "\x04\x00\x03\x00"
	sum := func(s string) string {
		return s + string(binary.LittleEndian.AppendUint16(nil, dnp3CRC([]byte(s))))
	}
	frame := sum(head)
	for len(data) > 0 {
		n := min(16, len(data))
		frame += sum(data[:n])
		data = data[n:]
	}
	return frame
}

func dnp3Detections() []detection {
	// The transport byte, application control, function and objects.
	read := dnp3Frame("\xc4", "\xc0\xc0\x01\x3c\x02\x06\x3c\x03\x06")
	answer := dnp3Frame("\x44", "\xc0\xc0\x81\x00\x00")
	long := dnp3Frame("\x44", "\xc0\xc0\x81\x00\x00\x01\x02\x00\x00\x13"+zeros(20))
	badHead := []byte(read)
	badHead[8] ^= 1
	badData := []byte(read)
	badData[len(badData)-1] ^= 1
	return []detection{
		{name: "read", port: 20000, turns: []turn{client(read)}, want: "dnp3_tcp"},
		{name: "read and answer", port: 20000, turns: []turn{client(read), server(answer)}, want: "dnp3_tcp"},
		{name: "answer by signature", port: 4000, turns: []turn{client(read), server(answer)}, want: "dnp3_tcp"},
		{name: "request alone on another port", port: 4000, turns: []turn{client(read)}},
		{name: "header alone", port: 20000, turns: []turn{client(read[:10])}},
		{name: "header and transport byte", port: 20000, turns: []turn{client(read[:11])}, want: "dnp3_tcp"},
		{name: "wrong checksum of the header", port: 20000, turns: []turn{client(string(badHead))}},
		{name: "wrong checksum of the data", port: 20000, turns: []turn{client(string(badData))}, want: "dnp3_tcp"},
		{name: "no DNP3, then DNP3", port: 20000, turns: []turn{client("\x05\x63", read[2:]), client(read)}},
		{name: "data in two pieces", port: 20000, turns: []turn{server(long)}, want: "dnp3_tcp"},
		{name: "a message in two frames", port: 20000, turns: []turn{
			server(dnp3Frame("\x44", "\x40\xc0\x81\x00\x00\x01\x02\x00\x00\x00"), dnp3Frame("\x44", "\x81\x01"))}, want: "dnp3_tcp"},
		{name: "second frame first", port: 20000, turns: []turn{server(dnp3Frame("\x44", "\x81\x01"))}, want: "dnp3_tcp"},
		{name: "objects cut", port: 20000, turns: []turn{server(dnp3Frame("\x44", "\xc0\xc0\x81\x00\x00\x01\x02\x00\x00\x13"+zeros(10)))}},
		{name: "unknown function", port: 20000, turns: []turn{client(dnp3Frame("\xc4", "\xc0\xc0\x7a\x01"))}, want: "dnp3_tcp"},
		{name: "link layer only", port: 20000, turns: []turn{client(dnp3Frame("\xc0", ""), "\x00")}, want: "dnp3_tcp"},
		{name: "no body at all", port: 20000, turns: []turn{client("\x05\x64\x00\xc4\x04\x00\x03\x00", string(binary.LittleEndian.AppendUint16(nil, dnp3CRC([]byte("\x05\x64\x00\xc4\x04\x00\x03\x00")))), "\xc0")}},
		{name: "datagrams", udp: true, port: 20000, turns: []turn{client(read), server(answer)}, want: "dnp3_udp"},
		{name: "datagram with a wrong checksum", udp: true, port: 20000, turns: []turn{client(string(badHead))}},
	}
}

func TestDNP3(t *testing.T) { testDetections(t, dnp3Detections()) }

func FuzzDNP3(f *testing.F) { fuzzDetections(f, dnp3Detections()) }
