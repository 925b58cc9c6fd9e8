package service

import (
	"bytes"
	"math"
	"strings"
)

// httpBody is what HTTP adds to an entity: how long its body is
// (src/analyzer/protocol/http/HTTP.cc, HTTP_Entity).
type httpBody struct {
	chunks  chunkState
	length  int64 // Content-Length; −1 when not given
	span    int64 // of Content-Range; −1
	partial bool  // a range was given
	expect  int64 // bytes still to come
	got     int64 // bytes of body so far
	wanted  bodyExpected
	packed  packing
	sample  []byte // the beginning of a packed body
}

type bodyExpected uint8

const (
	bodyNotExpected bodyExpected = iota
	bodyExpectedSurely
	bodyMaybe
)

type chunkState uint8

const (
	notChunked chunkState = iota
	beforeChunk
	chunkSize
	chunkData
	chunkDataEnd
	chunkTrailer
	chunksOver
)

type packing uint8

const (
	notPacked packing = iota
	gzipped
	deflated
)

func (h *httpBody) reset() { *h = httpBody{length: -1, span: -1, wanted: bodyExpectedSurely} }

// httpMessage is a request or a reply.
type httpMessage struct {
	http     *httpAnalyzer
	lines    *lines
	fromOrig bool
	top      *entity
	current  *entity
	finished bool
}

func newHTTPMessage(a *httpAnalyzer, l *lines, fromOrig bool, wanted bodyExpected) *httpMessage {
	m := &httpMessage{http: a, lines: l, fromOrig: fromOrig}
	m.top = newEntity(m, nil)
	m.top.body.wanted = wanted
	m.current = m.top
	return m
}

func (m *httpMessage) take(b []byte, newline bool) { m.deliver(m.top, b, newline) }

func (m *httpMessage) deliver(e *entity, b []byte, newline bool) {
	h := &e.body
	switch {
	case e.ended:
	case e.inHeader:
		e.take(b, newline)
	case e.kind == mediaMultipart || e.kind == mediaMessage:
		m.bodyBytes(e, b, newline)
		if e.depth == 0 && h.length > 0 {
			h.expect -= int64(len(b))
			if newline {
				h.expect -= 2
			}
			if h.expect <= 0 {
				m.lines.setPlain(0)
				m.end(e)
			}
		}
	case h.chunks != notChunked:
		m.chunk(e, b)
	case h.length >= 0:
		m.bodyBytes(e, b, false)
		if h.expect -= int64(len(b)); h.expect <= 0 {
			m.lines.setPlain(0)
			m.lines.size = sizeUnset
			m.end(e)
		}
	default:
		m.bodyBytes(e, b, newline)
	}
}

func (m *httpMessage) chunk(e *entity, b []byte) {
	h := &e.body
	switch h.chunks {
	case chunkSize:
		if n, ok := leadingInt(b, 16); ok {
			h.expect = n
		} else {
			h.expect = 0
		}
		if h.expect > 0 {
			h.chunks = chunkData
			m.lines.setPlain(h.expect)
		} else {
			e.inHeader = true
			h.chunks = chunkTrailer
		}
	case chunkData:
		if h.expect -= int64(len(b)); h.expect <= 0 {
			m.lines.setPlain(0)
			h.chunks = chunkDataEnd
		}
		m.bodyBytes(e, b, false)
	case chunkDataEnd:
		h.chunks = chunkSize
	}
}

func (m *httpMessage) bodyBytes(e *entity, b []byte, newline bool) {
	m.http.det.drain()
	if e.body.packed != notPacked {
		if room := packedSample - len(e.body.sample); room > 0 {
			e.body.sample = append(e.body.sample, b[:min(room, len(b))]...)
		}
		return
	}
	e.body.got += int64(len(b))
	if newline {
		e.body.got += 2
	}
	e.take(b, newline)
}

// gap accounts for n missing bytes; it returns false when they do not all lie
// within the body, so that nothing is known of what follows.
func (m *httpMessage) gap(n int64) bool {
	e := m.current
	if e == nil {
		e = m.top
	}
	h := &e.body
	if h.packed != notPacked && h.got == 0 && unpacks(h.sample, h.packed) {
		h.got = 1
	}
	if e.ended && e.inHeader || h.got == 0 {
		return false
	}
	switch {
	case h.chunks != notChunked:
		if h.chunks != chunkData || h.expect < n {
			return false
		}
		h.got += n
		h.expect -= n
		m.lines.setPlain(h.expect)
		if h.expect == 0 {
			h.chunks = chunkDataEnd
		}
		return true
	case h.length >= 0:
		if h.expect < n {
			return false
		}
		h.got += n
		h.expect -= n
		m.lines.setPlain(h.expect)
		if h.expect <= 0 {
			m.end(e)
		}
		return true
	}
	return false
}

