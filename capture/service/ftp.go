package service

import (
	"bytes"
	"encoding/binary"
)

// ftpAnalyzer confirms any client line whose first word could be a command; a
// server line that is no reply violates. AUTH TLS and AUTH GSSAPI put TLS
// below it (src/analyzer/protocol/ftp/FTP.cc); ftpSession follows what the
// scripts make of commands and replies.
type ftpAnalyzer struct {
	node
	sides   [2]nvtLines
	auth    string // what AUTH asked for
	pending int    // code of a reply over several lines; 0 outside one
	tls     bool   // the rest of both streams is TLS
}

const ftpMaxCommand = 100 // FTP::max_command_length

func newFTP() analyzer { return &ftpAnalyzer{} }

func (a *ftpAnalyzer) data(fromOrig bool, b []byte) {
	if a.tls {
		a.forward(fromOrig, b)
		return
	}
	a.sides[side(fromOrig)].data(b, func(line []byte) { a.hand(fromOrig, line) })
}

func (a *ftpAnalyzer) eof(fromOrig bool) {
	a.sides[side(fromOrig)].eof(func(line []byte) { a.hand(fromOrig, line) })
}

// hand takes a line, unless the analyzer is on its way out.
func (a *ftpAnalyzer) hand(fromOrig bool, line []byte) {
	if a.attached() {
		a.line(fromOrig, line)
	}
}

func (a *ftpAnalyzer) flip() { a.sides[0], a.sides[1] = a.sides[1], a.sides[0] }

func (a *ftpAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.tls && !a.wants(fromOrig)
}

func (a *ftpAnalyzer) line(fromOrig bool, b []byte) {
	switch {
	case a.tls:
		a.forward(fromOrig, b)
		return
	case len(b) == 0:
		return
	case fromOrig:
		if !a.request(b) {
			return
		}
	default:
		if !a.reply(b) {
			return
		}
	}
	if !a.tls {
		a.forward(fromOrig, b)
	}
}

func (a *ftpAnalyzer) request(b []byte) bool {
	b = bytes.TrimLeft(b, " \t")
	command := firstWord(b)
	if len(command) < 3 || len(command) > ftpMaxCommand {
		return false
	}
	for _, c := range command {
		if c < 33 || c > 126 {
			return false
		}
	}
	argument := string(bytes.TrimLeft(b[len(command):], " \t"))
	name := upper(command)
	a.confirm()
	if len(name) <= 4 && name == "AUTH"[:len(name)] {
		a.auth = argument
	}
	a.after(func() { a.det.ftpSession().request(name, argument) })
	return true
}

func (a *ftpAnalyzer) reply(b []byte) bool {
	code := replyCode(b)
	more := false // the reply goes on in the next line
	rest := b
	switch {
	case a.pending != 0 && code == a.pending && len(b) > 3 && b[3] == ' ':
		rest = b[3:]
		a.pending = 0
	case a.pending != 0:
		code, more = 0, true
	case code < 100:
		a.violate()
		return false
	case len(b) > 3 && b[3] == '-':
		a.pending = code
		rest, more = b[4:], true
	case len(b) > 3 && b[3] != ' ':
		a.violate()
		return false
	default:
		rest = b[3:]
	}
	if code != 0 {
		rest = bytes.TrimLeft(rest, " \t")
	}
	if code == 234 && a.auth == "TLS" && a.attach(ssl) != nil {
		a.tls = true
	}
	if code == 334 && a.auth == "GSSAPI" {
		if child := a.attach(ssl); child != nil {
			s := child.core()
			s.filter = &ftpTokens{tls: s}
		}
	}
	text := string(rest)
	a.after(func() { a.det.ftpSession().reply(code, text, more) })
	return true
}

// replyCode reads three digits; 0 when there are none.
func replyCode(b []byte) int {
	if len(b) >= 3 && isDigit(b[0]) && isDigit(b[1]) && isDigit(b[2]) {
		return int(b[0]-'0')*100 + int(b[1]-'0')*10 + int(b[2]-'0')
	}
	return 0
}

// firstWord returns what stands before the first blank or NUL.
func firstWord(b []byte) []byte {
	for i, c := range b {
		if isSpace(c) || c == 0 {
			return b[:i]
		}
	}
	return b
}

// ftpTokens takes the TLS of GSI out of the ADAT commands and replies of an
// FTP control connection (FTP_ADAT_Analyzer).
type ftpTokens struct {
	tls   *node
	later bool // the first token has been looked at
}

func (f *ftpTokens) data(fromOrig bool, b []byte) {
	var token []byte
	var over bool
	if fromOrig {
		token, over = f.request(b)
	} else {
		token, over = f.reply(b)
	}
	if token != nil {
		f.tls.self.data(fromOrig, token)
	}
	if over {
		f.tls.remove()
	}
}

func (f *ftpTokens) request(b []byte) (token []byte, over bool) {
	b = bytes.TrimLeft(b, " \t")
	command := firstWord(b)
	switch {
	case len(command) <= 4 && string(command) == "ADAT"[:len(command)]:
		token = decodeBase64(bytes.TrimLeft(b[len(command):], " \t"))
		if !f.later {
			// The framing of GSSAPI tokens is left out by GSI; a TLS record must
			// stand there.
			if len(token) < 5 || token[0] != 0x16 || len(token)-5 != int(binary.BigEndian.Uint16(token[3:])) {
				token, over = nil, true
			}
		}
		f.later = true
	case len(command) <= 4 && string(command) == "AUTH"[:len(command)]:
		over = true
	}
	return token, over
}

func (f *ftpTokens) reply(b []byte) (token []byte, over bool) {
	code := replyCode(b)
	switch code {
	case 232, 234, 421, 431, 500, 501, 503, 535, 631, 632, 633:
		return nil, true
	case 235, 334, 335:
		rest := b[3:]
		if len(rest) > 0 && rest[0] == '-' {
			rest = rest[1:]
		}
		rest = bytes.TrimLeft(rest, " \t")
		if encoded, ok := bytes.CutPrefix(rest, []byte("ADAT=")); ok {
			token = decodeBase64(encoded)
		}
		return token, code == 235
	}
	return nil, false
}

// decodeBase64 decodes like src/Base64.cc: a wrong character anywhere gives
// nil, an unfinished group is filled up.
func decodeBase64(b []byte) []byte {
	out := make([]byte, 0, len(b)/4*3+3)
	var group uint32
	n, padding := 0, 0
	ended := false
	put := func(c byte) bool {
		v, ok := base64Value(c)
		if !ok || ended && n == 3 {
			return false
		}
		if c == '=' {
			padding++
		}
		group = group<<6 | v
		if n++; n == 4 {
			if padding < 3 {
				out = append(out, byte(group>>16), byte(group>>8), byte(group))[:len(out)+3-padding]
			}
			ended = padding > 0
			n, padding, group = 0, 0, 0
		}
		return true
	}
	for _, c := range b {
		if !put(c) {
			return nil
		}
	}
	for n != 0 && put('=') {
	}
	return out
}

func base64Value(c byte) (uint32, bool) {
	switch {
	case 'A' <= c && c <= 'Z':
		return uint32(c - 'A'), true
	case 'a' <= c && c <= 'z':
		return uint32(c-'a') + 26, true
	case isDigit(c):
		return uint32(c-'0') + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, c == '='
}
