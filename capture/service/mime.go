package service

import "bytes"

// MIME structure, as far as it decides where an HTTP message ends: headers,
// multipart boundaries, nested entities (src/analyzer/protocol/mime/MIME.cc).

// Zeek's limits (MIME::max_depth, MIME::max_header_bytes in init-bare.zeek).
const (
	mimeMaxDepth       = 100
	mimeMaxHeaderBytes = 65536
)

// entity is a header block and the body that follows it.
type entity struct {
	owner  entityOwner
	parent *entity
	child  *entity
	depth  int

	inHeader   bool
	ended      bool
	header     []byte // the header field being read, with its continuation lines
	open       bool   // there is one
	headerSize int

	kind       mediaType
	parameters bool // the content type has parameters to look at
	boundary   []byte
	bounded    bool

	body httpBody // HTTP's part
}

type mediaType uint8

const (
	mediaText mediaType = iota
	mediaMultipart
	mediaMessage
	mediaOther
)

// entityOwner is the message that an entity is part of.
type entityOwner interface {
	deliver(e *entity, b []byte, newline bool)
	field(e *entity, h *headerField)
	headerEnd(e *entity)
	begin(e *entity)
	end(e *entity) // asks for endOfData, with what the owner does before it
	ended(e *entity)
	tooMuchHeader()
}

func newEntity(owner entityOwner, parent *entity) *entity {
	e := &entity{owner: owner, parent: parent, inHeader: true}
	e.body.reset()
	if parent != nil {
		e.depth = parent.depth + 1
	}
	return e
}

// take reads a line, or a piece of body.
func (e *entity) take(b []byte, newline bool) {
	switch {
	case !e.inHeader:
		e.bodyLine(b, newline)
	case len(b) == 0 || b[0] == 0:
		e.finishField()
		e.inHeader = false
		e.owner.headerEnd(e)
		if !e.ended && e.kind == mediaMessage {
			e.beginChild()
		}
	case isBlank(b[0]):
		e.continueField(b)
	default:
		e.newField(b)
	}
}

// endOfData closes the entity and what is open within it.
func (e *entity) endOfData() {
	if e.ended {
		return
	}
	e.ended = true
	if e.inHeader {
		e.finishField()
		e.inHeader = false
		e.owner.headerEnd(e)
	} else if e.child != nil {
		e.endChild()
	}
	e.owner.ended(e)
}

func (e *entity) bodyLine(b []byte, newline bool) {
	if e.kind == mediaMultipart {
		switch boundary, closing := e.isBoundary(b); {
		case closing:
			if e.child != nil {
				e.endChild()
			}
			e.owner.end(e)
			return
		case boundary:
			if e.child != nil {
				e.endChild()
			}
			if !e.ended {
				e.beginChild()
			}
			return
		}
	}
	if (e.kind == mediaMultipart || e.kind == mediaMessage) && e.child != nil {
		e.owner.deliver(e.child, b, newline)
	}
}

func (e *entity) isBoundary(b []byte) (boundary, closing bool) {
	rest, ok := bytes.CutPrefix(b, []byte("--"))
	if !ok {
		return false, false
	}
	if rest, ok = bytes.CutPrefix(rest, e.boundary); !ok {
		return false, false
	}
	return true, bytes.HasPrefix(rest, []byte("--"))
}

func (e *entity) beginChild() {
	if e.depth < mimeMaxDepth {
		e.child = newEntity(e.owner, e)
		e.owner.begin(e.child)
	}
}

func (e *entity) endChild() {
	e.owner.end(e.child)
	e.child = nil
}

func (e *entity) newField(b []byte) {
	e.finishField()
	if len(b) > 0 {
		e.header = append(e.header[:0], b...)
		e.headerSize = len(b)
		e.open = true
	}
}

func (e *entity) continueField(b []byte) {
	if !e.open {
		e.newField(bytes.TrimLeft(b, " \t"))
		return
	}
	if e.headerSize >= mimeMaxHeaderBytes {
		e.owner.tooMuchHeader()
		return
	}
	e.headerSize += len(b)
	e.header = append(e.header, b...)
}

func (e *entity) finishField() {
	if !e.open {
		return
	}
	e.open = false
	h, ok := parseField(e.header)
	if !ok {
		return
	}
	if equalFold(h.name, "content-type") {
		e.contentType(h.value)
	}
	e.owner.field(e, &h)
}

