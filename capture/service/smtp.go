package service

import (
	"bytes"
	"strconv"
)

// smtpAnalyzer confirms the first command it knows from the client (after a
// gap: the first reply); a reply without a proper code violates. It follows
// the dialogue to tell commands from mail, and to hand over to TLS
// (src/analyzer/protocol/smtp/SMTP.cc).
type smtpAnalyzer struct {
	node
	orig, resp *lines

	state     smtpState
	turned    bool          // after TURN the responder is the client
	waiting   smtpCommand   // the command that the next reply answers
	queue     []smtpCommand // those behind it
	continued int           // code of a reply over several lines; 0 outside one
	mail      *mailMessage
	chunk     *smtpChunk // while BDAT chunks come
	mailFrom  bool       // in this transaction
	recipient bool
	invalid   int
}

type smtpState uint8

const (
	smtpConnected smtpState = iota
	smtpInitiated
	smtpNotAvailable
	smtpReady
	smtpMailOK
	smtpRecipientOK
	smtpInData
	smtpAfterData
	smtpInAuth
	smtpInTLS
	smtpQuit
	smtpAfterGap
	smtpGapRecovery
	smtpInBDAT
)

type smtpCommand int8

const (
	smtpNone smtpCommand = iota - 1
	smtpConnection
	smtpEHLO
	smtpHELO
	smtpMAIL
	smtpRCPT
	smtpDATA
	smtpEndOfData
	smtpQUIT
	smtpRSET
	smtpSTARTTLS
	smtpAnonymousTLS
	smtpSEND
	smtpSOML
	smtpSAML
	smtpTURN
	smtpBDAT
	smtpAUTH
	smtpAuthAnswer
	smtpOther // VRFY, EXPN, HELP, NOOP, ETRN
)

var smtpWords = map[string]smtpCommand{
	"EHLO": smtpEHLO, "HELO": smtpHELO, "MAIL": smtpMAIL, "RCPT": smtpRCPT, "DATA": smtpDATA, "QUIT": smtpQUIT,
	"RSET": smtpRSET, "VRFY": smtpOther, "EXPN": smtpOther, "HELP": smtpOther, "NOOP": smtpOther,
	"STARTTLS": smtpSTARTTLS, "X-ANONYMOUSTLS": smtpAnonymousTLS, "X_ANONYMOUSTLS": smtpAnonymousTLS,
	"SEND": smtpSEND, "SOML": smtpSOML, "SAML": smtpSAML, "TURN": smtpTURN, "BDAT": smtpBDAT, "ETRN": smtpOther,
	"AUTH": smtpAUTH, "AUTH_ANSWER": smtpAuthAnswer, "CONN_ESTABLISHMENT": smtpConnection, "END_OF_DATA": smtpEndOfData,
}

const (
	smtpLongestWord   = 18
	smtpMaxQueue      = 1000
	smtpMaxInvalid    = 25 // SMTP::max_invalid_mail_transactions
	smtpMaxBDATLine   = 4096
	smtpMaxBDATLength = 25 // of the argument
)

func newSMTP() analyzer {
	a := &smtpAnalyzer{state: smtpInitiated, waiting: smtpConnection}
	a.orig = newLines(a, true, zeekMaxLine)
	a.resp = newLines(a, false, zeekMaxLine)
	for _, l := range [2]*lines{a.orig, a.resp} {
		l.partials, l.dropNull = true, true
	}
	return a
}

func (a *smtpAnalyzer) lines(fromOrig bool) *lines {
	if fromOrig {
		return a.orig
	}
	return a.resp
}

func (a *smtpAnalyzer) data(fromOrig bool, b []byte) {
	l := a.lines(fromOrig)
	if l.removed {
		a.line(l, b)
		return
	}
	l.data(b)
}

func (a *smtpAnalyzer) eof(fromOrig bool) { a.lines(fromOrig).eof() }

func (a *smtpAnalyzer) flip() {
	a.orig, a.resp = a.resp, a.orig
}

func (a *smtpAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.state == smtpInTLS && !a.wants(fromOrig)
}

