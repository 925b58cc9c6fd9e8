package service

import "testing"

func dnsDetections() []detection {
	const (
		query    = "\x01\x00"
		response = "\x81\x80"
	)
	question := "\x01a\x03com\x00" + be16(dnsA) + be16(1)
	record := func(kind int, data ...string) string {
		d := ""
		for _, s := range data {
			d += s
		}
		return "\xc0\x0c" + be16(kind) + be16(1) + be32(300) + be16(len(d)) + d
	}
	message := func(flags string, questions, answers int, parts ...string) string {
		m := "\x12\x34" + flags + be16(questions) + be16(answers) + be32(0)
		for _, p := range parts {
			m += p
		}
		return m
	}
	ask := message(query, 1, 0, question)
	answer := message(response, 1, 1, question, record(dnsA, "\x01\x02\x03\x04"))
	framed := func(m string) string { return be16(len(m)) + m }
	return []detection{
		{name: "query", udp: true, port: 53, turns: []turn{client(ask)}, want: "dns"},
		{name: "query and response", udp: true, port: 53, turns: []turn{client(ask), server(answer)}, want: "dns"},
		{name: "another port", udp: true, port: 5300, turns: []turn{client(ask), server(answer)}},
		{name: "multicast's port", udp: true, port: 5353, turns: []turn{client(ask)}, want: "dns"},
		{name: "LLMNR's port", udp: true, port: 5355, turns: []turn{client(ask)}, want: "dns"},
		{name: "header cut", udp: true, port: 53, turns: []turn{client(ask[:11])}},
		{name: "question cut", udp: true, port: 53, turns: []turn{client(ask[:len(ask)-1])}},
		{name: "no questions", udp: true, port: 53, turns: []turn{client(message(query, 0, 0))}, want: "dns"},
		{name: "too many questions", udp: true, port: 53, turns: []turn{client(ask), client(message(query, dnsMaxQueries+1, 0, question))}},
		{name: "an update", udp: true, port: 53, turns: []turn{client(message("\x28\x00", 1, 0, question))}},
		{name: "an update of NetBIOS", udp: true, port: 137, turns: []turn{client(message("\x28\x00", 1, 0, question))}, want: "dns"},
		{name: "answer cut", udp: true, port: 53, turns: []turn{server(answer[:len(answer)-1])}},
		{name: "address of three bytes", udp: true, port: 53, turns: []turn{server(message(response, 1, 1, question, record(dnsA, "\x01\x02\x03")))}},
		{name: "text", udp: true, port: 53, turns: []turn{server(message(response, 1, 1, question, record(dnsTXT, "\x03abc")))}, want: "dns"},
		{name: "text longer than its record", udp: true, port: 53, turns: []turn{server(message(response, 1, 1, question, record(dnsTXT, "\x09abc")))}},
		{name: "unknown type", udp: true, port: 53, turns: []turn{server(message(response, 1, 1, question, record(999, "abc")))}, want: "dns"},
		{name: "pointer to itself", udp: true, port: 53, turns: []turn{client(message(query, 1, 0, "\xc0\x0c"+be16(dnsA)+be16(1)))}, want: "dns"},
		{name: "more answers than there are", udp: true, port: 53, turns: []turn{server(message(response, 1, 2, question, record(dnsA, "\x01\x02\x03\x04")))}},
		{name: "TCP", port: 53, turns: []turn{client(framed(ask)), server(framed(answer))}, want: "dns"},
		{name: "TCP, two in a block", port: 53, turns: []turn{client(framed(ask[:5]) + framed(ask))}, want: "dns"},
		{name: "TCP, not closed yet", port: 53, turns: []turn{client("\xff\xff" + ask)}},
		{name: "TCP, cut by a FIN", port: 53, turns: []turn{client("\xff\xff" + ask), fin(true)}, want: "dns"},
		{name: "TCP, another port", port: 54, turns: []turn{client(framed(ask)), server(framed(answer))}},
	}
}

func TestDNS(t *testing.T) { testDetections(t, dnsDetections()) }

func FuzzDNS(f *testing.F) { fuzzDetections(f, dnsDetections()) }

func FuzzDNSOverTCP(f *testing.F) {
	var table []detection
	for _, d := range dnsDetections() {
		if !d.udp {
			table = append(table, d)
		}
	}
	fuzzDetections(f, table)
}
