package service

import "encoding/binary"

// octets is the part of a message that is still to be read. A read beyond its
// end sets bad and yields zeros from then on, so a parser may check once at the
// points where Zeek's would already have acted. Every bound is one at which
// Zeek's parser throws.
type octets struct {
	b    []byte
	more int // bytes that follow b but were not kept; they read as zeros
	bad  bool
}

func (o *octets) len() int { return len(o.b) + o.more }

func (o *octets) fail() {
	o.b, o.more, o.bad = nil, 0, true
}

// take removes the next n bytes and returns them as a message of their own. A
// negative n fails, as a length that overflowed does in Zeek.
func (o *octets) take(n int) octets {
	if n < 0 || n > o.len() {
		o.fail()
		return octets{bad: true}
	}
	if n <= len(o.b) {
		head := octets{b: o.b[:n:n]}
		o.b = o.b[n:]
		return head
	}
	head := octets{b: o.b, more: n - len(o.b)}
	o.more -= head.more
	o.b = nil
	return head
}

func (o *octets) skip(n int) {
	if uint(n) <= uint(len(o.b)) {
		o.b = o.b[n:]
		return
	}
	o.take(n)
}

// rest removes all that is left.
func (o *octets) rest() octets { return o.take(o.len()) }

// word reads n bytes as zero-extended, most significant first.
func (o *octets) word(n int) (v uint64) {
	t := o.take(n)
	for _, c := range t.b {
		v = v<<8 | uint64(c)
	}
	return v << (8 * uint(t.more))
}

func (o *octets) u8() byte {
	if len(o.b) > 0 {
		c := o.b[0]
		o.b = o.b[1:]
		return c
	}
	return byte(o.word(1))
}

func (o *octets) be16() uint16 {
	if len(o.b) > 1 {
		v := binary.BigEndian.Uint16(o.b)
		o.b = o.b[2:]
		return v
	}
	return uint16(o.word(2))
}

func (o *octets) be32() uint32 { return uint32(o.word(4)) }

func (o *octets) le16() uint16 { return uint16(o.little(2)) }
func (o *octets) le32() uint32 { return uint32(o.little(4)) }
func (o *octets) le64() uint64 { return o.little(8) }

func (o *octets) little(n int) uint64 {
	t := o.take(n)
	var w [8]byte
	copy(w[:], t.b)
	return binary.LittleEndian.Uint64(w[:])
}

// fits reports whether n elements of at least size bytes each can follow; Zeek
// refuses a longer array before it reads its first element.
func (o *octets) fits(n, size int) bool {
	if n < 0 || n > o.len()/size {
		o.fail()
		return false
	}
	return true
}

// join fails o if a part of it, read separately, failed.
func (o *octets) join(part octets) {
	if part.bad {
		o.fail()
	}
}
