package service

import "bytes"

// redisUnit parses one direction, a command or a value after the other, without
// keeping them.
type redisUnit struct {
	state redisState
	used  int // bytes of the value that are behind the parser

	size   int  // of the line so far, without its end
	cr     bool // a CR is pending
	words  bool // the line has more than blanks
	number redisNumber

	left  uint64   // of a string
	holed bool     // bytes of it are missing
	keep  bool     // the others, up to maxKept
	kept  [][]byte // which they are; nil if bytes are missing
	room  int      // for more of them

	name     redisName        // a command's first word
	elements int              // of the whole value
	open     []redisAggregate // that it is in
	again    bool             // the value behind its attributes comes
	null     bool             // a command has a string that is none
}

// redisAggregate is an array, a set, a map, or attributes of a value.
type redisAggregate struct {
	left       uint64 // values to come
	attributes bool
}

type redisState uint8

const (
	redisKind    redisState = iota // of a value or a command
	redisBoolean                   // its value
	redisText                      // a line
	redisArray                     // the number of elements
	redisSet
	redisMap
	redisAttributes
	redisLength  // of a string
	redisContent // the string
	redisTail    // the end of line behind it
	redisSearch  // for the end of a line, after an error
	redisInline  // words of a command
	redisString  // the kind of a command's element
)

// redisEvent is what bytes have come to.
type redisEvent uint8

const (
	redisGoesOn  redisEvent = iota
	redisDone               // a value or a command is complete
	redisWrong              // an error that a reply survives
	redisMissing            // a string is complete but for bytes that are missing
	redisBad                // any other error
)

// next begins a value.
func (u *redisUnit) next() { *u = redisUnit{open: u.open[:0], keep: u.keep} }

// resume looks for an end of line.
func (u *redisUnit) resume() {
	u.next()
	u.state = redisSearch
}

// reply takes bytes of the server's.
func (u *redisUnit) reply(b *[]byte) redisEvent {
	switch u.state {
	case redisKind:
		return u.kind(u.take(b))
	case redisBoolean:
		u.take(b)
		u.read(redisText)
		return redisGoesOn
	case redisContent:
		return u.content(b)
	case redisSearch:
		if u.line(b) {
			u.next()
		}
		return redisGoesOn
	}
	done := u.line(b)
	switch {
	case u.size >= redisMaxSize:
		return redisWrong
	case !done:
		return redisGoesOn
	case u.state == redisText || u.state == redisTail:
		return u.complete()
	}
	return u.counted()
}

// take removes a byte.
func (u *redisUnit) take(b *[]byte) byte {
	c := (*b)[0]
	*b = (*b)[1:]
	u.used++
	return c
}

func (u *redisUnit) kind(c byte) redisEvent {
	switch c {
	case '+', '-', ':', ',', '(', '_':
		u.read(redisText)
	case '$', '!', '=':
		u.read(redisLength)
	case '*', '>':
		u.read(redisArray)
	case '~':
		u.read(redisSet)
	case '%':
		u.read(redisMap)
	case '#':
		u.state = redisBoolean
	case '|':
		if u.again {
			return redisWrong
		}
		u.read(redisAttributes)
	default:
		return redisWrong
	}
	u.again = false
	return redisGoesOn
}

// counted acts on a line with a number.
func (u *redisUnit) counted() redisEvent {
	n, ok := u.number.value()
	switch {
	case !ok, n < 0 && u.state != redisLength && u.state != redisArray:
		return redisBad
	case u.state == redisLength && n > redisMaxSize:
		return redisWrong
	case u.state == redisLength && n < 0:
		return u.complete()
	case u.state == redisLength:
		u.begin(uint64(n))
		return redisGoesOn
	case n < -1 || n > int64(redisMaxElements-u.elements):
		return redisWrong
	}
	n = max(n, 0)
	u.elements += int(n)
	g := redisAggregate{left: uint64(n), attributes: u.state == redisAttributes}
	if u.state == redisMap || g.attributes {
		g.left *= 2
	}
	u.open = append(u.open, g)
	return u.element()
}

// element begins the next value of the innermost aggregate, or completes that.
func (u *redisUnit) element() redisEvent {
	last := len(u.open) - 1
	g := u.open[last]
	switch {
	case g.left > 0:
		u.state = redisKind
		if len(u.open) >= redisMaxDepth {
			return redisWrong
		}
		return redisGoesOn
	case g.attributes:
		u.open = u.open[:last]
		u.state, u.again = redisKind, true
		return redisGoesOn
	}
	u.open = u.open[:last]
	return u.complete()
}

// complete ends a value.
func (u *redisUnit) complete() redisEvent {
	if len(u.open) == 0 {
		u.next()
		return redisDone
	}
	u.open[len(u.open)-1].left--
	return u.element()
}

