package service

import "bytes"

// httpAnalyzer confirms a well-formed request line, or a reply line while a
// request is open; what should be a first line and is not violates. It follows
// message bodies to find the next first line, and hands the stream to a child
// after CONNECT and Upgrade (src/analyzer/protocol/http/HTTP.cc).
type httpAnalyzer struct {
	node
	orig, resp *lines

	requestState httpState
	replyState   httpState

	request, reply               *httpMessage
	requestOngoing, replyOngoing bool
	requests                     int
	open                         openRequests
	requestVersion, replyVersion httpVersion
	keepAlive, connectionClose   bool
	replyCode                    int
	connect                      bool // a CONNECT request waits for its reply
	tunnelled                    bool // the rest is the child's
	upgradeConnection            bool
	upgradeTo                    string
}

type httpState uint8

const (
	expectLine httpState = iota
	expectMessage
	expectNothing
	expectRaw // HTTP 0.9: a reply without header
)

type httpVersion struct{ major, minor byte }

func newHTTP() analyzer {
	a := &httpAnalyzer{}
	a.orig = newLines(a, true, zeekMaxLine)
	a.resp = newLines(a, false, zeekMaxLine)
	a.resp.partials = true
	return a
}

func (a *httpAnalyzer) data(fromOrig bool, b []byte) {
	l := a.lines(fromOrig)
	if l.removed {
		a.line(l, b)
		return
	}
	l.data(b)
}

func (a *httpAnalyzer) lines(fromOrig bool) *lines {
	if fromOrig {
		return a.orig
	}
	return a.resp
}

// line takes a line, plain bytes of a body, or whatever comes once l is removed.
func (a *httpAnalyzer) line(l *lines, b []byte) {
	fromOrig := l == a.orig
	switch {
	case a.partial():
	case a.tunnelled:
		a.forward(fromOrig, b)
	case a.replyState == expectRaw && !fromOrig:
		a.rawReply(b)
	case l.inPlain:
		if m := a.message(fromOrig); m != nil {
			m.take(b, false)
		}
	case fromOrig:
		a.requestSide(l, b)
	default:
		a.replySide(l, b)
	}
}

func (a *httpAnalyzer) message(fromOrig bool) *httpMessage {
	if fromOrig {
		return a.request
	}
	return a.reply
}

func (a *httpAnalyzer) rawReply(b []byte) {
	if a.reply == nil {
		a.replyVersion = httpVersion{0, 9}
		if a.open.count() > 0 {
			a.confirm()
			a.open.pop()
		}
		a.connectionClose = true
		a.replyOngoing = true
		a.reply = newHTTPMessage(a, a.resp, false, a.replyBody())
		a.reply.take(nil, true)
	}
	a.reply.take(b, false)
}

func (a *httpAnalyzer) requestSide(l *lines, b []byte) {
	switch a.requestState {
	case expectMessage:
		a.request.take(b, true)
	case expectLine:
		method, ok := a.requestLine(b)
		switch {
		case ok:
			a.requests++
			a.requestState = expectMessage
			a.requestOngoing = true
			a.open.push(isPrefixOf(method, "HEAD"))
			a.confirm()
			if isPrefixOf(method, "CONNECT") {
				a.connect = true
			}
			a.request = newHTTPMessage(a, l, true, bodyMaybe)
			if a.requestVersion == (httpVersion{0, 9}) {
				if a.reply != nil {
					a.reply.done()
					a.reply = nil
				}
				a.replyState = expectRaw
				a.resp.removed = true
			}
		case a.requests > 0 && !a.keepAlive: // none was expected
		case len(b) > 0:
			a.violate()
			a.requestState = expectNothing
		}
	}
}

func (a *httpAnalyzer) replySide(l *lines, b []byte) {
	switch a.replyState {
	case expectLine:
		if a.replyLine(b) {
			if a.open.count() > 0 {
				a.confirm()
			}
			a.replyState = expectMessage
			a.replyOngoing = true
			if a.connect && a.replyCode != 200 {
				a.connect = false
			}
			a.reply = newHTTPMessage(a, l, false, a.replyBody())
		} else if len(b) > 0 {
			a.violate()
			a.replyState = expectNothing
		}
	case expectMessage:
		a.reply.take(b, true)
		if a.connect && len(b) == 0 && !a.tunnelled {
			a.hand(attachPIA)
		}
	}
}

