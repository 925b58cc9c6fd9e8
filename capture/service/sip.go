package service

import "bytes"

// sipAnalyzer confirms a status line. Requests form one stream and replies
// another, whichever side sends them and however datagrams cut them: a body
// takes the bytes that the last Content-Length of its stream said
// (src/analyzer/protocol/sip/SIP.cc, sip-protocol.pac).
type sipAnalyzer struct {
	node
	requests, replies sipStream
}

type sipStream struct {
	lines  flowLine
	state  sipState
	length int // Content-Length, kept from message to message
	body   int // bytes of the body still to come
}

type sipState uint8

const (
	sipFirstLine sipState = iota
	sipHeader
	sipBody
)

func newSIP() analyzer { return &sipAnalyzer{} }

func (a *sipAnalyzer) data(_ bool, b []byte) {
	s := &a.requests
	reply := len(b) > 6 && bytes.HasPrefix(b, []byte("SIP/"))
	if reply {
		s = &a.replies
	}
	if len(b) == 2 && b[0] == '\r' {
		return
	}
	for len(b) > 0 {
		ok := true
		if s.state == sipBody {
			s.lines.counted(&b)
			n := min(s.body, len(b))
			s.body -= n
			b = b[n:]
			if s.body == 0 {
				s.state = sipFirstLine
			}
			continue
		}
		line, complete := s.lines.next(&b)
		switch {
		case !complete:
			return
		case s.state == sipFirstLine:
			ok = a.firstLine(line, reply)
			s.state = sipHeader
		case len(line) > 0:
			ok = s.header(line)
		case s.length < 0:
			ok = false
		case s.length > 0:
			s.state, s.body = sipBody, s.length
		default:
			s.lines.counted(&b)
			s.state = sipFirstLine
		}
		if !ok {
			a.violate()
			s.lines.discard()
			s.state = sipFirstLine
			return
		}
	}
}

func (a *sipAnalyzer) firstLine(b []byte, reply bool) bool {
	if reply {
		rest, ok := sipVersion(b)
		rest = bytes.TrimLeft(rest, " \t")
		if !ok || len(rest) < 3 || !isDigit(rest[0]) || !isDigit(rest[1]) || !isDigit(rest[2]) {
			return false
		}
		a.confirm()
		return true
	}
	_, b = cutWhile(b, func(c byte) bool { return !isSIPTokenByte(c) })
	method, b := cutWhile(b, isSIPTokenByte)
	uri, b := cutWhile(bytes.TrimLeft(b, " \t"), isGraphic)
	_, ok := sipVersion(bytes.TrimLeft(b, " \t"))
	return len(method) > 0 && len(uri) > 0 && ok
}

// sipVersion reads "SIP/", digits, a point and digits.
func sipVersion(b []byte) (rest []byte, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte("SIP/"))
	major, b := cutWhile(b, isDigit)
	b, point := bytes.CutPrefix(b, []byte("."))
	minor, b := cutWhile(b, isDigit)
	return b, ok && point && len(major) > 0 && len(minor) > 0
}

func (s *sipStream) header(b []byte) bool {
	name, b := cutWhile(b, func(c byte) bool { return c != ':' && !isBlank(c) })
	b = bytes.TrimLeft(b, " \t")
	if len(name) == 0 || len(b) == 0 || b[0] != ':' {
		return false
	}
	if string(name) == "Content-Length" || string(name) == "L" {
		n, _ := strtol(string(bytes.TrimLeft(b[1:], " \t")))
		s.length = int(int32(n))
	}
	return true
}

func isSIPTokenByte(c byte) bool {
	return isDigit(c) || isAlpha(c) || bytes.IndexByte([]byte("_.!%*+`'~-"), c) >= 0
}
