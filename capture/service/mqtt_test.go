package service

import "testing"

func mqttDetections() []detection {
	connect := "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test"
	publish := "\x30\x07\x00\x03a/bhi"
	return []detection{
		{name: "connect", port: 1883, whole: true, turns: []turn{client(connect)}, want: "mqtt"},
		{name: "by signature", port: 4000, whole: true, turns: []turn{client(connect)}, want: "mqtt"},
		{name: "old protocol name", port: 1883, whole: true, turns: []turn{client("\x10\x12\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x04test")}, want: "mqtt"},
		{name: "with will, user and password", port: 1883, whole: true, turns: []turn{client("\x10\x19\x00\x04MQTT\x04\xc6\x00\x3c\x00\x01c\x00\x01t\x00\x01m\x00\x01u\x00\x01p")}, want: "mqtt"},
		{name: "will missing", port: 1883, whole: true, turns: []turn{client("\x10\x10\x00\x04MQTT\x04\x06\x00\x3c\x00\x04test")}},
		{name: "cut by a segment", port: 1883, whole: true, turns: []turn{client(connect[:8]), client(connect[8:])}},
		{name: "publish", port: 1883, whole: true, turns: []turn{server(publish)}, want: "mqtt"},
		{name: "publish with an identifier", port: 1883, whole: true, turns: []turn{client("\x32\x07\x00\x03a/b\x00\x01")}, want: "mqtt"},
		{name: "publish without its identifier", port: 1883, whole: true, turns: []turn{client("\x32\x05\x00\x03a/b")}},
		{name: "garbage behind a packet in its segment", port: 1883, whole: true, turns: []turn{client(connect, "\xff\xff\xff")}, want: "mqtt"},
		{name: "ping", port: 1883, whole: true, turns: []turn{client("\xc0\x00"), server("\xd0\x00")}},
		{name: "answer cut", port: 1883, whole: true, turns: []turn{client(connect), server("\x20\x02\x00")}},
		{name: "length of four bytes", port: 1883, whole: true, turns: []turn{client(connect), client("\x30\x87\x80\x80\x00\x00\x03a/bhi")}},
		{name: "subscribe", port: 1883, whole: true, turns: []turn{client(connect), client("\x82\x08\x00\x01\x00\x03a/b\x00"), server("\x90\x03\x00\x01\x00")}, want: "mqtt"},
		{name: "subscribe cut", port: 1883, whole: true, turns: []turn{client(connect), client("\x82\x07\x00\x01\x00\x03a/b")}},
		{name: "unsubscribe", port: 1883, whole: true, turns: []turn{client(connect), client("\xa2\x07\x00\x01\x00\x03a/b")}, want: "mqtt"},
		{name: "datagram", udp: true, port: 1883, turns: []turn{client(connect)}},
	}
}

func TestMQTT(t *testing.T) { testDetections(t, mqttDetections()) }

func FuzzMQTT(f *testing.F) { fuzzDetections(f, mqttDetections()) }
