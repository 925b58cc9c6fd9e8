package service

import "encoding/binary"

// krbAnalyzer confirms Kerberos by any message that parses, one per datagram
// (src/analyzer/protocol/krb). It also sits inside GSSAPI.
type krbAnalyzer struct{ node }

func newKRB() analyzer { return &krbAnalyzer{} }

func (a *krbAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	o.krbMessage(&a.node)
	if o.bad {
		a.violate()
	}
}

// krbTCPAnalyzer is Kerberos over TCP: each message behind its length. It takes
// neither partial connections nor anything after a gap.
type krbTCPAnalyzer struct {
	node
	flow [2]frameBuffer
	gone bool
}

func newKRBTCP() analyzer { return &krbTCPAnalyzer{} }

const krbHead = 4

// krbSize returns the length of a message with its head, in Zeek's 32 bits: one that
// wraps makes a message too short to parse.
func krbSize(h []byte) (int, bool) {
	return int(int32(binary.BigEndian.Uint32(h) + krbHead)), true
}

func (a *krbTCPAnalyzer) gap(fromOrig bool, n uint64) { a.gone = true }

func (a *krbTCPAnalyzer) idle(fromOrig bool) bool { return a.gone || a.node.idle(fromOrig) }

func (a *krbTCPAnalyzer) data(fromOrig bool, b []byte) {
	if a.gone || a.partial() {
		return
	}
	f := &a.flow[side(fromOrig)]
	for len(b) > 0 {
		o, state := f.next(&b, krbHead, krbSize)
		if state == frameWaits {
			return
		}
		o.skip(krbHead)
		o.krbMessage(&a.node)
		if o.bad {
			f.discard()
			a.violate()
			return
		}
	}
}

// Message types are application tags; RFC 4120.
func (o *octets) krbMessage(n *node) {
	switch o.berHead().tag - 0x60 {
	case 10, 12: // AS-REQ, TGS-REQ
		o.krbRequest(n)
	case 11, 13: // AS-REP, TGS-REP
		o.krbReply(n)
	case 14:
		o.krbAPRequest(n)
		return
	case 15, 21: // AP-REP, PRIV
		o.krbElement()
		o.krbElement()
		o.krbEncrypted()
	case 20: // SAFE
		o.krbElement()
		o.krbElement()
		o.krbSafeBody()
	case 22: // CRED
		o.krbElement()
		o.krbElement()
		o.berHead()
		o.berHead()
		o.krbTickets()
		o.krbEncrypted()
	case 30:
		o.krbError(n)
	default:
		o.fail()
	}
	if !o.bad {
		n.confirm()
	}
}

// krbElement reads a numbered element of a sequence, and returns its content.
func (o *octets) krbElement() octets {
	o.berHead()
	_, content := o.berValue()
	return content
}

func (o *octets) krbRequest(n *node) {
	o.berHead()
	o.krbElement() // version
	o.krbElement() // message type
	o.krbPreauth(n, 3)
	o.berHead()
	o.krbBody()
}

func (o *octets) krbBody() {
	for o.len() > 0 {
		arg := o.berHead()
		v := o.take(arg.length)
		switch arg.index() {
		case 0: // options
			v.berHead()
			v.skip(1 + 4)
		case 1, 3:
			v.krbName()
		case 2, 7, 10: // realm, nonce, authorization data
			v.berSkip()
		case 4, 5, 6: // times
			v.berHead()
		case 8: // encryption types
			v.berHead()
			v.berElements()
		case 9:
			v.berHead()
			for v.len() > 0 {
				v.krbAddress()
			}
		case 11:
			v.krbTickets()
		}
		o.join(v)
	}
}

func (o *octets) krbReply(n *node) {
	o.berHead()
	o.krbElement()
	o.krbElement()
	realm := o.take(o.krbPreauth(n, 2).length)
	realm.berSkip()
	o.join(realm)
	name := o.take(o.berHead().length)
	name.krbName()
	o.join(name)
	o.krbTicket(true)
	o.krbEncrypted()
}

func (o *octets) krbAPRequest(n *node) {
	o.berHead()
	o.krbElement()
	o.krbElement()
	o.berHead() // options
	o.berHead()
	o.skip(1 + 4)
	o.krbTicket(true)
	o.krbEncrypted()
	if !o.bad {
		n.confirm()
	}
}

