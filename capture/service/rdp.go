package service

import (
	"bytes"
	"encoding/binary"
)

// rdpAnalyzer confirms RDP by the client's core data, or the server's answer to
// the conference or its security data (src/analyzer/protocol/rdp). Once the
// server selects TLS all bytes go to SSL instead; RDP's own encryption ends
// the analysis.
type rdpAnalyzer struct {
	node
	flow      [2]frameBuffer
	gone      bool
	encrypted bool
	tls       bool
	started   bool // SSL is attached
}

func newRDP() analyzer { return &rdpAnalyzer{} }

const (
	rdpHead    = 4
	rdpMaxData = 262144 // MAX_DATA_LENGTH in rdp-protocol.pac
)

func rdpSize(h []byte) (int, bool) { return int(binary.BigEndian.Uint16(h[2:])), true }

func (a *rdpAnalyzer) gap(fromOrig bool, n uint64) { a.gone = true }

func (a *rdpAnalyzer) idle(fromOrig bool) bool {
	return a.gone || a.encrypted && !a.tls || a.node.idle(fromOrig)
}

func (a *rdpAnalyzer) data(fromOrig bool, b []byte) {
	if a.gone || a.partial() {
		return
	}
	if a.encrypted {
		if !a.tls {
			return
		}
		if !a.started {
			a.started = true
			a.attach(ssl)
		}
		a.forward(fromOrig, b)
		return
	}
	f := &a.flow[side(fromOrig)]
	for len(b) > 0 {
		o, state := f.next(&b, rdpHead, rdpSize)
		if state == frameWaits {
			return
		}
		o.skip(rdpHead)
		a.message(&o)
		if o.bad {
			f.discard()
			a.violate()
			return
		}
	}
}

// message reads an X.224 PDU.
func (a *rdpAnalyzer) message(o *octets) {
	size := int(o.u8())
	switch o.u8() {
	case 0xd0: // connection confirm
		o.skip(5)
		if size == 6 {
			return
		}
		kind := o.u8()
		o.skip(1)
		length := o.le16()
		selected := o.le32()
		switch {
		case o.bad || kind == 3: // a failure
		case kind != 2 || length != 8:
			o.fail()
		case selected > 0:
			a.encrypted, a.tls = true, true
		}
	case 0xe0: // connection request
		start := o.len()
		o.skip(5)
		if cookie := []byte("Cookie: mstshash="); bytes.HasPrefix(o.b, cookie) {
			o.skip(len(cookie))
			end := bytes.IndexByte(o.b, '\r')
			if end < 0 || end+1 >= len(o.b) || o.b[end+1] != '\n' {
				o.fail()
				return
			}
			o.skip(end + 2)
		}
		if start-o.len()+1 != size { // negotiation request
			o.skip(2)
			if o.le16() != 8 {
				o.fail()
			}
			o.skip(4)
		}
	case 0xf0: // data
		o.skip(2)
		switch o.u8() {
		case 0x65:
			a.conference(o)
		case 0x66:
			a.conferenceAnswer(o)
		}
	}
}

// conference reads the client's request for a conference (MCS and GCC).
func (a *rdpAnalyzer) conference(o *octets) {
	for range 4 { // length, selectors, flag
		o.berSkip()
	}
	for range 3 { // parameters
		o.skip(o.berHead().length)
	}
	o.skip(4)
	o.skip(int(o.be16()))
	o.skip(2 + 8)
	o.rdpKey("Duca")
	for o.len() > 0 {
		a.block(o)
	}
}

func (a *rdpAnalyzer) conferenceAnswer(o *octets) {
	o.skip(3)
	o.berSkip()
	o.berSkip()
	o.skip(o.berHead().length)
	o.skip(4)
	o.skip(int(o.be16()))
	o.skip(1 + 9)
	o.rdpKey("McDn")
	if o.bad {
		return
	}
	a.confirm()
	for o.len() > 0 {
		a.block(o)
	}
}

// rdpKey reads a key of H.221, and a length.
func (o *octets) rdpKey(key string) {
	if k := o.take(len(key)); string(k.b) != key {
		o.fail()
	}
	o.skip(2)
}

// block reads a block of settings.
func (a *rdpAnalyzer) block(o *octets) {
	kind, size := o.le16(), int(o.le16())
	v := o.take(size - 4)
	switch kind {
	case 0xc001: // client core
		v.skip(206)
		if !v.bad {
			a.confirm()
		}
	case 0xc002, 0xc004:
		v.skip(8)
	case 0xc003: // client network: channels
		n := v.le32()
		if n > 1000 {
			v.fail()
		}
		v.skip(12 * int(n))
	case 0x0c01: // server core
		v.skip(4)
		if size != 8 {
			v.skip(4)
		}
	case 0x0c02:
		a.security(&v)
	case 0x0c03:
		v.skip(4)
	}
	o.join(v)
}

// security reads the server's security data.
func (a *rdpAnalyzer) security(o *octets) {
	method, level := o.le32(), o.le32()
	random, size := o.le32(), o.le32()
	if random != 0x20 && (level != 0 || method != 0 || random != 0) {
		o.fail()
	}
	o.skip(int(random))
	certificate := o.take(int(int32(size)))
	switch certificate.le32() & 0x7fffffff {
	case 1: // proprietary
		certificate.skip(10)
		key := certificate.take(int(certificate.le16()))
		key.skip(4)
		n := key.le32()
		if n > rdpMaxData {
			key.fail()
		}
		key.skip(8 + int(n))
		certificate.join(key)
		certificate.skip(2)
		certificate.skip(int(certificate.le16()))
	case 2: // X.509
		n := certificate.le32()
		if n > 1000 {
			certificate.fail()
		}
		for ; n > 0 && !certificate.bad; n-- {
			size := certificate.le32()
			if size > rdpMaxData {
				certificate.fail()
			}
			certificate.skip(int(size))
		}
	default:
		certificate.fail()
	}
	o.join(certificate)
	if o.bad {
		return
	}
	if method > 0 && level > 0 {
		a.encrypted, a.tls = true, false
	}
	a.confirm()
}
