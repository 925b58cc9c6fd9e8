package service

import "bytes"

// postgresqlMessages is one direction in plain text.
type postgresqlMessages struct {
	kept     []byte // of the message in hand
	unseen   uint64 // bytes of it that are passed over
	starting bool   // the startup message has not come yet
	dead     bool
}

// unfinished reports that a message has begun.
func (m *postgresqlMessages) unfinished() bool {
	return !m.dead && (len(m.kept) > 0 || m.unseen > 0)
}

// data parses messages; false is an error, after which nothing is parsed.
func (m *postgresqlMessages) data(a *postgresqlAnalyzer, b []byte, fromOrig bool) bool {
	if m.dead {
		return true
	}
	n := min(m.unseen, uint64(len(b)))
	m.unseen -= n
	if b = b[n:]; len(b) == 0 {
		return true
	}
	if len(m.kept) > 0 {
		m.kept = append(m.kept, b...)
		b = m.kept
	}
	for len(b) > 0 {
		in := &incoming{b: b, more: noEnd}
		switch {
		case m.starting:
			in.postgresqlStartup()
		case fromOrig:
			in.postgresqlRequest()
		default:
			in.postgresqlReply()
		}
		switch in.state {
		case incomingWrong:
			*m = postgresqlMessages{dead: true}
			return false
		case incomingWaits:
			m.wait(in, b)
			return true
		}
		if m.starting {
			m.starting = false
			a.confirm()
		}
		b = in.b
	}
	m.kept = m.kept[:0]
	return true
}

// wait keeps the beginning of a message, within bounds: so late, an error does
// not count any more.
func (m *postgresqlMessages) wait(in *incoming, b []byte) {
	switch {
	case in.unseen > 0:
		m.kept, m.unseen = nil, in.unseen
	case len(b) > maxKept:
		*m = postgresqlMessages{dead: true}
	default:
		m.kept = append(m.kept[:0], b...)
	}
}

func (in *incoming) postgresqlStartup() {
	length := in.word(4)
	if length < 9 {
		in.fail()
	}
	if in.word(2) != 3 {
		in.fail()
	}
	in.word(2)
	in.within(length-9, func(in *incoming) {
		for !in.empty() {
			in.postgresqlName()
			in.postgresqlText(1)
		}
	})
	in.postgresqlNUL()
}

// postgresqlHead reads a message's type and the length of its body.
func (in *incoming) postgresqlHead() (kind byte, size uint64) {
	kind, size = in.u8(), in.word(4)
	if size < 4 {
		in.fail()
		return kind, 0
	}
	return kind, size - 4
}

func (in *incoming) postgresqlRequest() {
	switch kind, size := in.postgresqlHead(); kind {
	case 'X': // terminate
		in.within(size, func(*incoming) {})
	case 'Q': // query
		in.within(size, (*incoming).postgresqlString)
	default:
		in.skip(size)
	}
}

func (in *incoming) postgresqlReply() {
	kind, size := in.postgresqlHead()
	switch kind {
	case 'K': // backend key
		in.within(size, func(in *incoming) { in.bytes(8) })
	case 'E', 'N': // error, notice
		in.within(size, (*incoming).postgresqlFields)
	case 'R': // authentication
		in.postgresqlBody(size, 4, func(code uint64) {
			if code > 12 || code == 0 && size != 4 {
				in.fail()
			}
		})
	case 'S': // parameter
		in.within(size, func(in *incoming) {
			in.postgresqlName()
			in.postgresqlText(0)
		})
	case 'D': // row
		in.postgresqlBody(size, 2, func(uint64) {})
	case 'Z': // ready
		in.within(size, func(in *incoming) {
			if c := in.u8(); c != 'I' && c != 'T' && c != 'E' {
				in.fail()
			}
		})
	default:
		in.skip(size)
	}
}

// postgresqlBody looks at a body's first n bytes and passes over the others.
func (in *incoming) postgresqlBody(size, n uint64, look func(uint64)) {
	if size < n {
		in.within(size, func(in *incoming) { in.bytes(n) })
		return
	}
	if v := in.word(n); in.good() {
		look(v)
	}
	in.skip(size - n)
}

// postgresqlFields reads codes with their texts, up to a NUL.
func (in *incoming) postgresqlFields() {
	for in.u8() != 0 {
		in.postgresqlString()
	}
}

// postgresqlString reads bytes up to a NUL.
func (in *incoming) postgresqlString() {
	if !in.good() {
		return
	}
	n := bytes.IndexByte(in.b, 0)
	if n < 0 {
		n = len(in.b)
	}
	in.bytes(uint64(n) + 1)
}

// postgresqlName reads a parameter's name.
func (in *incoming) postgresqlName() {
	in.postgresqlRun(1, func(c byte) bool {
		return c == '-' || c == '_' || c == '/' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
	})
	in.postgresqlNUL()
}

// postgresqlText reads a parameter's value of at least so many characters.
func (in *incoming) postgresqlText(least int) {
	in.postgresqlRun(least, func(c byte) bool { return c >= 0x20 && c <= 0x7e })
	in.postgresqlNUL()
}

// postgresqlRun takes characters of a kind, and waits for one that ends them.
func (in *incoming) postgresqlRun(least int, is func(byte) bool) {
	if !in.good() {
		return
	}
	n := 0
	for n < len(in.b) && is(in.b[n]) {
		n++
	}
	if n == len(in.b) && in.more > 0 {
		in.state, in.lacks = incomingWaits, 1
		return
	}
	in.bytes(uint64(n))
	if n < least {
		in.fail()
	}
}

func (in *incoming) postgresqlNUL() {
	if in.u8() != 0 {
		in.fail()
	}
}
