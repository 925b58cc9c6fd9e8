package service

import "testing"

func postgresqlDetections() []detection {
	sized := func(s string) string { return be32(len(s)+4) + s }
	startup := sized("\x00\x03\x00\x00user\x00me\x00database\x00db\x00\x00")
	askSSL := sized("\x04\xd2\x16\x2f")
	message := func(kind, body string) string { return kind + sized(body) }
	ok := message("R", be32(0)) + message("S", "TimeZone\x00UTC\x00") + message("K", zeros(8)) + message("Z", "I")
	query := message("Q", "select 1\x00")
	row := message("T", "\x00\x01x"+zeros(19)) + message("D", "\x00\x01\x00\x00\x00\x011") + message("C", "SELECT 1\x00") + message("Z", "I")
	start := func(more ...turn) []turn { return append([]turn{client(startup)}, more...) }
	return []detection{
		{name: "startup", port: 5432, turns: start(), want: "postgresql"},
		{name: "startup cut", port: 5432, turns: []turn{client(startup[:len(startup)-1])}},
		{name: "first numbers alone", port: 5432, whole: true, turns: []turn{client(startup[:8])}},
		{name: "startup on another port", port: 15432, turns: start()},
		{name: "by signature", port: 15432, turns: start(server(ok)), want: "postgresql"},
		{name: "a session", port: 5432, turns: start(server(ok), client(query), server(row), client(message("X", ""))), want: "postgresql"},
		{name: "a session in mid-stream", port: 5432, turns: start(server(ok), client(query), server(row), fin(true), fin(false)), want: "postgresql"},
		{name: "closed inside a message", port: 5432, turns: start(server(ok), client(query[:5]), fin(true))},
		{name: "version 2", port: 5432, turns: []turn{client(sized("\x00\x02\x00\x00user\x00me\x00\x00"))}},
		{name: "cancel request", port: 5432, turns: []turn{client(sized("\x04\xd2\x16\x2e" + zeros(8)))}},
		{name: "length 7", port: 5432, turns: []turn{client(be32(7))}},
		{name: "startup that does not end", port: 5432, turns: []turn{client(sized("\x00\x03\x00\x00user\x00me\x00\x01"))}},
		{name: "strange parameter", port: 5432, turns: []turn{client(sized("\x00\x03\x00\x00us er\x00me\x00\x00"))}},
		{name: "strange value", port: 5432, turns: []turn{client(sized("\x00\x03\x00\x00user\x00\xc3\xa4\x00\x00"))}},
		{name: "SSL asked for", port: 5432, turns: []turn{client(askSSL)}},
		{name: "SSL refused", port: 5432, turns: []turn{client(askSSL), server("N"), client(startup), server(ok)}, want: "postgresql"},
		{name: "SSL refused, then garbage", port: 5432, turns: []turn{client(askSSL), server("N"), client("GET / HTTP/1.0\r\n\r\n")}},
		{name: "SSL", port: 5432, turns: []turn{client(askSSL), server("S"), client(tlsHello())}, want: "postgresql,ssl"},
		{name: "SSL by signature", port: 15432, turns: []turn{client(askSSL), server("S"), client(tlsHello())}, want: "postgresql,ssl"},
		{name: "SSL after one side closed", port: 5432, turns: []turn{client(askSSL), server("S"), fin(false), client(tlsHello())}, want: "postgresql"},
		{name: "no answer to SSL", port: 5432, turns: []turn{client(askSSL), server("E"), client("garbage")}},
		{name: "hello before the answer", port: 5432, whole: true, turns: []turn{client(askSSL), client(tlsHello()), server("S"), client("x")}, want: "postgresql,ssl"},
		{name: "too much before the answer", port: 5432, whole: true, turns: []turn{client(askSSL), client("a"), client("b"), client("c"), client("d"), client("e"), server("S")}},
		{name: "server first", port: 5432, whole: true, turns: []turn{server(ok), client(startup), server(row)}, want: "postgresql"},
		{name: "server first, and long", port: 5432, whole: true, turns: []turn{server("a"), server("b"), server("c"), server("d"), server("e"), client(startup)}},
		{name: "wrong key", port: 5432, turns: start(server(message("K", zeros(7))))},
		{name: "long key", port: 5432, turns: start(server(message("K", zeros(9))))},
		{name: "unknown authentication", port: 5432, turns: start(server(message("R", be32(13))))},
		{name: "authenticated, with more", port: 5432, turns: start(server(message("R", be32(0)+"x")))},
		{name: "strange status", port: 5432, turns: start(server(message("Z", "X")))},
		{name: "parameter without end", port: 5432, turns: start(server(message("S", "TimeZone\x00UTC")))},
		{name: "error", port: 5432, turns: start(server(message("E", "SFATAL\x00C28000\x00\x00"))), want: "postgresql"},
		{name: "error without end", port: 5432, turns: start(server(message("E", "SFATAL\x00C28000\x00")))},
		{name: "row of one byte", port: 5432, turns: start(server(message("D", "\x00")))},
		{name: "query without end", port: 5432, turns: start(client(message("Q", "select 1")))},
		{name: "query with more", port: 5432, turns: start(client(message("Q", "select 1\x00x")))},
		{name: "terminated, with more", port: 5432, turns: start(client(message("X", "x")))},
		{name: "message of length 3", port: 5432, turns: start(client("p" + be32(3)))},
		{name: "server wrong, client right", port: 5432, turns: []turn{client(askSSL), server("N"), server("garbage, garbage"), client(startup)}, want: "postgresql"},
		{name: "a gap", port: 5432, turns: start(gap(false, 30))},
		{name: "a gap, then a signature", port: 5432, turns: start(gap(false, 30), server(ok)), want: "postgresql"},
		{name: "a gap in the first number", port: 5432, whole: true, turns: []turn{client("\x00"), gap(true, 1), client(startup[2:])}},
	}
}

func TestPostgreSQL(t *testing.T) { testDetections(t, postgresqlDetections()) }

func FuzzPostgreSQL(f *testing.F) { fuzzDetections(f, postgresqlDetections()) }
