package service

// imapAnalyzer confirms the server's greeting or one of the first commands of
// the client. Each block of the stream is read by itself, as lines of two
// words and a rest; what is none violates, until a lower-case command shows
// that no STARTTLS will come any more
// (src/analyzer/protocol/imap/imap-protocol.pac, imap-analyzer.pac).
type imapAnalyzer struct {
	untilTLS
	startTLS string // the tag of the client's STARTTLS
}

const imapMaxTag = 256

func newIMAP() analyzer { return &imapAnalyzer{} }

func (a *imapAnalyzer) data(fromOrig bool, b []byte) { a.block(fromOrig, b, a.line) }

// line reads one line and returns what follows it; nil for no line.
func (a *imapAnalyzer) line(fromOrig bool, b []byte) []byte {
	tag, b := cutWhile(b, isGraphic)
	space, b := cutWhile(b, isSpaceByte)
	command, b := cutWhile(b, isGraphic)
	if len(tag) == 0 || len(space) == 0 || len(command) == 0 {
		return nil
	}
	_, b = cutWhile(b, isSpaceByte)
	if !fromOrig && string(tag) == "*" && equalFold(command, "capability") {
		if b = imapCapabilities(b); b == nil {
			return nil
		}
	} else {
		var end []byte
		_, b = cutWhile(b, func(c byte) bool { return !isLineEnd(c) })
		if end, b = cutWhile(b, isLineEnd); len(end) == 0 {
			return nil
		}
	}
	a.command(fromOrig, tag, command)
	return b
}

// imapCapabilities reads words up to a line's end.
func imapCapabilities(b []byte) []byte {
	for len(b) > 0 {
		var word, end []byte
		if word, b = cutWhile(b, isGraphic); len(word) == 0 {
			return nil
		}
		_, b = cutWhile(b, isSpaceByte)
		if end, b = cutWhile(b, isLineEnd); len(end) > 0 {
			break
		}
	}
	return b
}

func (a *imapAnalyzer) command(fromOrig bool, tag, command []byte) {
	start := equalFold(command, "starttls")
	if fromOrig && (start || string(command) == "capability") ||
		!fromOrig && string(tag) == "*" && equalFold(command, "ok") {
		a.confirm()
	}
	switch string(command) {
	case "authenticate", "login", "examine", "create", "list", "fetch":
		a.confirm()
		a.skip = true
		return
	}
	switch {
	case fromOrig && start:
		a.startTLS = string(tag[:min(len(tag), imapMaxTag)])
	case !fromOrig && a.startTLS != "" && string(tag) == a.startTLS && equalFold(command, "ok"):
		a.tls = true
		a.attach(ssl)
	}
}

// cutWhile splits b behind the bytes at its beginning that are in a class. The
// rest is never nil.
func cutWhile(b []byte, in func(byte) bool) (head, rest []byte) {
	i := 0
	for i < len(b) && in(b[i]) {
		i++
	}
	return b[:i], b[i:]
}

func isGraphic(c byte) bool   { return c > 32 && c < 127 }
func isSpaceByte(c byte) bool { return c == ' ' }
func isLineEnd(c byte) bool   { return c == '\r' || c == '\n' }
