package service

import (
	"bytes"
	"strings"
)

// pop3Analyzer confirms +OK after USER, CAPA or STLS; a reply that begins with
// no word of POP3 violates, and so do too many commands that do
// (src/analyzer/protocol/pop3/POP3.cc).
type pop3Analyzer struct {
	node
	orig, resp *lines

	master    pop3Master
	state     pop3Word // the command that was processed last
	guess     pop3Word // the state if the server turns out to be beyond login
	guessing  bool
	wantsMany bool // the command asks for a reply of several lines
	inMany    bool // such a reply is coming
	inAuth    bool // the client answers challenges
	tls       bool
	open      []string // commands without a reply; the first one was processed
	unknown   int
	mail      *mailMessage
}

type pop3Master uint8

const (
	pop3Start pop3Master = iota
	pop3Authorization
	pop3Transaction
	pop3Update
	pop3Finished
)

// pop3Word is a word of the protocol, server's or client's.
type pop3Word int8

const (
	pop3None pop3Word = iota - 1
	pop3OK
	pop3ERR
	pop3USER
	pop3PASS
	pop3APOP
	pop3AUTH
	pop3STAT
	pop3LIST
	pop3RETR
	pop3DELE
	pop3RSET
	pop3NOOP
	pop3LAST
	pop3QUIT
	pop3TOP
	pop3CAPA
	pop3UIDL
	pop3STLS
	pop3XSENDER
	pop3Begin // a state: no command yet
)

var pop3Words = [...]string{"OK", "ERR", "USER", "PASS", "APOP", "AUTH", "STAT", "LIST", "RETR", "DELE", "RSET", "NOOP",
	"LAST", "QUIT", "TOP", "CAPA", "UIDL", "STLS", "XSENDER"}

const (
	pop3MaxOpen    = 10  // POP3::max_pending_commands
	pop3MaxUnknown = 10  // POP3::max_unknown_client_commands
	pop3MaxCommand = 256 // what is kept of a command
)

func newPOP3() analyzer {
	a := &pop3Analyzer{state: pop3Begin}
	a.orig = newLines(a, true, zeekMaxLine)
	a.resp = newLines(a, false, zeekMaxLine)
	return a
}

func (a *pop3Analyzer) lines(fromOrig bool) *lines {
	if fromOrig {
		return a.orig
	}
	return a.resp
}

func (a *pop3Analyzer) data(fromOrig bool, b []byte) {
	if l := a.lines(fromOrig); l.removed {
		a.line(l, b)
	} else {
		l.data(b)
	}
}

func (a *pop3Analyzer) eof(fromOrig bool) { a.lines(fromOrig).eof() }

func (a *pop3Analyzer) flip() { a.orig, a.resp = a.resp, a.orig }

func (a *pop3Analyzer) idle(fromOrig bool) bool {
	return a.skip || a.tls && !a.wants(fromOrig)
}

func (a *pop3Analyzer) line(l *lines, b []byte) {
	switch fromOrig := l == a.orig; {
	case a.tls:
		a.forward(fromOrig, b)
	case a.partial():
	case fromOrig:
		a.request(b)
	default:
		a.reply(b)
	}
}

func (a *pop3Analyzer) request(b []byte) {
	if len(b) == 0 || a.inAuth {
		return
	}
	a.open = append(a.open, string(b[:min(len(b), pop3MaxCommand)]))
	if len(a.open) > pop3MaxOpen {
		a.open = a.open[1:]
	}
	if len(a.open) == 1 {
		a.command()
	}
}

// pop3Split takes the first word and the rest of a line, blanks compressed.
func pop3Split(b []byte) (word, rest string) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	s := strings.Trim(string(bytes.TrimLeft(b, " \t")), " ")
	word, rest, _ = strings.Cut(s, " ")
	return word, strings.TrimLeft(rest, " ")
}

// pop3Find looks a word up. A sign before it is dropped at each comparison.
func pop3Find(word string) pop3Word {
	if word == "" {
		return pop3None
	}
	for i, w := range pop3Words {
		if word != "" && (word[0] == '+' || word[0] == '-') {
			word = word[1:]
		}
		if upper([]byte(word)) == w {
			return pop3Word(i)
		}
	}
	return pop3None
}