// hand leaves the rest of both streams to a child.
func (a *httpAnalyzer) hand(attach func(*node) bool) {
	attached := attach(&a.node)
	if a.resp.rest > 0 {
		a.resp.setPlain(int64(a.resp.rest))
	}
	if attached {
		a.tunnelled = true
		a.orig.removed, a.resp.removed = true, true
	}
}

// requestLine parses method, URI and version and returns the method.
func (a *httpAnalyzer) requestLine(b []byte) (method []byte, ok bool) {
	n := 0
	for n < len(b) && isHTTPTokenByte(b[n]) {
		n++
	}
	rest := bytes.TrimLeft(b[n:], " \t")
	if n == 0 || len(rest) == len(b)-n {
		return nil, false
	}
	uri := a.requestTarget(rest)
	if a.requestVersion == (httpVersion{0, 9}) && (n < 3 || uri == 0) {
		return nil, false
	}
	return b[:n], true
}

// requestTarget sets the version and returns the length of the URI.
func (a *httpAnalyzer) requestTarget(b []byte) int {
	end := 0
	for end < len(b) && isURIByte(b[end]) {
		end++
	}
	if end == len(b) && hasFoldedPrefix(b, "http/") {
		end = 0 // no URI
	}
	at := end
	for ; at < len(b); at++ {
		end = at
		for at < len(b) && isBlank(b[at]) {
			at++
		}
		if hasFoldedPrefix(b[at:], "http/") {
			break
		}
	}
	if at >= len(b) {
		a.setVersion(&a.requestVersion, httpVersion{0, 9})
	} else if at+8 <= len(b) {
		a.setVersion(&a.requestVersion, parseHTTPVersion(b[at+5:]))
	}
	return end
}

func (a *httpAnalyzer) replyLine(b []byte) bool {
	if !hasFoldedPrefix(b, "http/") {
		return false
	}
	rest := b[5:]
	a.setVersion(&a.replyVersion, parseHTTPVersion(rest))
	for len(rest) > 0 && !isBlank(rest[0]) {
		rest = rest[1:]
	}
	rest = bytes.TrimLeft(rest, " \t")
	if len(rest) < 3 {
		return false
	}
	a.replyCode = 0
	if isDigit(rest[0]) && isDigit(rest[1]) && isDigit(rest[2]) {
		a.replyCode = int(rest[0]-'0')*100 + int(rest[1]-'0')*10 + int(rest[2]-'0')
	}
	return true
}

// parseHTTPVersion reads digit, point, digit; anything else is 0.0.
func parseHTTPVersion(b []byte) httpVersion {
	if len(b) >= 3 && isDigit(b[0]) && b[1] == '.' && isDigit(b[2]) {
		return httpVersion{b[0] - '0', b[2] - '0'}
	}
	return httpVersion{}
}

func (a *httpAnalyzer) setVersion(v *httpVersion, to httpVersion) {
	*v = to
	if to.major > 1 || to.major == 1 && to.minor > 0 {
		a.keepAlive = true
	}
}

func (a *httpAnalyzer) replyBody() bodyExpected {
	code := a.replyCode
	if a.open.head() || code >= 100 && code < 200 || code == 204 || code == 304 {
		return bodyNotExpected
	}
	return bodyExpectedSurely
}

func (a *httpAnalyzer) headerField(fromOrig bool, f *headerField) {
	switch {
	case equalFold(f.name, "connection"):
		t, _ := f.token()
		switch {
		case fromOrig:
			if equalFold(t, "keep-alive") {
				a.keepAlive = true
			}
		case equalFold(t, "close"):
			a.connectionClose = true
		case equalFold(t, "upgrade"):
			a.upgradeConnection = true
		}
	case !fromOrig && equalFold(f.name, "upgrade"):
		t, _ := f.token()
		a.upgradeTo = string(t)
	}
}

func (a *httpAnalyzer) requestMade(interrupted bool) {
	if !a.requestOngoing {
		return
	}
	a.requestOngoing = false
	if a.request != nil {
		a.request.done()
	}
	a.requestState = expectLine
	if interrupted {
		a.requestState = expectNothing
	}
}

