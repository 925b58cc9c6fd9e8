package service

import "bytes"

// quicAnalyzer confirms QUIC by an Initial packet that it can decrypt, and hands
// the TLS hellos inside to SSL (src/analyzer/protocol/quic/QUIC.spicy). A
// datagram is a sequence of packets; any error ends the analysis.
type quicAnalyzer struct {
	node
	id       []byte // the client's first choice of a connection id for the server
	known    bool   // id was seen
	idLength int    // of the client's own id, in short headers
	keys     [2]*quicKeys
	crypto   [2]*quicCrypto
	ssl      analyzer
}

func newQUIC() analyzer { return &quicAnalyzer{} }

// quicCrypto is the handshake message of one direction, in the form of one TLS
// record.
type quicCrypto struct {
	sink     quicSink
	head     []byte // the message's first four bytes
	length   int    // of the message with its head; 0 until known
	sent     int
	finished bool
	dead     bool
}

const (
	quicMessageHead = 4
	quicMaxMessage  = 1<<14 + 256
	quicMaxPayload  = 10000
	quicMaxUnknown  = 2000
)

func (a *quicAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.confirmed && a.ssl != nil && a.ssl.core().confirmed && a.det.pastViolations()
}

func (a *quicAnalyzer) data(fromOrig bool, b []byte) {
	for o := (octets{b: b}); o.len() > 0 && !a.skip; {
		if !a.packet(&o, fromOrig) {
			a.violate()
			a.skip = true
			return
		}
	}
}

// packet parses one packet; false is an error.
func (a *quicAnalyzer) packet(o *octets, fromOrig bool) bool {
	if a.crypto[0] == nil {
		a.crypto = [2]*quicCrypto{{}, {}}
		if a.ssl == nil {
			a.ssl = a.attach(ssl)
			a.det.conn.PassToTLS()
		}
	}
	whole := o.b
	switch first := o.u8(); {
	case first&0x40 == 0: // not QUIC, or version negotiation
		o.rest()
	case first&0x80 == 0: // short header
		o.skip(a.idLength)
		if !o.bad {
			o.rest()
		}
	default:
		version := o.be32()
		to := o.take(int(o.u8()))
		from := o.take(int(o.u8()))
		if o.bad {
			return false
		}
		if _, ok := quicSalt(version); !ok {
			return false
		}
		kind := first >> 4 & 3
		if version == quicVersion2 {
			kind = (kind + 3) & 3
		}
		switch kind {
		case 0:
			return a.initial(o, whole, fromOrig, version, to.b, from.b)
		case 1, 2: // 0-RTT, handshake
			o.skipVar()
		case 3: // retry: a token, and a tag
			if o.len() < quicTag {
				return false
			}
			o.rest()
			a.retry()
		}
	}
	return !o.bad
}

// retry forgets the handshake: the next Initial of the client begins anew. SSL
// gone already, Zeek gives up as in toSSL.
func (a *quicAnalyzer) retry() {
	a.join()
	if a.ssl == nil || !a.ssl.core().attached() {
		a.skip = true
		return
	}
	a.ssl.core().remove()
	a.forward(false, nil) // drops it
	a.ssl, a.id, a.known = nil, nil, false
	a.keys, a.crypto = [2]*quicKeys{}, [2]*quicCrypto{}
}