// krbError reads an ERROR: arguments up to the error code, which they depend
// on, then the others.
func (o *octets) krbError(n *node) {
	o.berHead()
	for o.len() > 0 {
		if o.krbErrorArgument(n, 0) == 6 {
			break
		}
	}
	_, content := o.berValue()
	code := berNumber(content)
	for o.len() > 0 {
		o.krbErrorArgument(n, code)
	}
}

func (o *octets) krbErrorArgument(n *node, code uint64) byte {
	head := o.berHead()
	index := head.index()
	if index == 6 {
		return index // the code itself follows
	}
	v := o.take(head.length)
	switch index {
	case 0, 1, 3, 5, 7, 9, 11:
		v.berSkip()
	case 2, 4: // times
		v.berHead()
	case 8, 10:
		v.krbName()
	case 12:
		if code == 25 { // preauthentication required
			v.krbPreauthData(n, true)
		}
	default:
		v.fail()
	}
	o.join(v)
	return index
}

func (o *octets) krbSafeBody() {
	o.berHead()
	for o.len() > 0 {
		arg := o.berHead()
		v := o.take(arg.length)
		switch arg.index() {
		case 0, 2, 3:
			v.berSkip()
		case 1:
			v.berHead()
		case 4, 5:
			v.krbAddress()
		default:
			v.fail()
		}
		o.join(v)
	}
	o.krbElement() // checksum: type and value
	o.krbElement()
}

// krbPreauth reads preauthentication data, if the next element has their
// number, and the head of the element that follows either way.
func (o *octets) krbPreauth(n *node, number byte) berHead {
	first := o.berHead()
	if first.index() != number {
		return first
	}
	v := o.take(first.length)
	v.krbPreauthData(n, false)
	o.join(v)
	return o.berHead()
}

func (o *octets) krbPreauthData(n *node, announced bool) {
	head := o.berHead()
	if head.tag != berSequence {
		o.skip(head.length)
		return
	}
	for o.len() > 0 {
		o.berHead()
		kind := berNumber(o.krbElement())
		size := o.berHead().length
		if announced { // an error names what is wanted, without data
			o.skip(size)
			continue
		}
		switch kind {
		case 1: // an AP-REQ
			o.berHead()
			o.berHead()
			o.krbAPRequest(n)
			continue
		case 3: // salt
			o.berSkip()
			continue
		}
		v := o.take(size)
		switch kind {
		case 2: // encrypted time
			v.krbEncryptedData()
		case 16, 17: // certificates
			v.krbCertificate(kind == 16)
		case 11, 19: // encryption types
			v.krbEncryptionType()
		default:
			v.berSkip()
		}
		o.join(v)
	}
}

// krbCertificate reads PKINIT data up to the certificate.
func (o *octets) krbCertificate(request bool) {
	heads := 5
	if request {
		heads = 4
	}
	for range heads {
		o.berHead()
	}
	o.berSkip()
	o.berHead()
	o.berHead()
	o.berSkip() // version
	o.berSkip() // digest algorithms
	o.berSkip() // signed data
	o.skip(o.berHead().length)
}

func (o *octets) krbEncryptionType() {
	o.berHead()
	second := o.berHead()
	o.berHead()
	o.berSkip()
	if second.length > 7 || second.length < 0 { // a salt follows; Zeek compares without sign
		o.berHead()
		o.skip(o.berHead().length)
	}
}

// krbName reads a principal's name.
func (o *octets) krbName() {
	o.berHead()
	o.berHead()
	o.berSkip()
	o.berHead()
	o.berHead()
	o.berElements()
}

func (o *octets) krbAddress() {
	o.berHead()
	o.berHead()
	o.berSkip()
	o.krbElement()
}

func (o *octets) krbTicket(numbered bool) {
	if numbered {
		o.berHead()
	}
	o.berHead()
	o.berHead()
	o.krbElement() // version
	o.krbElement() // realm
	name := o.take(o.berHead().length)
	name.krbName()
	o.join(name)
	o.krbEncrypted()
}

func (o *octets) krbTickets() {
	v := o.take(o.berHead().length)
	for v.len() > 0 {
		v.krbTicket(false)
	}
	o.join(v)
}

func (o *octets) krbEncrypted() {
	v := o.take(o.berHead().length)
	v.krbEncryptedData()
	o.join(v)
}

func (o *octets) krbEncryptedData() {
	o.berHead()
	o.krbElement()
	head := o.berHead()
	if head.index() == 1 { // key version
		o.berSkip()
		head = o.berHead()
	}
	v := o.take(head.length)
	v.berSkip()
	o.join(v)
}