// command processes the oldest open command.
func (a *pop3Analyzer) command() {
	if len(a.open) == 0 {
		return
	}
	word, argument := pop3Split([]byte(a.open[0]))
	c := pop3Find(word)
	login := a.master == pop3Authorization
	transaction := a.master == pop3Transaction
	allowed := true
	switch c {
	case pop3None:
		if !a.inAuth {
			if a.unknown++; a.unknown > pop3MaxUnknown {
				a.violate()
			}
		}
		return
	case pop3OK, pop3ERR:
		return
	case pop3USER, pop3APOP:
		allowed = login
	case pop3PASS:
		allowed = login && a.state == pop3USER
	case pop3AUTH:
		if allowed = login; allowed {
			if argument == "" {
				a.wantsMany = true
			} else {
				a.inAuth = true
			}
		}
	case pop3CAPA:
		a.wantsMany = true
	case pop3STLS:
	case pop3QUIT:
		if allowed = login || transaction || a.master == pop3Start; !allowed {
			a.guessing, a.guess = true, pop3LAST
		}
	default: // commands of a transaction
		if c == pop3RETR || c == pop3TOP || (c == pop3LIST || c == pop3UIDL) && argument == "" {
			a.wantsMany = true
		}
		if allowed = transaction; !allowed && c != pop3STAT {
			a.guessing, a.guess = true, c
		}
	}
	if allowed {
		a.state = c
	}
}

func (a *pop3Analyzer) answered() {
	if a.inMany || len(a.open) == 0 {
		return
	}
	a.open = a.open[1:]
	a.command()
}

func (a *pop3Analyzer) reply(b []byte) {
	if a.inMany {
		if len(b) == 1 && b[0] == '.' {
			a.wantsMany, a.inMany, a.mail = false, false, nil
			a.answered()
		} else if a.state == pop3RETR || a.state == pop3TOP {
			a.mail.take(b, true)
		}
		return
	}
	word, _ := pop3Split(b)
	switch pop3Find(word) {
	case pop3None:
		if !a.inAuth {
			a.violate()
		}
	case pop3OK:
		a.good(b)
	case pop3ERR:
		a.bad()
	}
}

func (a *pop3Analyzer) good(b []byte) {
	if a.guessing {
		a.master, a.state, a.guessing = pop3Transaction, a.guess, false
	}
	switch a.state {
	case pop3Begin:
		a.master = pop3Authorization
	case pop3USER:
		a.master = pop3Authorization
		a.confirm()
	case pop3PASS, pop3APOP, pop3NOOP, pop3LAST, pop3STAT, pop3RSET, pop3DELE, pop3XSENDER:
		a.master = pop3Transaction
	case pop3AUTH:
		a.inMany = a.inMany || a.wantsMany
		if a.inAuth {
			a.master = pop3Transaction
		}
		a.inAuth = false
	case pop3TOP, pop3RETR:
		if a.mail == nil {
			a.mail = newMailMessage(a.det)
		}
		a.mail.take(b, true)
		a.inMany = a.inMany || a.wantsMany
	case pop3CAPA:
		a.confirm()
		a.inMany = a.inMany || a.wantsMany
	case pop3UIDL, pop3LIST:
		a.inMany = a.inMany || a.wantsMany
	case pop3STLS:
		a.confirm()
		a.tls = true
		a.orig.removed, a.resp.removed = true, true
		a.attach(ssl)
		return
	case pop3QUIT:
		switch a.master {
		case pop3Authorization, pop3Start:
			a.master = pop3Finished
		case pop3Transaction:
			a.master = pop3Update
		}
	}
	a.answered()
}

func (a *pop3Analyzer) bad() {
	a.inMany, a.wantsMany, a.guessing, a.inAuth = false, false, false, false
	switch a.state {
	case pop3Begin, pop3CAPA, pop3STLS:
	case pop3USER, pop3PASS, pop3APOP, pop3AUTH:
		a.master = pop3Authorization
		a.state = pop3Begin
	case pop3QUIT:
		if a.master <= pop3Transaction {
			a.master = pop3Finished
		}
	default:
		a.master = pop3Transaction
	}
	a.answered()
}
