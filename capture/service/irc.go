package service

import (
	"net/netip"
	"strings"
)

// ircAnalyzer confirms a client line that begins with a command of IRC; lines
// too short and replies without a proper number violate. It announces DCC
// transfers and hands over to TLS (src/analyzer/protocol/irc/IRC.cc).
type ircAnalyzer struct {
	node
	orig, resp *lines
	tls        bool
	invalid    int // commands that are too long
	servers    [2]ircServerLink
	zipped     bool // two servers have agreed on compression
}

// ircServerLink is one side of the introduction of two servers.
type ircServerLink struct{ registered, zip bool }

const (
	ircMaxLine    = 1000
	ircLongLine   = 512
	ircLongWord   = 20
	ircMaxInvalid = 20
	ircStartTLS   = 670
)

// ircCommands are the commands a client may send.
var ircCommands = wordSet(`ADMIN AWAY CNOTICE CPRIVMSG CONNECT DIE ENCAP ERROR INFO INVITE ISON JOIN KICK KILL KNOCK
	LINKS LIST LUSERS MODE MOTD NAMES NICK NOTICE OPER PART PASS PING PONG PRIVMSG QUIT REHASH RULES SERVER SERVICE
	SERVLIST SETNAME SILENCE SQUERY SQUIT STATS SUMMON TIME TOPIC TRACE USER USERHOST USERS VERSION WALLOPS WHO
	WHOIS WHOWAS STARTTLS`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

func newIRC() analyzer {
	a := &ircAnalyzer{}
	a.orig = newLines(a, true, ircMaxLine)
	a.resp = newLines(a, false, ircMaxLine)
	return a
}

func (a *ircAnalyzer) lines(fromOrig bool) *lines {
	if fromOrig {
		return a.orig
	}
	return a.resp
}

func (a *ircAnalyzer) data(fromOrig bool, b []byte) {
	if l := a.lines(fromOrig); l.removed {
		a.line(l, b)
	} else {
		l.data(b)
	}
}

func (a *ircAnalyzer) eof(fromOrig bool) { a.lines(fromOrig).eof() }

func (a *ircAnalyzer) flip() { a.orig, a.resp = a.resp, a.orig }

func (a *ircAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.zipped || a.tls && !a.wants(fromOrig)
}

func (a *ircAnalyzer) line(l *lines, b []byte) {
	fromOrig := l == a.orig
	if a.tls {
		a.forward(fromOrig, b)
		return
	}
	if a.zipped || len(b) > ircLongLine {
		return
	}
	s := strings.TrimLeft(string(b), " ")
	if len(s) < 3 {
		return
	}
	var ok bool
	if s[0] == '@' { // tags
		if _, s, ok = strings.Cut(s, " "); !ok {
			return
		}
	}
	prefix := ""
	if strings.HasPrefix(s, ":") {
		if prefix, s, ok = strings.Cut(s[1:], " "); !ok {
			return
		}
		s = strings.TrimLeft(s, " ")
	}
	if len(s) < 3 {
		a.violate()
		return
	}
	if isDigit(s[0]) {
		if len(s) < 4 || !isDigit(s[1]) || !isDigit(s[2]) || s[3] != ' ' {
			a.violate()
		} else if replyCode([]byte(s)) == ircStartTLS {
			a.tls = true
			a.orig.removed, a.resp.removed = true, true
			a.attach(ssl)
		}
		return
	}
	command, parameters, _ := strings.Cut(s, " ")
	a.command(fromOrig, upper([]byte(command)), prefix, strings.TrimLeft(parameters, " "))
}

func (a *ircAnalyzer) command(fromOrig bool, command, prefix, parameters string) {
	if fromOrig && ircCommands[command] {
		a.confirm()
	}
	link := &a.servers[side(fromOrig)]
	switch {
	case command == "STARTTLS":
	case command == "PASS" && !link.registered:
		words := splitWords(parameters)
		link.zip = len(words) > 3 && strings.ContainsAny(words[3], "Zz")
	case command == "SERVER" && prefix == "":
		link.registered = true
		l := &a.servers
		a.zipped = l[0].registered && l[1].registered && l[0].zip && l[1].zip
	case len(command) > ircLongWord:
		if a.invalid++; a.invalid > ircMaxInvalid {
			a.violate()
		}
	case command == "PRIVMSG":
		a.message(parameters)
	}
}

// message looks for the offer of a file: DCC SEND name address port [size].
func (a *ircAnalyzer) message(parameters string) {
	_, text, ok := strings.Cut(parameters, " ")
	if !ok {
		return
	}
	text = strings.TrimPrefix(strings.TrimLeft(text, " "), ":")
	text = strings.TrimPrefix(text, "\x01")
	if len(text) <= 3 || !strings.HasPrefix(text, "DCC") {
		return
	}
	words := splitWords(strings.TrimSuffix(text, "\x01"))
	if len(words) < 5 || len(words) > 6 && !(len(words) == 7 && words[6] == "T") {
		return
	}
	host, ok1 := leadingInt([]byte(words[3]), 10)
	port, ok2 := leadingInt([]byte(words[4]), 10)
	if !ok1 || !ok2 || host>>32 != 0 || port>>16 != 0 || words[3][0] == '-' || words[4][0] == '-' || words[1] != "SEND" {
		return
	}
	addr := netip.AddrFrom4([4]byte{byte(host >> 24), byte(host >> 16), byte(host >> 8), byte(host)})
	to := netip.AddrPortFrom(addr, uint16(port))
	a.after(func() { a.det.tracker.expectDCC(to, a.det.now) })
}

// splitWords splits at single blanks and drops empty words.
func splitWords(s string) []string {
	var words []string
	for _, w := range strings.Split(s, " ") {
		if w != "" {
			words = append(words, w)
		}
	}
	return words
}
