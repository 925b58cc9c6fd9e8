package service

import "bytes"

// maxLine bounds what is kept of one line. Zeek keeps 16 MB; nothing that is
// looked for stands that far behind.
const maxLine = 1 << 16

// zeekMaxLine is DEFAULT_MAX_LINE_LENGTH of src/analyzer/protocol/tcp/ContentLine.h.
const zeekMaxLine = 16*1024*1024 - 100

// lines cuts one side's stream into lines, ended by CR, LF or CRLF, and into
// stretches of plain bytes where its owner asks for them
// (src/analyzer/protocol/tcp/ContentLine.cc).
type lines struct {
	owner    lineTaker
	fromOrig bool
	max      int // a longer line is cut there

	buf      []byte
	got      int  // bytes of the line, also those beyond buf
	last     byte // last byte scanned
	crAlone  bool // CR ends no line by itself, nor does LF
	plain    int64
	size     int64 // bytes after which an open line is forced to end; sizeUnset for none
	rest     int   // bytes of the block behind the line being delivered
	inPlain  bool  // the delivery under way is of plain bytes
	stopped  bool  // deliver nothing more
	removed  bool  // the owner takes the stream itself
	partials bool  // nothing on partial connections
	dropNull bool  // the first NUL is left out
}

const sizeUnset = -1

func newLines(owner lineTaker, fromOrig bool, longest int) *lines {
	return &lines{owner: owner, fromOrig: fromOrig, max: longest, size: sizeUnset}
}

// lineTaker gets the lines, without their ends, and the plain bytes.
type lineTaker interface {
	line(l *lines, b []byte)
	core() *node
}

// data takes a block of the stream.
func (l *lines) data(b []byte) {
	if len(b) == 0 || l.stopped || l.partials && l.owner.core().partial() {
		return
	}
	if l.size > 0 {
		l.size -= int64(len(b))
	}
	l.deliver(b)
	if l.size == 0 {
		if l.got > 0 {
			l.deliver([]byte("\r\n"))
		}
		l.size = sizeUnset
	}
}

// eof hands over what stands without an end of line.
func (l *lines) eof() {
	if l.got > 0 {
		l.data([]byte("\n"))
	}
}

func (l *lines) setPlain(n int64) {
	if n >= 0 {
		l.plain = n
	}
}

func (l *lines) deliver(b []byte) {
	for len(b) > 0 && !l.stopped {
		if !l.crAlone && l.last == '\r' && b[0] == '\n' {
			l.last = '\n' // the second half of an end of line
			b = b[1:]
		}
		if l.plain > 0 {
			n := int(min(l.plain, int64(len(b))))
			l.last = 0
			l.plain -= int64(n)
			l.rest = len(b) - n
			l.inPlain = true
			l.hand(b[:n])
			l.inPlain = false
			b = b[n:]
		}
		if len(b) > 0 {
			b = b[l.once(b):]
		}
	}
}

// once delivers one line, or keeps all of b; it returns how much it used.
func (l *lines) once(b []byte) int {
	limit := l.max
	start := 0 // of what is not in buf yet
	for i := 0; i < len(b); i++ {
		if n := withinLine(b[i:], limit-l.got); n > 0 && !l.dropNull {
			l.got += n
			l.last = b[i+n-1]
			if i += n; i == len(b) {
				break
			}
		}
		c := b[i]
		if l.got >= limit {
			l.store(b[start:i])
			l.got = limit - 1
			l.buf = l.buf[:min(len(l.buf), l.got)]
			l.last = c
			l.emit(nil, len(b)-i-1)
			return i + 1
		}
		switch {
		case c == 0 && l.dropNull:
			l.dropNull = false
			l.store(b[start:i])
			start = i + 1
		case c == '\r' && i+1 < len(b) && b[i+1] == '\n':
			l.last = '\n'
			l.emit(b[start:i], len(b)-i-2)
			return i + 2
		case c == '\r' && !l.crAlone:
			l.last = c
			l.emit(b[start:i], len(b)-i-1)
			return i + 1
		case c == '\n' && l.last == '\r':
			if l.got == 0 {
				start = i + 1 // swallowed: the CR ended a line before
				break
			}
			l.store(b[start:i])
			l.got--
			l.buf = l.buf[:min(len(l.buf), l.got)]
			l.last = c
			l.emit(nil, len(b)-i-1)
			return i + 1
		case c == '\n' && !l.crAlone:
			l.last = c
			l.emit(b[start:i], len(b)-i-1)
			return i + 1
		default:
			l.got++
		}
		l.last = c
	}
	l.store(b[start:])
	return len(b)
}

// withinLine returns how many bytes, and at most so many, come before a CR or LF.
func withinLine(b []byte, most int) (n int) {
	const step = 64 // lest a distant LF be looked for again behind each CR
	for b = b[:max(0, min(len(b), most))]; n < len(b); {
		part := b[n:min(n+step, len(b))]
		at := bytes.IndexByte(part, '\n')
		if at < 0 {
			at = len(part)
		}
		if cr := bytes.IndexByte(part[:at], '\r'); cr >= 0 {
			at = cr
		}
		n += at
		if at < len(part) {
			break
		}
	}
	return n
}

// store keeps bytes of the line.
func (l *lines) store(b []byte) {
	l.buf = append(l.buf, b[:min(len(b), max(0, maxLine-len(l.buf)))]...)
}

// emit delivers buf and tail as a line.
func (l *lines) emit(tail []byte, rest int) {
	l.rest = rest
	line := tail
	if len(l.buf) > 0 {
		l.store(tail)
		line = l.buf
	}
	l.buf, l.got = l.buf[:0], 0
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	l.hand(line)
}

// hand gives the owner what it is to have, unless it is on its way out.
func (l *lines) hand(b []byte) {
	if l.owner.core().attached() {
		l.owner.line(l, b)
	}
}