func (a *smtpAnalyzer) line(l *lines, b []byte) {
	fromOrig := l == a.orig
	if a.state == smtpInTLS {
		a.forward(fromOrig, b)
		return
	}
	client := fromOrig != a.turned
	if len(b) > 0 && client && a.chunk != nil {
		n := int(min(uint64(len(b)), a.chunk.left))
		if n > 0 {
			a.chunk.take(b[:n], a.mail)
		}
		if a.chunk.last && a.chunk.left == 0 {
			a.update(smtpEndOfData, 0)
		}
		if b = b[n:]; len(b) == 0 {
			return
		}
	}
	b = bytes.TrimRight(b, "\r")
	if client {
		a.command(l, b)
	} else {
		a.reply(b)
	}
}

func (a *smtpAnalyzer) command(l *lines, b []byte) {
	command, word, rest := smtpNone, []byte(nil), b
	switch {
	case a.state == smtpAfterGap: // a command or mail: nobody knows
		return
	case a.state == smtpInData && len(b) == 1 && b[0] == '.':
		command = smtpEndOfData
	case a.state == smtpInData:
		if a.mail == nil {
			a.beginMail(smtpInData)
		}
		a.mail.take(bytes.TrimPrefix(b, []byte(".")), true)
		return
	case a.state == smtpInAuth:
		command = smtpAuthAnswer
	default:
		word = firstWord(b)
		rest = bytes.TrimLeft(b[len(word):], " \t")
		if len(word) <= smtpLongestWord {
			if c, ok := smtpWords[upper(word)]; ok {
				command = c
			}
		}
	}
	if command == smtpNone {
		return
	}
	a.expectReply(command)
	if command == smtpEndOfData {
		a.update(command, 0)
	}
	a.confirm()
	a.transaction(command, rest)
	update := command != smtpEndOfData
	if command == smtpBDAT {
		update = a.bdat(l, rest)
	} else if a.chunk != nil {
		a.endMail()
	}
	if update {
		a.update(command, 0)
	}
}

// transaction counts commands out of their order; Zeek's script takes the
// analyzer off after too many (scripts/base/protocols/smtp/main.zeek).
func (a *smtpAnalyzer) transaction(c smtpCommand, argument []byte) {
	invalid := false
	switch c {
	case smtpMAIL:
		if hasFoldedPrefix(argument, "from:") {
			a.mailFrom, a.recipient = true, false
		}
	case smtpRCPT:
		if hasFoldedPrefix(argument, "to:") {
			a.recipient = true
			invalid = !a.mailFrom
		}
	case smtpDATA, smtpBDAT:
		invalid = !a.recipient
		if c == smtpBDAT && bytes.HasSuffix(argument, []byte(" LAST")) {
			a.mailFrom, a.recipient = false, false
		}
	case smtpEndOfData:
		a.mailFrom, a.recipient = false, false
	}
	if invalid {
		if a.invalid++; a.invalid == smtpMaxInvalid+1 {
			a.after(func() { a.remove() })
		}
	}
}

func (a *smtpAnalyzer) expectReply(c smtpCommand) {
	if a.waiting == smtpNone {
		a.waiting = c
		return
	}
	if len(a.queue) == smtpMaxQueue {
		a.queue = a.queue[:0]
	}
	a.queue = append(a.queue, c)
}

func (a *smtpAnalyzer) reply(b []byte) {
	code := replyCode(b)
	if code < 100 || code > 599 {
		a.violate()
		return
	}
	if code != a.continued {
		a.continued = 0
	}
	if a.continued == 0 {
		a.answer(code)
	}
	a.continued = 0
	if len(b) > 3 && b[3] == '-' {
		a.continued = code
	}
}

// answer takes the first line of a reply.
func (a *smtpAnalyzer) answer(code int) {
	if a.state == smtpAfterGap {
		a.state = smtpGapRecovery
		a.confirm()
	}
	c := a.waiting
	a.waiting = smtpNone
	if len(a.queue) > 0 {
		a.waiting = a.queue[0]
		a.queue = a.queue[1:]
	}
	a.update(c, code)
}

