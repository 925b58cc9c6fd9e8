package service

import "encoding/binary"

// postgresqlAnalyzer confirms PostgreSQL by the client's whole startup message,
// or by the server's answer to a request for SSL, and hands SSL what follows if
// that was yes (src/analyzer/protocol/postgresql/postgresql.spicy).
type postgresqlAnalyzer struct {
	node
	head   []byte // the client's first eight bytes
	lacks  uint64 // of one of the two numbers in them, some bytes of which will never come
	asked  postgresqlSSL
	answer postgresqlSSL // no, too, where the client did not ask
	wrong  bool          // the answer was neither
	held   [2][][]byte   // blocks that wait for the other side
	ends   [2]spicyEnd
	plain  [2]postgresqlMessages
}

func newPostgreSQL() analyzer {
	a := &postgresqlAnalyzer{}
	a.plain[0].starting = true
	return a
}

// postgresqlSSL is a question or an answer.
type postgresqlSSL uint8

const (
	postgresqlUnknown postgresqlSSL = iota
	postgresqlNo
	postgresqlYes
)

const (
	postgresqlMaxHeld = 4 // MAX_BUFFERED
	postgresqlMagic   = 80877103
)

func (a *postgresqlAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.confirmed && a.answer != postgresqlUnknown && a.det.pastViolations() && !a.wants(fromOrig)
}

func (a *postgresqlAnalyzer) data(fromOrig bool, b []byte) {
	if !a.ends[side(fromOrig)].begin() {
		return
	}
	known := a.asked
	if fromOrig {
		if b = a.begin(b); len(b) == 0 {
			return
		}
		known = a.answer
	}
	held := &a.held[side(fromOrig)]
	if known == postgresqlUnknown {
		*held = append(*held, append([]byte(nil), b...))
		if len(*held) > postgresqlMaxHeld {
			a.stop()
		}
		return
	}
	for _, h := range *held {
		a.write(fromOrig, h)
	}
	*held = nil
	a.write(fromOrig, b)
}

// begin looks at the client's first eight bytes, and returns what follows them.
func (a *postgresqlAnalyzer) begin(b []byte) []byte {
	if a.asked != postgresqlUnknown {
		return b
	}
	if a.lacks > 0 {
		a.miss(uint64(len(b)))
		return nil
	}
	n := min(8-len(a.head), len(b))
	a.head = append(a.head, b[:n]...)
	b = b[n:]
	if len(a.head) < 4 {
		return nil
	}
	length := binary.BigEndian.Uint32(a.head)
	if length < 8 {
		a.stop()
		return nil
	}
	if len(a.head) < 8 {
		return nil
	}
	switch version := binary.BigEndian.Uint32(a.head[4:]); {
	case length == 8 && version == postgresqlMagic:
		a.asked = postgresqlYes
	case version>>16 == 3: // the startup message is parsed once more follows
		a.asked, a.answer = postgresqlNo, postgresqlNo
		a.held[0] = [][]byte{a.head[:4], a.head[4:]}
	default:
		a.stop()
		return nil
	}
	return b
}

// write takes a side's bytes from where both sides know what they speak.
func (a *postgresqlAnalyzer) write(fromOrig bool, b []byte) {
	if !fromOrig && a.answer == postgresqlUnknown {
		b = a.decide(b)
	}
	switch {
	case len(b) == 0 || a.wrong && !fromOrig:
	case a.answer == postgresqlYes:
		a.forward(fromOrig, b)
	case !a.plain[side(fromOrig)].data(a, b, fromOrig):
		a.violate()
	}
}

// decide reads the server's answer. A wrong one goes unnoticed: it is an error
// in a part of Zeek's parser that has nobody to tell.
func (a *postgresqlAnalyzer) decide(b []byte) []byte {
	switch {
	case a.wrong:
		return nil
	case b[0] == 'S':
		a.answer = postgresqlYes
		a.attach(ssl)
	case b[0] == 'N':
		a.answer = postgresqlNo
	default:
		a.wrong = true
		return nil
	}
	a.confirm()
	return b[1:]
}

// stop ends the analysis of both directions with a violation.
func (a *postgresqlAnalyzer) stop() {
	a.violate()
	a.skip = true
}

// gap is an error: at once, but in the client's first two numbers only when
// their bytes would all be there.
func (a *postgresqlAnalyzer) gap(fromOrig bool, n uint64) {
	if !a.ends[side(fromOrig)].begin() {
		return
	}
	if !fromOrig || a.asked != postgresqlUnknown {
		a.stop()
		return
	}
	if a.lacks == 0 {
		a.lacks = 4 - uint64(len(a.head)%4)
	}
	a.miss(n)
}

func (a *postgresqlAnalyzer) miss(n uint64) {
	if n >= a.lacks {
		a.stop()
		return
	}
	a.lacks -= n
}

// eof makes an unfinished message an error, and ends SSL for both sides.
func (a *postgresqlAnalyzer) eof(fromOrig bool) {
	switch {
	case a.skip || !a.ends[side(fromOrig)].finish():
	case fromOrig && a.asked == postgresqlUnknown && len(a.head) > 0:
		a.stop()
	case a.answer == postgresqlYes:
		if c := a.child(ssl); c != nil {
			c.core().remove()
		}
	case a.plain[side(fromOrig)].unfinished():
		a.violate()
	}
}