// initial parses an Initial packet behind its connection ids, and its frames if
// it can still tell something.
func (a *quicAnalyzer) initial(o *octets, whole []byte, fromOrig bool, version uint32, to, from []byte) bool {
	o.skipVar() // token
	length := o.varint()
	if length < quicLeastLength {
		return false
	}
	number := len(whole) - o.len()
	o.skip(clampInt(length))
	if o.bad {
		return false
	}
	c := a.crypto[side(fromOrig)]
	if c.finished || !fromOrig && !a.known {
		return true
	}
	if fromOrig {
		a.idLength = len(from)
		if !a.known {
			a.id, a.known = bytes.Clone(to), true
		}
	} else {
		a.idLength = len(to)
	}
	if length > quicMaxPayload {
		return false
	}
	k := a.keys[side(fromOrig)]
	if k == nil || k.version != version {
		var err error
		if k, err = newQUICKeys(version, a.id, fromOrig); err != nil {
			return false
		}
		a.keys[side(fromOrig)] = k
	}
	plain, ok := k.open(whole[:number+int(length)], number)
	if !ok || len(plain) == 0 {
		return false
	}
	a.confirm()
	for f := (octets{b: plain}); f.len() > 0 && !a.skip; {
		if !a.frame(&f, c, fromOrig) {
			return false
		}
	}
	return true
}

// frame parses a frame of an Initial packet; false is an error.
func (a *quicAnalyzer) frame(o *octets, c *quicCrypto, fromOrig bool) bool {
	switch kind := o.u8(); kind {
	case 0x00, 0x01: // padding, ping
	case 0x02, 0x03: // ack
		o.varint()
		o.varint()
		ranges := o.varint()
		o.varint()
		for ; ranges > 0 && !o.bad; ranges-- {
			o.varint()
			o.varint()
		}
		if kind == 0x03 {
			o.varint()
			o.varint()
			o.varint()
		}
	case 0x06: // crypto
		offset := o.varint()
		data := o.take(clampInt(o.varint()))
		if o.bad {
			return false
		}
		late := false
		c.sink.write(data.b, offset, func(b []byte) {
			late = late || c.finished
			a.hello(c, b, fromOrig)
		})
		if a.skip {
			return true
		}
		if c.length > 0 && c.sink.size > uint64(c.length) || c.length == 0 && c.sink.size > quicMaxUnknown {
			return false
		}
		return !late
	case 0x1c: // connection close
		o.varint()
		o.varint()
		o.skipVar()
	default:
		return false
	}
	return !o.bad
}

// hello hands handshake data to SSL.
func (a *quicAnalyzer) hello(c *quicCrypto, b []byte, fromOrig bool) {
	if c.dead || c.finished {
		return
	}
	if c.length == 0 {
		n := min(quicMessageHead-len(c.head), len(b))
		c.head = append(c.head, b[:n]...)
		b = b[n:]
		if len(c.head) < quicMessageHead {
			return
		}
		c.length = int(c.head[1])<<16 + int(c.head[2])<<8 + int(c.head[3]) + quicMessageHead
		c.sent = quicMessageHead
		if c.length > quicMaxMessage {
			c.dead = true
			return
		}
		record := append([]byte{22, 3, 3, byte(c.length >> 8), byte(c.length)}, c.head...)
		if !a.toSSL(record, fromOrig) {
			return
		}
	}
	b = b[:min(c.length-c.sent, len(b))]
	if len(b) > 0 && !a.toSSL(b, fromOrig) {
		return
	}
	c.sent += len(b)
	c.finished = c.sent == c.length
}

// toSSL hands bytes to the SSL analyzer. That one gone, by a violation, Zeek
// gives up on QUIC too, without one (src/spicy/runtime-support.cc,
// protocol_data_in).
func (a *quicAnalyzer) toSSL(b []byte, fromOrig bool) bool {
	a.join()
	if a.ssl == nil || !a.ssl.core().attached() {
		a.skip = true
		return false
	}
	a.ssl.core().take(fromOrig, b)
	return true
}

// varint reads an integer of variable length (RFC 9000 §16).
func (o *octets) varint() uint64 {
	first := o.u8()
	n := 1 << (first >> 6)
	return uint64(first&0x3f)<<(8*(n-1)) | o.word(n-1)
}

// skipVar skips bytes behind their count.
func (o *octets) skipVar() { o.skip(clampInt(o.varint())) }

// clampInt keeps a length that no message has from overflowing.
func clampInt(n uint64) int { return int(min(n, 1<<62)) }
