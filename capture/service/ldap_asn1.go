package service

import (
	"strconv"
	"strings"
)

// ASN.1 as Zeek's LDAP parser reads it (src/analyzer/protocol/ldap/asn1.spicy):
// unlike its binpac namesake it looks at the types.

const ldapMaxDepth = 32 // MAX_ASN1_DEPTH

// ldapTag is the head of an element.
type ldapTag struct {
	class, kind byte
	length      uint64
}

const (
	ldapUniversal = iota
	ldapApplication
	ldapContext
)

const (
	ldapInteger     = 2
	ldapOctetString = 4
	ldapOID         = 6
	ldapEnumerated  = 10
	ldapSequence    = 16
)

func (in *incoming) ldapTag() (t ldapTag) {
	b := in.u8()
	t.class, t.kind = b>>6, b&0x1f
	t.length = in.ldapLength()
	return t
}

func (in *incoming) ldapLength() uint64 {
	n := uint64(in.u8())
	if n < 0x80 {
		return n
	}
	n &= 0x7f
	b := in.bytes(n)
	if n == 0 || n > 8 {
		in.fail()
		return 0
	}
	return complete(b).word(uint64(len(b)))
}

// ldapElement is a parsed element. Content is what a universal string, a
// sequence or any element of another class holds.
type ldapElement struct {
	ldapTag
	content []byte
	number  int64
	has     ldapValue
}

// ldapValue is the kind of value that a universal element has.
type ldapValue uint8

const (
	ldapOther ldapValue = iota
	ldapNumber
	ldapText
	ldapBoolean
	ldapElements
)

// ldapElement reads an element; those inside a sequence or set too if nested.
func (in *incoming) ldapElement(nested bool, depth int) (e ldapElement) {
	if depth > ldapMaxDepth {
		in.fail()
	}
	e.ldapTag = in.ldapTag()
	if e.class != ldapUniversal {
		e.content = in.bytes(e.length)
		return e
	}
	in.ldapBody(&e, nested, depth)
	return e
}

func (in *incoming) ldapBody(e *ldapElement, nested bool, depth int) {
	switch e.kind {
	case 1: // boolean
		in.u8()
		if e.length != 1 {
			in.fail()
		}
		e.has = ldapBoolean
	case ldapInteger, ldapEnumerated:
		b := in.bytes(e.length)
		if e.length == 0 || e.length > 8 {
			in.fail()
			return
		}
		shift := 64 - 8*e.length
		e.number = int64(complete(b).word(uint64(len(b)))<<shift) >> shift
		e.has = ldapNumber
	case 5: // null
		if e.length != 0 {
			in.fail()
		}
	case 3: // bit string
		in.u8()
		if e.length == 0 {
			in.fail()
			return
		}
		in.bytes(e.length - 1)
	case ldapOID:
		if e.content = in.bytes(e.length); e.length == 0 {
			in.fail()
		}
		e.has = ldapText
	case ldapOctetString, 12, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30:
		e.content = in.bytes(e.length)
		e.has = ldapText
	case ldapSequence, 17:
		if !nested {
			return // what it holds comes next
		}
		e.has = ldapElements
		if uint64(len(in.b)) >= e.length {
			e.content = in.b[:e.length]
		}
		in.within(e.length, func(in *incoming) {
			for !in.empty() {
				in.ldapElement(true, depth+1)
			}
		})
	default:
		in.bytes(e.length)
	}
}

// want fails unless the element has a value of a kind.
func (in *incoming) want(e ldapElement, has ldapValue) ldapElement {
	if e.has != has {
		in.fail()
	}
	return e
}

// ldapText reads a string.
func (in *incoming) ldapText() ldapElement {
	return in.want(in.ldapElement(true, 0), ldapText)
}

// ldapNumber reads a number.
func (in *incoming) ldapNumber() int64 {
	return in.want(in.ldapElement(true, 0), ldapNumber).number
}

// ldapCode reads a number that names something: it must fit a byte.
func (in *incoming) ldapCode() int64 {
	n := in.ldapNumber()
	if n < 0 || n > 255 {
		in.fail()
	}
	return n
}

// text returns a string's value; an object identifier's is its dotted form.
func (e ldapElement) text() string {
	if e.kind != ldapOID || len(e.content) == 0 {
		return string(e.content)
	}
	var s strings.Builder
	s.WriteString(strconv.Itoa(int(e.content[0]) / 40))
	s.WriteByte('.')
	s.WriteString(strconv.Itoa(int(e.content[0]) % 40))
	n := uint64(0)
	for _, c := range e.content[1:] {
		n = n<<7 | uint64(c&0x7f)
		if c < 0x80 {
			s.WriteByte('.')
			s.WriteString(strconv.FormatUint(n, 10))
			n = 0
		}
	}
	return s.String()
}
