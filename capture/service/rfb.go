package service

import "encoding/binary"

// rfbAnalyzer confirms the client's version. Both sides are followed through
// the handshake, then only the client; data out of turn violates
// (src/analyzer/protocol/rfb/rfb-protocol.pac, rfb-analyzer.pac).
type rfbAnalyzer struct {
	node
	sides     [2]rfbSide // client, server
	minor     int        // version of the client
	keyLength int        // of Apple's authentication
	over      bool       // the handshake: the server is not read any more
	dead      bool       // after an error or a gap
}

type rfbSide struct {
	state rfbState
	now   rfbState // that of the message being read
	frame frameBuffer
	kind  byte // of the client's next message
}

// rfbState says which message comes next.
type rfbState uint8

const (
	rfbVersion  rfbState = iota
	rfbWait              // for the other side
	rfbSecurity          // server's choice, before version 3.7
	rfbSecurityList
	rfbSelection // the client's choice
	rfbFailure
	rfbVNCChallenge
	rfbVNCResponse
	rfbARDChallenge
	rfbARDResponse
	rfbResult
	rfbInit
	rfbMessageType
	rfbMessage
)

const rfbMaxText = 65536

func newRFB() analyzer { return &rfbAnalyzer{} }

func (a *rfbAnalyzer) data(fromOrig bool, b []byte) {
	if a.partial() || a.dead || a.over && !fromOrig {
		return
	}
	s := &a.sides[side(fromOrig)]
	for len(b) > 0 {
		if s.frame.got == 0 {
			s.now = s.state
		}
		if s.now == rfbWait {
			a.stop()
			return
		}
		m, state := s.frame.next(&b, a.head(s, fromOrig), func(h []byte) (int, bool) { return a.size(s, h, fromOrig) })
		if state == frameWaits {
			return
		}
		if state == frameWrong || !a.message(s, m.b, fromOrig) {
			a.stop()
			return
		}
	}
}

// stop ends the analysis with a violation.
func (a *rfbAnalyzer) stop() {
	a.violate()
	a.dead = true
}

// head returns how many bytes tell the length of the message.
func (a *rfbAnalyzer) head(s *rfbSide, fromOrig bool) int {
	switch s.now {
	case rfbVersion:
		return 12
	case rfbSecurity, rfbFailure, rfbResult, rfbARDChallenge:
		return 4
	case rfbVNCChallenge, rfbVNCResponse:
		return 16
	case rfbARDResponse:
		return max(1, 2*a.keyLength)
	case rfbInit:
		if !fromOrig {
			return 24
		}
	case rfbMessage:
		heads := rfbClientHeads
		if !fromOrig {
			heads = rfbServerHeads
		}
		if int(s.kind) < len(heads) {
			return heads[s.kind]
		}
	}
	return 1
}

// The fixed part of a message, by its type; 0 for a type that Zeek does not know.
var (
	rfbClientHeads = []int{0: 19, 2: 3, 3: 9, 4: 7, 5: 5, 6: 7}
	rfbServerHeads = []int{0: 3, 1: 5, 3: 7}
)

// size finds the length of the message from its head; false: it is none.
func (a *rfbAnalyzer) size(s *rfbSide, h []byte, fromOrig bool) (int, bool) {
	text := func(at int) (int, bool) {
		n := binary.BigEndian.Uint32(h[at:])
		return at + 4 + int(n), n < rfbMaxText
	}
	switch s.now {
	case rfbFailure:
		return text(0)
	case rfbSecurityList:
		return 1 + int(h[0]), true
	case rfbARDChallenge:
		return 4 + 2*int(binary.BigEndian.Uint16(h[2:])), true
	case rfbInit:
		if !fromOrig {
			return text(20)
		}
	case rfbMessage:
		switch {
		case fromOrig && s.kind == 2:
			return 3 + 4*int(binary.BigEndian.Uint16(h[1:])), true
		case fromOrig && s.kind == 6, !fromOrig && s.kind == 3:
			return text(3)
		case !fromOrig && s.kind == 1:
			return 5 + 6*int(binary.BigEndian.Uint16(h[3:])), true
		}
		return len(h), len(h) > 1
	}
	return len(h), true
}

// message acts on a complete message.
func (a *rfbAnalyzer) message(s *rfbSide, b []byte, fromOrig bool) bool {
	client, server := &a.sides[0], &a.sides[1]
	switch s.now {
	case rfbVersion:
		return a.version(b, fromOrig)
	case rfbSecurity:
		switch binary.BigEndian.Uint32(b) {
		case 0:
			server.state, client.state = rfbFailure, rfbInit
		case 1:
			server.state, client.state = rfbInit, rfbInit
		case 2:
			server.state, client.state = rfbVNCChallenge, rfbVNCResponse
		default:
			a.violate()
		}
	case rfbSecurityList:
		server.state = rfbWait
		if b[0] == 0 {
			server.state = rfbFailure
		}
	case rfbSelection:
		switch b[0] {
		case 1:
			client.state, server.state = rfbInit, rfbInit
			if a.minor > 7 {
				server.state = rfbResult
			}
		case 2:
			client.state, server.state = rfbVNCResponse, rfbVNCChallenge
		case 30:
			client.state, server.state = rfbWait, rfbARDChallenge
		default:
			a.violate()
		}
	case rfbFailure:
		server.state = rfbInit
	case rfbVNCChallenge:
		server.state, client.state = rfbResult, rfbVNCResponse
	case rfbARDChallenge:
		a.keyLength = int(binary.BigEndian.Uint16(b[2:]))
		server.state, client.state = rfbResult, rfbARDResponse
		if a.keyLength == 0 {
			client.state = rfbInit
		}
	case rfbVNCResponse, rfbARDResponse:
		client.state = rfbInit
	case rfbResult:
		switch binary.BigEndian.Uint32(b) {
		case 0:
			server.state = rfbInit
		case 1:
			server.state = rfbFailure
		default:
			a.violate()
		}
	case rfbInit:
		s.state = rfbMessageType
		if !fromOrig {
			a.over = true
		}
	case rfbMessageType:
		s.kind, s.state = b[0], rfbMessage
		if !fromOrig && s.kind == 2 { // a bell: nothing follows
			s.state = rfbMessageType
			return true
		}
		return a.head(&rfbSide{now: rfbMessage, kind: s.kind}, fromOrig) > 1
	case rfbMessage:
		s.state = rfbMessageType
	}
	return true
}

func (a *rfbAnalyzer) version(b []byte, fromOrig bool) bool {
	if string(b[:4]) != "RFB " || b[7] != '.' {
		return false
	}
	client, server := &a.sides[0], &a.sides[1]
	if !fromOrig {
		server.state = rfbWait
		return true
	}
	minor, _ := strtol(string(b[8:11]))
	a.minor = int(minor)
	if a.minor >= 7 {
		server.state, client.state = rfbSecurityList, rfbSelection
	} else {
		server.state, client.state = rfbSecurity, rfbWait
	}
	a.confirm()
	return true
}

func (a *rfbAnalyzer) gap(bool, uint64) { a.dead = true }

func (a *rfbAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.dead || a.over && !fromOrig || a.settled()
}
