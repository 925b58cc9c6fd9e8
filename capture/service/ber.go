package service

// ASN.1 as Zeek's binpac parsers read it (src/analyzer/protocol/asn1/asn1.pac):
// definite lengths, and no check of tags but where a parser says so.

const (
	berInteger     = 0x02
	berOctetString = 0x04
	berOID         = 0x06
	berSequence    = 0x30
)

// berHead is a tag and a length. The length is what Zeek's parser makes of it:
// 0 if it takes more than eight bytes, and cut to 32 bits with sign.
type berHead struct {
	tag    byte
	long   bool // the length stands behind its own length
	length int
}

// index returns the number of a context-specific constructed tag.
func (h berHead) index() byte { return h.tag - 0xa0 }

// berHead reads a tag and a length.
func (o *octets) berHead() berHead {
	h := berHead{tag: o.u8()}
	n := o.u8()
	if n < 0x80 {
		h.length = int(n)
		return h
	}
	h.long = true
	long := o.take(int(n & 0x7f))
	h.length = int(int32(uint32(berNumber(long))))
	return h
}

// berValue reads a whole element.
func (o *octets) berValue() (byte, octets) {
	h := o.berHead()
	return h.tag, o.take(h.length)
}

// berSkip reads a whole element of any kind.
func (o *octets) berSkip() { o.berValue() }

// berElements reads elements to the end.
func (o *octets) berElements() {
	for o.len() > 0 {
		o.berSkip()
	}
}

// berNumber returns the value of an integer's content; 0 if longer than eight bytes.
func berNumber(content octets) (v uint64) {
	if len(content.b) > 8 {
		return 0
	}
	for _, c := range content.b {
		v = v<<8 | uint64(c)
	}
	return v
}