func (a *httpAnalyzer) replyMade(interrupted bool) {
	if !a.replyOngoing {
		return
	}
	a.replyOngoing = false
	if a.reply != nil {
		a.reply.done()
	}
	if a.replyCode < 100 || a.replyCode >= 200 {
		a.open.pop()
	}
	if a.replyCode == 101 && a.open.count() == 1 && a.upgradeConnection && a.upgradeTo != "" {
		a.upgrade()
	}
	a.replyCode = 0
	a.upgradeConnection = false
	a.upgradeTo = ""
	a.replyState = expectLine
	if interrupted || a.tunnelled {
		a.replyState = expectNothing
	}
}

// upgrade attaches what the reply switched to: a WebSocket analyzer, or the
// signatures for what Zeek has no analyzer for (HTTP::upgrade_analyzers).
func (a *httpAnalyzer) upgrade() {
	a.hand(func(n *node) bool {
		if !equalFold([]byte(a.upgradeTo), "websocket") {
			attachPIA(n)
			return true
		}
		if ws, ok := n.attach(websocket).(*websocketAnalyzer); ok {
			ws.configure()
			n.det.drain()
		}
		return true
	})
}

func (a *httpAnalyzer) gap(fromOrig bool, n uint64) {
	m := a.message(fromOrig)
	if m != nil && m.gap(int64(n)) {
		return
	}
	if fromOrig {
		a.requestMade(true)
	}
	a.replyMade(true)
	a.lines(fromOrig).stopped = true
}

func (a *httpAnalyzer) eof(fromOrig bool) {
	a.lines(fromOrig).eof()
	if fromOrig {
		a.requestMade(false)
	} else {
		a.replyMade(false)
	}
}

func (a *httpAnalyzer) flip() {
	if a.tunnelled {
		return
	}
	if a.requests > 0 || a.reply != nil {
		a.skip = true
		return
	}
	a.orig, a.resp = a.resp, a.orig
	a.orig.partials, a.resp.partials = a.resp.partials, a.orig.partials
}

func (a *httpAnalyzer) interrupted() {
	a.requestMade(true)
	a.replyMade(true)
}

func (a *httpAnalyzer) done() { a.interrupted() }

func (a *httpAnalyzer) idle(fromOrig bool) bool {
	switch {
	case a.skip:
		return true
	case a.tunnelled: // a gap stops the lines, not the tunnel
		return !a.wants(fromOrig)
	case a.lines(fromOrig).stopped:
		return true
	}
	if fromOrig {
		return a.requestState == expectNothing
	}
	return a.replyState == expectNothing || a.replyState == expectRaw && a.reply != nil
}

// openRequests remembers the requests without a reply: how many, and which ask
// for a reply without body.
type openRequests struct {
	heads []bool
	more  int // beyond what is remembered
}

const maxOpenRequests = 1 << 12

func (o *openRequests) push(head bool) {
	if len(o.heads) < maxOpenRequests && o.more == 0 {
		o.heads = append(o.heads, head)
	} else {
		o.more++
	}
}

func (o *openRequests) pop() {
	switch {
	case len(o.heads) > 0:
		o.heads = o.heads[1:]
	case o.more > 0:
		o.more--
	}
}

func (o *openRequests) count() int { return len(o.heads) + o.more }
func (o *openRequests) head() bool { return len(o.heads) > 0 && o.heads[0] }

// isPrefixOf reports whether b, in any case, is the beginning of s or s itself:
// so little does Zeek ask of HEAD and CONNECT.
func isPrefixOf(b []byte, s string) bool {
	return len(b) <= len(s) && equalFold(b, s[:len(b)])
}

func isHTTPTokenByte(c byte) bool {
	return c > 31 && c < 127 && bytes.IndexByte([]byte(" \t()<>@,;:\\\"/[]?={}"), c) < 0
}

// isURIByte includes NUL, as Zeek's search in a C string does.
func isURIByte(c byte) bool {
	return isDigit(c) || isAlpha(c) || c == 0 || bytes.IndexByte([]byte(":/?#[]@!$&'()*+,;=-_.~%"), c) >= 0
}