func (m *httpMessage) field(e *entity, f *headerField) {
	h := &e.body
	switch {
	case equalFold(f.name, "content-length"):
		if t, _ := f.token(); len(t) > 0 {
			n, ok := leadingInt(t, 10)
			if !ok || n < 0 {
				h.length = 0
				break
			}
			h.length = n
			if h.partial && h.span > n {
				h.length = h.span
			}
		}
	case equalFold(f.name, "content-range") && m.http.replyCode == 206:
		m.contentRange(h, f)
	case equalFold(f.name, "transfer-encoding"):
		if e.depth == 0 {
			version := m.http.replyVersion
			if m.http.requestOngoing {
				version = m.http.requestVersion
			}
			if t, _ := f.token(); equalFold(t, "chunked") && version == (httpVersion{1, 1}) {
				h.chunks = beforeChunk
			}
		}
	case equalFold(f.name, "content-encoding"):
		switch t, _ := f.token(); {
		case equalFold(t, "gzip"), equalFold(t, "x-gzip"):
			h.packed = gzipped
		case equalFold(t, "deflate"):
			h.packed = deflated
		}
	}
	m.http.headerField(m.fromOrig, f)
}

// contentRange takes the length from "bytes first-last/all".
func (m *httpMessage) contentRange(h *httpBody, f *headerField) {
	unit, rest := f.token()
	if string(unit) != "bytes" {
		return
	}
	span, _, ok := strings.Cut(strings.ReplaceAll(string(rest), " ", ""), "/")
	if !ok {
		return
	}
	from, to, ok := strings.Cut(span, "-")
	if !ok {
		return
	}
	first, ok1 := leadingInt([]byte(from), 10)
	last, ok2 := leadingInt([]byte(to), 10)
	if !ok1 || !ok2 || first < 0 || last < first || last-first == math.MaxInt64 {
		return
	}
	h.partial = true
	h.span = last - first + 1
	if h.length <= 0 || h.span > h.length {
		h.length = h.span
	}
}

// headerEnd decides what body follows.
func (m *httpMessage) headerEnd(e *entity) {
	h := &e.body
	if e.parent != nil && e.parent.kind == mediaMultipart {
		m.lines.crAlone = true
	}
	if h.length >= 0 {
		m.lines.size = h.length
	}
	if h.chunks == chunkTrailer {
		h.chunks = chunksOver
		m.end(e)
		return
	}
	if h.wanted == bodyNotExpected {
		m.end(e)
		return
	}
	switch {
	case e.kind == mediaMultipart || e.kind == mediaMessage:
		if e.depth == 0 && h.length > 0 {
			h.expect = h.length
			m.lines.size = h.length
		} else if e.depth == 0 && h.length == 0 {
			m.end(e)
		}
	case h.chunks != notChunked:
		h.chunks = chunkSize
	case h.length > 0:
		h.expect = h.length
		m.lines.setPlain(h.length)
	case h.length == 0:
		m.end(e)
	case m.http.connectionClose || h.packed != notPacked:
		h.expect = math.MaxInt32
		m.lines.setPlain(math.MaxInt32)
	case h.wanted != bodyExpectedSurely:
		m.end(e)
	}
}

func (m *httpMessage) begin(e *entity) { m.current = e }

func (m *httpMessage) end(e *entity) {
	e.body.packed = notPacked
	e.endOfData()
}

func (m *httpMessage) ended(e *entity) {
	m.current = e.parent
	if e.parent != nil && e.parent.kind == mediaMultipart {
		m.lines.crAlone = false
	}
	if e == m.top {
		m.done()
		return
	}
	m.fileEnd()
}

func (m *httpMessage) tooMuchHeader() { m.http.det.conn.GiveUp() }

func (m *httpMessage) done() {
	if m.finished {
		return
	}
	m.finished = true
	m.end(m.top)
	m.fileEnd()
	if m.fromOrig {
		m.http.requestMade(false)
	} else {
		m.http.replyMade(false)
	}
}

// fileEnd runs the events so far, as Zeek's file analysis does to ask scripts
// for a file's name (src/file_analysis/Manager.cc, GetFileID).
func (m *httpMessage) fileEnd() {
	if m.fromOrig || m.http.replyCode != 206 {
		m.http.det.drain()
	}
}

// leadingInt reads the number at the beginning of b, as C++'s from_chars does:
// no blanks, no plus sign, whatever follows is left alone.
func leadingInt(b []byte, base int64) (int64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	var n int64
	digits := 0
	for _, c := range b {
		d := int64(99)
		switch {
		case isDigit(c):
			d = int64(c - '0')
		case isAlpha(c):
			d = int64(c|0x20-'a') + 10
		}
		if d >= base {
			break
		}
		if n > (math.MaxInt64-d)/base {
			return 0, false
		}
		n = n*base + d
		digits++
	}
	if negative {
		n = -n
	}
	return n, digits > 0
}

// hasFoldedPrefix reports whether b begins with s in any case.
func hasFoldedPrefix(b []byte, s string) bool {
	return len(b) >= len(s) && bytes.EqualFold(b[:len(s)], []byte(s))
}
