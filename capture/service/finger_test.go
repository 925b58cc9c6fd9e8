package service

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func fingerDetections() []detection {
	long := strings.Repeat("a", fingerMaxLine)
	return []detection{
		{name: "user", port: 79, turns: []turn{client("root\r\n")}, want: "finger"},
		{name: "all users", port: 79, turns: []turn{client("\r\n"), server("short\r\n")}},
		{name: "all users at length", port: 79, turns: []turn{client("/W\r\n")}, want: "finger"},
		{name: "host alone", port: 79, turns: []turn{client("@host\r\n")}},
		{name: "host at length", port: 79, turns: []turn{client("/W @host\r\n")}, want: "finger"},
		{name: "user that begins with a slash", port: 79, turns: []turn{client("/x\n")}, want: "finger"},
		{name: "not ended", port: 79, turns: []turn{client("root")}},
		{name: "ended by FIN", port: 79, turns: []turn{client("root"), fin(true)}, want: "finger"},
		{name: "blanks, ended by FIN", port: 79, turns: []turn{client(" \t"), fin(true)}},
		{name: "long request", port: 79, turns: []turn{client(long + "\r\n")}, want: "finger"},
		{name: "too long a request", port: 79, turns: []turn{client(long + "a")}},
		{name: "reply", port: 79, turns: []turn{client("\r\n"), server("Login: root\r\n")}, want: "finger"},
		{name: "reply of ten characters", port: 79, turns: []turn{client("\r\n"), server("0123456789\n")}},
		{name: "reply not ended", port: 79, turns: []turn{client("root\n"), server("Login: root"), fin(false)}, want: "finger"},
		{name: "reply, CR alone", port: 79, turns: []turn{client("root\n"), server("Login: root\rx")}},
		{name: "reply, CR and FIN", port: 79, turns: []turn{client("root\n"), server("Login: root\r"), fin(false)}},
		{name: "long line of reply", port: 79, turns: []turn{client("root\n"), server(long + "\n")}, want: "finger"},
		{name: "too long a line of reply", port: 79, turns: []turn{client("root\n"), server(long + "a\n")}},
		{name: "too long a line that does not end", port: 79, turns: []turn{client("root\n"), server(long + "a")}, want: "finger"},
		{name: "gap in the reply", port: 79, turns: []turn{client("root\n"), gap(false, 9), server("\n")}},
		{name: "gap behind the request", port: 79, turns: []turn{client("root\n"), gap(true, 9), client("\n")}, want: "finger"},
		{name: "another port", port: 80, turns: []turn{client("root\r\n")}},
		{name: "user cut within a character", port: 79, turns: []turn{client("\xc3\n")}},
		{name: "user of odd bytes", port: 79, turns: []turn{client("\xc3x\n")}, want: "finger"},
	}
}

func TestFinger(t *testing.T) { testDetections(t, fingerDetections()) }

func FuzzFinger(f *testing.F) { fuzzDetections(f, fingerDetections()) }

func TestSpicyRunes(t *testing.T) {
	for _, tt := range []struct {
		text string
		n    int
		ok   bool
	}{
		{"", 0, true}, {"abc", 3, true}, {"\xc3\xa4x", 2, true}, {"\xe2\x82\xac", 1, true}, {"\xf0\x9f\x98\x80", 1, true},
		{"\xff\xfe", 2, true}, {"\xc3x", 2, true}, {"\xc0\x80", 2, true}, {"\xe0\x80\x80", 3, true}, {"\x80", 1, true},
		{"a\xc3", 1, false}, {"\xe2\x82", 0, false}, {"\xed\xa0\x80", 0, false}, {"\xf4\x90\x80\x80", 0, false}, {"\xe2x\x82", 3, true},
	} {
		n, ok := spicyRunes([]byte(tt.text))
		assert.Equal(t, tt.ok, ok, "%q", tt.text)
		assert.Equal(t, tt.n, n, "%q", tt.text)
	}
}
