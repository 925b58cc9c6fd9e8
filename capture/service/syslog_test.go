package service

import "testing"

func syslogDetections() []detection {
	return []detection{
		{name: "with a priority", udp: true, port: 514, turns: []turn{client("<13>Oct 11 22:14:15 host su: hello")}, want: "syslog"},
		{name: "without", udp: true, port: 514, turns: []turn{client("hello")}, want: "syslog"},
		{name: "from the server", udp: true, port: 514, turns: []turn{server("hello")}, want: "syslog"},
		{name: "another port", udp: true, port: 5140, turns: []turn{client("<13>hello")}},
		{name: "priority not closed", udp: true, port: 514, turns: []turn{client("<13hello")}},
		{name: "priority not a number", udp: true, port: 514, turns: []turn{client("<x>hello")}},
		{name: "priority empty", udp: true, port: 514, turns: []turn{client("<>hello")}},
		{name: "priority alone", udp: true, port: 514, turns: []turn{client("<13>")}, want: "syslog"},
		{name: "greatest priority", udp: true, port: 514, turns: []turn{client("<9223372036854775807>")}, want: "syslog"},
		{name: "priority too great", udp: true, port: 514, turns: []turn{client("<9223372036854775808>")}},
		{name: "bad one behind a good one", udp: true, port: 514, turns: []turn{client("<13>hello"), client("<13")}},
		{name: "good one behind a bad one", udp: true, port: 514, turns: []turn{client("<13"), client("<13>hello")}},
		{name: "nothing", udp: true, port: 514, turns: []turn{client("hello"), client("")}},
	}
}

func TestSyslog(t *testing.T) { testDetections(t, syslogDetections()) }

func FuzzSyslog(f *testing.F) { fuzzDetections(f, syslogDetections()) }