// contentType takes over the media type and a multipart's boundary.
func (e *entity) contentType(value []byte) {
	main, sub, rest, ok := slashPair(value)
	_ = sub
	if !ok {
		return
	}
	switch {
	case equalFold(main, "multipart"):
		e.kind = mediaMultipart
	case equalFold(main, "message"):
		e.kind = mediaMessage
	case equalFold(main, "text"):
		e.kind = mediaText
	default:
		e.kind = mediaOther
	}
	e.parameters = e.kind == mediaMultipart || e.kind == mediaMessage
	if e.parameters {
		e.fieldParameters(rest)
	}
	if e.kind == mediaMultipart && !e.bounded {
		e.kind = mediaOther
	}
}

func (e *entity) fieldParameters(b []byte) {
	for {
		b = skipComments(b)
		if len(b) == 0 || b[0] != ';' {
			return
		}
		name, rest, ok := token(b[1:], false)
		if !ok {
			return
		}
		b = skipComments(rest)
		if len(b) == 0 || b[0] != '=' {
			b = rest
			continue
		}
		b = b[1:]
		boundary := e.kind == mediaMultipart && equalFold(name, "boundary")
		value, rest, ok := parameterValue(b, boundary)
		if !ok {
			continue
		}
		if boundary {
			e.boundary, e.bounded = append(e.boundary[:0], value...), true
		}
		b = rest
	}
}

// headerField is one field of a header.
type headerField struct{ name, value []byte }

func parseField(b []byte) (headerField, bool) {
	b = skipComments(b)
	for len(b) > 0 && !isFieldNameByte(b[0]) {
		b = skipSome(b)
	}
	if len(b) == 0 {
		return headerField{}, false
	}
	i := 0
	for i < len(b) && isFieldNameByte(b[i]) {
		i++
	}
	h := headerField{name: b[:i]}
	rest := skipComments(b[i:])
	if len(rest) == 0 || rest[0] != ':' {
		return headerField{}, false
	}
	rest = rest[1:]
	for len(rest) > 0 && isSpace(rest[0]) {
		rest = rest[1:]
	}
	h.value = rest
	return h, true
}

// token returns the value's first token and what follows it.
func (h *headerField) token() (t, rest []byte) {
	t, rest, _ = token(h.value, false)
	return t, rest
}

// token finds the next token, skipping what cannot begin one.
func token(b []byte, boundary bool) (t, rest []byte, ok bool) {
	if !boundary {
		b = skipComments(b)
	}
	for len(b) > 0 && !isTokenByte(b[0], boundary) {
		b = skipSome(b)
	}
	i := 0
	for i < len(b) && isTokenByte(b[i], boundary) {
		i++
	}
	return b[:i], b[i:], i > 0
}

// skipSome skips blanks and comments, or else one byte.
func skipSome(b []byte) []byte {
	if s := skipComments(b); len(s) < len(b) {
		return s
	}
	return b[1:]
}

func slashPair(b []byte) (first, second, rest []byte, ok bool) {
	first, b, ok = token(b, false)
	if !ok {
		return nil, nil, nil, false
	}
	b = skipComments(b)
	if len(b) == 0 || b[0] != '/' {
		return nil, nil, nil, false
	}
	second, rest, ok = token(b[1:], false)
	return first, second, rest, ok
}

// parameterValue reads a token or a quoted string; of a boundary nearly
// everything is accepted.
func parameterValue(b []byte, boundary bool) (value, rest []byte, ok bool) {
	if !boundary {
		b = skipComments(b)
	}
	if len(b) == 0 || b[0] != '"' {
		return token(b, boundary)
	}
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
			if i < len(b) {
				value = append(value, b[i])
			}
		case '"':
			return value, b[i+1:], true
		default:
			value = append(value, b[i])
		}
	}
	return nil, nil, false
}

// skipComments skips blanks and parenthesized comments.
func skipComments(b []byte) []byte {
	for len(b) > 0 {
		switch {
		case isBlank(b[0]):
			b = b[1:]
		case b[0] == '(':
			b = skipComment(b)
		default:
			return b
		}
	}
	return b
}

func skipComment(b []byte) []byte {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return b[i+1:]
			}
		case '\\':
			i++
		}
	}
	return nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isFieldNameByte(c byte) bool { return 33 <= c && c <= 126 && c != ':' }

func isTokenByte(c byte, boundary bool) bool {
	if c < 33 || c > 126 {
		return false
	}
	if boundary {
		return c != '"'
	}
	return bytes.IndexByte([]byte(`()<>@,;:\"/[]?=`), c) < 0
}

// upper turns letters of ASCII, and no others, into capitals.
func upper(b []byte) string {
	u := bytes.Clone(b)
	for i, c := range u {
		if 'a' <= c && c <= 'z' {
			u[i] = c - 'a' + 'A'
		}
	}
	return string(u)
}

func equalFold(b []byte, s string) bool {
	return len(b) == len(s) && bytes.EqualFold(b, []byte(s))
}
