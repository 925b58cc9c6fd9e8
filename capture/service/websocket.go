package service

import "encoding/binary"

// websocketAnalyzer confirms a whole message, all frames up to the last; the
// unmasked payload of text and binary messages goes through the signatures
// before that, piece by piece (src/analyzer/protocol/websocket/*.pac).
type websocketAnalyzer struct {
	node
	sides [2]websocketStream
	blind bool // a gap: nothing more can be read
}

// websocketStream reads the frames of one side.
type websocketStream struct {
	later  bool // within a message: this is no first frame
	final  bool
	masked bool
	mask   [4]byte
	at     int    // in the mask
	opcode byte   // of this frame
	kind   byte   // opcode of the message's first frame
	left   uint64 // payload of the frame still to come
	emit   uint64 // of it, what Zeek looks at
	inBody bool
	buf    []byte
}

const (
	websocketChunk   = 8192 // WebSocket::payload_chunk_size
	websocketControl = 125  // WebSocket::max_control_frame_size
)

const (
	websocketText   = 1
	websocketBinary = 2
	websocketClose  = 8
	websocketPing   = 9
	websocketPong   = 10
)

func newWebSocket() analyzer { return &websocketAnalyzer{} }

// configure lets the signatures see the payload (the handler of
// websocket_established).
func (a *websocketAnalyzer) configure() { attachPIA(&a.node) }

func (a *websocketAnalyzer) data(fromOrig bool, b []byte) {
	if a.blind {
		return
	}
	s := &a.sides[side(fromOrig)]
	for len(b) > 0 {
		n := s.needs() - len(s.buf)
		n = min(n, len(b))
		s.buf = append(s.buf, b[:n]...)
		b = b[n:]
		ok := s.inBody || len(s.buf) != 2 || s.begins()
		for ok && len(s.buf) == s.needs() {
			ok = a.unit(s, fromOrig)
		}
		if !ok {
			a.violate()
			*s = websocketStream{}
			return
		}
	}
}

// begins reports whether the first byte of a header fits the message: its first
// frame has an opcode, the others have none.
func (s *websocketStream) begins() bool { return s.later == (s.buf[0]&0x0f == 0) }

// needs returns how many bytes the next unit takes: two, then the whole header, or
// a piece of payload.
func (s *websocketStream) needs() int {
	if s.inBody {
		return int(min(s.left, websocketChunk))
	}
	n := 2
	if len(s.buf) >= 2 {
		switch s.buf[1] & 0x7f {
		case 126:
			n += 2
		case 127:
			n += 8
		}
		if s.buf[1]&0x80 != 0 {
			n += 4
		}
	}
	return n
}

// unit reads a complete header or piece of payload in buf.
func (a *websocketAnalyzer) unit(s *websocketStream, fromOrig bool) bool {
	if s.inBody {
		if !a.payload(s, fromOrig) {
			return false
		}
	} else {
		s.header()
	}
	s.buf = s.buf[:0]
	s.inBody = s.left > 0
	if !s.inBody {
		s.later = !s.final
		if s.final {
			a.confirm()
		}
	}
	return true
}

func (s *websocketStream) header() {
	b := s.buf
	s.opcode = b[0] & 0x0f
	if !s.later {
		s.kind = s.opcode
	}
	s.final = b[0]&0x80 != 0
	size := uint64(b[1] & 0x7f)
	rest := b[2:]
	switch size {
	case 126:
		size, rest = uint64(binary.BigEndian.Uint16(rest)), rest[2:]
	case 127:
		size, rest = binary.BigEndian.Uint64(rest), rest[8:]
	}
	s.masked = b[1]&0x80 != 0
	s.at = 0
	if s.masked {
		copy(s.mask[:], rest)
	}
	s.left, s.emit = size, size
	if s.kind == websocketClose || s.kind == websocketPing || s.kind == websocketPong {
		s.emit = min(s.emit, websocketControl)
	}
}

func (a *websocketAnalyzer) payload(s *websocketStream, fromOrig bool) bool {
	s.left -= uint64(len(s.buf))
	emit := min(uint64(len(s.buf)), s.emit)
	s.emit -= emit
	if s.masked {
		for i := range s.buf {
			s.buf[i] ^= s.mask[s.at&3]
			s.at++
		}
	}
	if s.kind == websocketText || s.kind == websocketBinary {
		a.forward(fromOrig, s.buf)
	}
	return s.opcode != websocketClose || emit >= 2 // a status
}

func (a *websocketAnalyzer) gap(bool, uint64) { a.blind = true }

func (a *websocketAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.blind || a.settled() && !a.wants(fromOrig)
}