// command takes bytes of the client's.
func (u *redisUnit) command(b *[]byte) redisEvent {
	switch u.state {
	case redisKind:
		if (*b)[0] != '*' {
			u.read(redisInline)
			return redisGoesOn
		}
		u.take(b)
		u.read(redisArray)
		return redisGoesOn
	case redisString:
		if u.take(b) != '$' {
			return redisBad
		}
		u.read(redisLength)
		return redisGoesOn
	case redisContent:
		u.name.write((*b)[:min(u.left, uint64(len(*b)))])
		return u.content(b)
	}
	done := u.line(b)
	switch {
	case u.state == redisInline && !u.inline(done):
		return redisBad
	case u.size >= redisMaxSize:
		return redisBad
	case !done:
		return redisGoesOn
	case u.state == redisInline:
		u.next()
		return redisDone
	case u.state == redisTail:
		return u.stringDone()
	}
	n, ok := u.number.value()
	switch {
	case !ok:
		return redisBad
	case u.state == redisArray:
		if n <= 0 || n > redisMaxElements {
			return redisBad // a command without words included
		}
		u.open = append(u.open, redisAggregate{left: uint64(n)})
		u.state = redisString
	case n > redisMaxSize:
		return redisBad
	case n < 0:
		u.null = true
		u.read(redisTail)
	default:
		u.begin(uint64(n))
	}
	return redisGoesOn
}

// inline reports whether a line of words is short enough and has one.
func (u *redisUnit) inline(done bool) bool {
	switch {
	case done:
		return u.size+2 <= redisMaxInline && u.words && u.name.valid()
	case u.cr:
		return u.size+1 <= redisMaxInline
	}
	return u.size <= redisMaxInline
}

// stringDone ends an element of a command.
func (u *redisUnit) stringDone() redisEvent {
	u.state = redisString
	u.name.ended = true
	if u.open[0].left--; u.open[0].left > 0 {
		return redisGoesOn
	}
	if !u.name.valid() {
		return redisBad
	}
	if u.null {
		return redisBad
	}
	u.next()
	return redisDone
}

// begin begins a string of n bytes.
func (u *redisUnit) begin(n uint64) {
	u.state, u.left, u.room = redisContent, n, maxKept
	if n == 0 {
		u.read(redisTail)
	}
}

func (u *redisUnit) content(b *[]byte) redisEvent {
	n := int(min(u.left, uint64(len(*b))))
	if u.keep && u.room > 0 {
		k := min(u.room, n)
		u.kept = append(u.kept, bytes.Clone((*b)[:k]))
		u.room -= k
	}
	*b = (*b)[n:]
	u.used += n
	if u.left -= uint64(n); u.left > 0 {
		return redisGoesOn
	}
	if u.holed {
		return redisMissing
	}
	u.kept = nil
	u.read(redisTail)
	return redisGoesOn
}

// skip passes over missing bytes of a string that goes on behind them.
func (u *redisUnit) skip(n uint64) {
	u.left -= n
	u.holed = true
	if u.keep && u.room > 0 {
		u.kept = append(u.kept, nil)
		u.room--
	}
}

// inLine reports that the parser waits for an end of line.
func (u *redisUnit) inLine() bool {
	return u.state != redisKind && u.state != redisString && u.state != redisContent
}

// read begins a line.
func (u *redisUnit) read(s redisState) {
	u.state, u.size, u.cr, u.words, u.number = s, 0, false, false, redisNumber{}
}

// line takes bytes up to an end of line, and reports whether that was there.
func (u *redisUnit) line(b *[]byte) bool {
	for len(*b) > 0 {
		if u.cr {
			u.cr = false
			if (*b)[0] == '\n' {
				u.take(b)
				return true
			}
			u.text([]byte{'\r'})
		}
		n := bytes.IndexByte(*b, '\r')
		if n < 0 {
			n = len(*b)
		} else {
			u.cr = true
		}
		u.text((*b)[:n])
		if u.cr {
			n++
		}
		u.used += n
		*b = (*b)[n:]
	}
	return false
}

func (u *redisUnit) text(b []byte) {
	u.size += len(b)
	switch u.state {
	case redisInline:
		u.words = u.words || len(bytes.Trim(b, "\x00\t\n\r ")) > 0
		u.name.words(b)
	case redisArray, redisSet, redisMap, redisAttributes, redisLength:
		u.number.digits(b)
	}
}

// redisNumber is a decimal number of 64 bits, as Spicy reads one.
type redisNumber struct {
	n               uint64
	any             bool
	negative, wrong bool
}

func (v *redisNumber) digits(b []byte) {
	for _, c := range b {
		switch d := uint64(c - '0'); {
		case !v.any && (c == '-' || c == '+'):
			v.negative = c == '-'
		case d > 9, v.n > (1<<63)/10, d > 1<<63-v.n*10:
			v.wrong = true
		default:
			v.n = v.n*10 + d
		}
		v.any = true
	}
}

func (v *redisNumber) value() (int64, bool) {
	n := int64(v.n)
	if v.negative {
		n = -n
	}
	return n, v.any && !v.wrong
}
