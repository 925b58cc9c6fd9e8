package service

import "bytes"

// xmppAnalyzer confirms the client's stream tag. Each block is read by itself
// as tags with text behind them; what is none violates, until the session is
// past the point where STARTTLS could come
// (src/analyzer/protocol/xmpp/xmpp-protocol.pac, xmpp-analyzer.pac).
type xmppAnalyzer struct {
	untilTLS
	startTLS bool // asked for by the client
}

func newXMPP() analyzer { return &xmppAnalyzer{} }

func (a *xmppAnalyzer) data(fromOrig bool, b []byte) { a.block(fromOrig, b, a.tag) }

// tag reads one tag and the text behind it.
func (a *xmppAnalyzer) tag(fromOrig bool, b []byte) []byte {
	_, b = cutWhile(b, func(c byte) bool { return c == ' ' || isLineEnd(c) })
	b, ok := bytes.CutPrefix(b, []byte("<"))
	if !ok {
		return nil
	}
	slash := 0
	if len(b) > 0 && b[0] == '/' {
		slash = 1
	}
	word, rest := cutWhile(b[slash:], func(c byte) bool { return isDigit(c) || isAlpha(c) || c == '?' || c == ':' })
	if len(word) == 0 {
		return nil
	}
	name := b[:slash+len(word)]
	text := func(c byte) bool { return c != '<' && c != '>' }
	_, rest = cutWhile(rest, text)
	if rest, ok = bytes.CutPrefix(rest, []byte(">")); !ok {
		return nil
	}
	_, rest = cutWhile(rest, text)
	a.token(fromOrig, string(name))
	return rest
}

func (a *xmppAnalyzer) token(fromOrig bool, name string) {
	local := name
	if i := bytes.IndexByte([]byte(name), ':'); i >= 0 && i+1 < len(name) {
		local = name[i+1:]
	}
	if fromOrig && name == "stream:stream" {
		a.confirm()
	}
	switch name {
	case "success", "message", "db:result", "db:verify", "presence":
		a.skip = true
	}
	if fromOrig && (name == "starttls" || local == "starttls") {
		a.startTLS = true
	}
	if !fromOrig && (name == "proceed" || local == "proceed") && a.startTLS {
		a.tls = true
		a.attach(ssl)
	}
}