// update moves the state by a command (code 0) or the reply to it.
func (a *smtpAnalyzer) update(c smtpCommand, code int) {
	switch c {
	case smtpConnection:
		switch code {
		case 0:
			a.state = smtpInitiated
		case 421, 554:
			a.state = smtpNotAvailable
		}
	case smtpEHLO, smtpHELO:
		switch code {
		case 0:
			a.state = smtpReady
		case 421, 500, 501, 504, 550:
			a.state = smtpInitiated
		}
	case smtpMAIL, smtpSEND, smtpSOML, smtpSAML:
		switch code {
		case 0:
			a.state = smtpMailOK
		case 421, 451, 452, 500, 501, 503, 550, 552, 553:
			if a.state != smtpInData {
				a.state = smtpReady
			}
		}
	case smtpRCPT:
		if code == 0 {
			a.state = smtpRecipientOK
		}
	case smtpDATA:
		switch code {
		case 0:
			a.beginMail(smtpInData)
		case 354:
		default:
			if a.state == smtpInData {
				a.endMail()
			}
			a.state = smtpReady
			if code == 421 {
				a.state = smtpQuit
			}
		}
	case smtpBDAT:
		if code == 0 {
			a.state = smtpInBDAT
		}
	case smtpEndOfData:
		if code == 0 {
			a.endMail()
			a.state = smtpAfterData
		} else {
			a.state = smtpReady
		}
	case smtpRSET:
		if code == 0 {
			a.state = smtpReady
		}
	case smtpQUIT:
		if code == 0 {
			a.state = smtpQuit
		}
	case smtpAUTH, smtpAuthAnswer:
		switch code {
		case 0:
		case 334:
			a.state = smtpInAuth
		default:
			a.state = smtpInitiated
		}
	case smtpTURN:
		if code == 250 {
			a.turned = !a.turned
			a.state = smtpConnected
		}
	case smtpSTARTTLS, smtpAnonymousTLS:
		if code == 220 {
			a.state = smtpInTLS
			a.orig.removed, a.resp.removed = true, true
			a.attach(ssl)
		}
	default:
		if a.state == smtpGapRecovery && code == 354 {
			a.beginMail(smtpInData)
		}
	}
}

func (a *smtpAnalyzer) gap(fromOrig bool, n uint64) {
	if a.state == smtpInData || a.state == smtpInBDAT {
		a.endMail()
	}
	a.queue = a.queue[:0]
	a.waiting = smtpNone
	a.state = smtpAfterGap
}

func (a *smtpAnalyzer) beginMail(s smtpState) {
	a.state = s
	a.mail = newMailMessage(a.det)
}

func (a *smtpAnalyzer) endMail() {
	if a.chunk != nil && a.chunk.left > 0 {
		a.orig.setPlain(0)
		a.resp.setPlain(0)
	}
	a.chunk, a.mail = nil, nil
}

// bdat reads the argument of BDAT and prepares for the chunk.
func (a *smtpAnalyzer) bdat(l *lines, argument []byte) bool {
	if len(argument) == 0 || len(argument) > smtpMaxBDATLength || !isDigit(argument[0]) {
		return false
	}
	digits := 0
	for digits < len(argument) && isDigit(argument[digits]) {
		digits++
	}
	size, err := strconv.ParseInt(string(argument[:digits]), 10, 64)
	rest := argument[digits:]
	last := equalFold(rest, " last")
	if err != nil || len(rest) > 0 && !last {
		return false
	}
	l.setPlain(size)
	if a.chunk == nil {
		a.beginMail(smtpInBDAT)
		a.chunk = &smtpChunk{}
	}
	a.chunk.left, a.chunk.last = uint64(size), last
	return true
}

// smtpChunk cuts BDAT chunks into lines (src/analyzer/protocol/smtp/BDAT.cc).
type smtpChunk struct {
	left uint64
	last bool
	buf  []byte
}

func (c *smtpChunk) take(b []byte, m *mailMessage) {
	c.left -= uint64(len(b))
	for _, x := range b {
		c.buf = append(c.buf, x)
		switch {
		case x == '\n':
			if line, ok := bytes.CutSuffix(c.buf, []byte("\r\n")); ok {
				m.take(line, true)
			} else {
				m.take(c.buf, false)
			}
		case len(c.buf) >= smtpMaxBDATLine:
			m.take(c.buf, false)
		default:
			continue
		}
		c.buf = c.buf[:0]
	}
	if c.last && c.left == 0 && len(c.buf) > 0 {
		m.take(c.buf, false)
		c.buf = nil
	}
}
