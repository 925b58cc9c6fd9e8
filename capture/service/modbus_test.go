package service

import "testing"

func modbusDetections() []detection {
	request := "\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x02"
	response := "\x00\x01\x00\x00\x00\x07\x01\x03\x04\x00\x2a\x00\x2b"
	return []detection{
		{name: "request", port: 502, turns: []turn{client(request)}, want: "modbus"},
		{name: "request and response", port: 502, turns: []turn{client(request), server(response)}, want: "modbus"},
		{name: "response alone", port: 502, turns: []turn{server(response)}, want: "modbus"},
		{name: "another port", port: 503, turns: []turn{client(request), server(response)}},
		{name: "cut", port: 502, turns: []turn{client(request[:11])}},
		{name: "protocol 1", port: 502, turns: []turn{client("\x00\x01\x00\x01\x00\x06\x01\x03\x00\x00\x00\x02")}},
		{name: "length 1", port: 502, turns: []turn{client("\x00\x01\x00\x00\x00\x01\x01\x03\x00\x00\x00\x02")}},
		{name: "too short for its function", port: 502, turns: []turn{client("\x00\x01\x00\x00\x00\x05\x01\x03\x00\x00\x00")}},
		{name: "longer than its function", port: 502, turns: []turn{client("\x00\x01\x00\x00\x00\x08\x01\x03\x00\x00\x00\x02\xff\xff")}, want: "modbus"},
		{name: "unknown function", port: 502, turns: []turn{client("\x00\x01\x00\x00\x00\x03\x01\x63\x00")}, want: "modbus"},
		{name: "exception", port: 502, turns: []turn{server("\x00\x01\x00\x00\x00\x03\x01\x83\x02")}, want: "modbus"},
		{name: "exception without code", port: 502, turns: []turn{server("\x00\x01\x00\x00\x00\x02\x01\x83")}},
		{name: "odd registers", port: 502, turns: []turn{client(request), server("\x00\x01\x00\x00\x00\x06\x01\x03\x03\x00\x2a\x00")}},
		{name: "garbage behind a good one", port: 502, turns: []turn{client(request), client("GET / HTTP/1.0\r\n\r\n")}},
		{name: "behind a gap", port: 502, turns: []turn{client(request), gap(true, 12), client("garbage, garbage")}, want: "modbus"},
		{name: "write coils", port: 502, turns: []turn{client("\x00\x01\x00\x00\x00\x08\x01\x0f\x00\x01\x00\x03\x01\x05")}, want: "modbus"},
		{name: "file record", port: 502, turns: []turn{client("\x00\x01\x00\x00\x00\x0a\x01\x14\x07\x06\x00\x01\x00\x02\x00\x03")}, want: "modbus"},
	}
}

func TestModbus(t *testing.T) { testDetections(t, modbusDetections()) }

func FuzzModbus(f *testing.F) { fuzzDetections(f, modbusDetections()) }
