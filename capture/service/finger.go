package service

import "bytes"

// fingerAnalyzer confirms a request that asks for something, and a line of
// reply that says something (src/analyzer/protocol/finger/finger.spicy).
type fingerAnalyzer struct {
	node
	sides [2]fingerSide
}

// fingerSide is one direction: the request, of one line, or the reply.
type fingerSide struct {
	begun, reply bool
	over         bool // no more is looked at
	state        fingerState
	long         bool   // the request has /W
	line         []byte // as far as it matters
	size         int
}

type fingerState uint8

const (
	fingerBlanks     fingerState = iota // in front of a request
	fingerSlash                         // of /W, perhaps
	fingerMoreBlanks                    // behind that
	fingerLine                          // a request's words or a line of reply
	fingerLineEnd                       // behind the CR of a reply
)

const (
	fingerMaxLine    = 1024 // Finger::max_line_length
	fingerLeastReply = 11   // characters that say something
)

func newFinger() analyzer { return &fingerAnalyzer{} }

func (a *fingerAnalyzer) flip() { a.sides[0], a.sides[1] = a.sides[1], a.sides[0] }

// start returns the state of a side, whose part is that of its first byte.
func (a *fingerAnalyzer) start(fromOrig bool) *fingerSide {
	s := &a.sides[side(fromOrig)]
	if !s.begun {
		s.begun, s.reply = true, !fromOrig
		if s.reply {
			s.state = fingerLine
		}
	}
	return s
}

func (a *fingerAnalyzer) data(fromOrig bool, b []byte) {
	s := a.start(fromOrig)
	for _, c := range b {
		if s.over {
			return
		}
		ok := false
		if s.reply {
			ok = a.replied(s, c)
		} else {
			ok = a.requested(s, c)
		}
		if !ok {
			a.stop()
			return
		}
	}
}

// requested takes a byte of the request.
func (a *fingerAnalyzer) requested(s *fingerSide, c byte) bool {
	blank := c == ' ' || c == '\t'
	switch {
	case s.state == fingerSlash && c == 'W':
		s.long, s.state = true, fingerMoreBlanks
		return true
	case s.state == fingerSlash:
		s.line = append(s.line, '/')
	case s.state == fingerBlanks && c == '/':
		s.state = fingerSlash
		return true
	case s.state != fingerLine && blank:
		return true
	}
	s.state = fingerLine
	if c == '\r' || c == '\n' {
		return a.ask(s)
	}
	s.line = append(s.line, c)
	return len(s.line) <= fingerMaxLine
}

// ask ends the request, which should name a user or ask for much. False: it is
// no text.
func (a *fingerAnalyzer) ask(s *fingerSide) bool {
	user, host, _ := bytes.Cut(bytes.Trim(s.line, " \t\f\v\n\r"), []byte("@"))
	_, ok := spicyRunes(user)
	if _, also := spicyRunes(host); !ok || !also {
		return false
	}
	if len(user) > 0 || s.long {
		a.confirm()
	}
	s.over, s.line = true, nil
	return true
}

// replied takes a byte of the reply.
func (a *fingerAnalyzer) replied(s *fingerSide, c byte) bool {
	end := c == '\r' || c == '\n'
	switch {
	case s.state == fingerLineEnd && c != '\n':
		return false
	case !end:
		if s.size++; s.size <= fingerMaxLine {
			s.line = append(s.line, c)
		}
		return true
	case s.size > fingerMaxLine:
		return false
	case c == '\r':
		s.state = fingerLineEnd
		return true
	}
	n, ok := spicyRunes(s.line)
	if ok && n >= fingerLeastReply {
		a.confirm()
	}
	s.state, s.size, s.line = fingerLine, 0, s.line[:0]
	return ok
}

// stop ends the analysis of both directions with a violation.
func (a *fingerAnalyzer) stop() {
	a.violate()
	a.skip = true
}

func (a *fingerAnalyzer) gap(fromOrig bool, _ uint64) {
	if s := a.start(fromOrig); !s.over {
		a.stop()
	}
}

func (a *fingerAnalyzer) eof(fromOrig bool) {
	s := &a.sides[side(fromOrig)]
	if a.skip || !s.begun || s.over {
		return
	}
	switch s.state {
	case fingerBlanks, fingerSlash, fingerLineEnd: // unfinished
		a.violate()
	default:
		if !s.reply && !a.ask(s) {
			a.violate()
		}
	}
	s.over = true
}

func (a *fingerAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.settled() || a.sides[side(fromOrig)].over
}
