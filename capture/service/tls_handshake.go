package service

// tlsHandshake reads handshake messages, TLS's and DTLS's
// (src/analyzer/protocol/ssl/tls-handshake-protocol.pac). What a message must
// look like matters where a malformed one violates.
type tlsHandshake struct {
	owner   handshakeOwner
	frames  [2]frameBuffer
	version uint16 // chosen by the server; 0 until known
	cipher  uint16
	chosen  bool // cipher is known
	flipped bool // the originator is the server
}

type handshakeOwner interface{ core() *node }

// Handshake message types.
const (
	helloRequest       = 0
	clientHello        = 1
	serverHello        = 2
	helloVerify        = 3
	sessionTicket      = 4
	certificate        = 11
	serverKeyExchange  = 12
	certificateRequest = 13
	serverHelloDone    = 14
	certificateVerify  = 15
	clientKeyExchange  = 16
	handshakeFinished  = 20
	certificateURL     = 21
	certificateStatus  = 22
)

// data reads handshake bytes of one side; false means that they parse no more.
func (t *tlsHandshake) data(fromOrig bool, o octets) bool {
	f := &t.frames[side(fromOrig)]
	b := o.b
	if o.more > 0 { // the very last bytes of the longest record there can be
		b = append(b[:len(b):len(b)], make([]byte, o.more)...)
	}
	for {
		m, state := f.next(&b, 4, func(h []byte) (int, bool) {
			return 4 + int(h[1])<<16 + int(h[2])<<8 + int(h[3]), true
		})
		if state != frameDone {
			return true
		}
		if !t.message(&m, fromOrig) {
			f.discard()
			return false
		}
	}
}

func (t *tlsHandshake) message(o *octets, fromOrig bool) bool {
	kind := o.u8()
	o.skip(3)
	switch kind {
	case helloRequest:
		t.direction(false, fromOrig)
	case clientHello:
		t.clientHello(o, fromOrig)
	case serverHello:
		t.serverHello(o, fromOrig)
	case helloVerify:
		o.skip(2)
		o.skip(int(o.u8()))
	case sessionTicket:
		o.skip(4)
		o.skip(int(o.be16()))
	case certificate:
		list := o.take(u24(o))
		for list.len() > 0 {
			list.skip(u24(&list))
		}
		o.join(list)
	case serverKeyExchange:
		t.serverKey(o)
	case certificateRequest:
		o.skip(int(o.u8()))
		if t.signsWithHash() {
			pairs(o)
		}
		names := o.take(int(o.be16()))
		for names.len() > 0 {
			names.skip(int(names.be16()))
		}
		o.join(names)
	case certificateStatus:
		o.skip(4)
	case serverHelloDone, certificateVerify, clientKeyExchange, handshakeFinished, certificateURL:
	default:
		t.owner.core().violate()
	}
	return !o.bad
}

// u24 reads three bytes as a number.
func u24(o *octets) int { return int(o.word(3)) }

// direction notes which side is the client.
func (t *tlsHandshake) direction(byClient, fromOrig bool) { t.flipped = byClient != fromOrig }

func (t *tlsHandshake) clientHello(o *octets, fromOrig bool) {
	t.direction(true, fromOrig)
	version := o.be16()
	o.skip(32)
	o.skip(int(o.u8())) // session
	if version == dtls10 || version == dtls12 {
		o.skip(int(o.u8())) // cookie
	}
	o.skip(int(o.be16()) / 2 * 2) // cipher suites
	o.skip(int(o.u8()))           // compression
	t.extensions(o, clientHello, fromOrig)
	if !o.bad {
		t.clientHelloDone(version)
	}
}

func (t *tlsHandshake) clientHelloDone(version uint16) {
	n := t.owner.core()
	if !versionOK(version) {
		n.violate()
		n.skip = true
		return
	}
	n.confirm()
}

func (t *tlsHandshake) serverHello(o *octets, fromOrig bool) {
	t.direction(false, fromOrig)
	version := o.be16()
	o.skip(32)
	is13 := version == tls13 || version>>8 == 0x7f
	if !is13 {
		o.skip(int(o.u8())) // session
	}
	cipher := o.be16()
	if !is13 {
		o.skip(1) // compression
	}
	t.extensions(o, serverHello, fromOrig)
	if o.bad {
		return
	}
	t.cipher, t.chosen = cipher, true
	if !versionOK(version) {
		n := t.owner.core()
		n.violate()
		n.skip = true
	}
	t.setVersion(version)
}

// setVersion takes the first version that the server names: the extension's
// comes before the hello's own.
func (t *tlsHandshake) setVersion(v uint16) {
	if t.version == 0 {
		t.version = v
	}
}

// isTLS13 reports TLS 1.3, or a draft of it as Zeek tells one.
func (t *tlsHandshake) isTLS13() bool { return t.version == tls13 || t.version/0xff == 0x7f }

// signsWithHash: from TLS 1.2 on the signature algorithm is named.
func (t *tlsHandshake) signsWithHash() bool { return t.version > tls11 && t.version != dtls10 }

func versionOK(v uint16) bool {
	switch v {
	case sslv2, sslv3, tls10, tls11, tls12, tls13, dtls10, dtls12, dtls13:
		return true
	}
	return v>>8 == 0x7f
}

// serverKey reads the key exchange of the cipher suites for which Zeek knows
// its form.
func (t *tlsHandshake) serverKey(o *octets) {
	if !t.chosen {
		return
	}
	switch keyExchange(t.cipher) {
	case ellipticSigned:
		if o.u8() == 3 { // a named curve
			o.skip(2)
			o.skip(int(o.u8()))
			t.signature(o)
		}
	case ellipticAnonymous:
		if o.u8() == 3 {
			o.skip(2)
			o.skip(int(o.u8()))
		}
	case diffieHellmanSigned:
		for range 3 {
			o.skip(int(o.be16()))
		}
		t.signature(o)
	case diffieHellmanAnonymous:
		for range 3 {
			o.skip(int(o.be16()))
		}
	}
}

func (t *tlsHandshake) signature(o *octets) {
	if t.signsWithHash() {
		o.skip(2)
	}
	o.skip(int(o.be16()))
}

// keyKind is the form of a ServerKeyExchange.
type keyKind uint8

const (
	otherKey keyKind = iota
	ellipticSigned
	ellipticAnonymous
	diffieHellmanSigned
	diffieHellmanAnonymous
)

// cipherRange is a range of cipher suites (IANA's numbers) that exchange keys
// in one way.
type cipherRange struct {
	first, last uint16
	kind        keyKind
}

var cipherRanges = [...]cipherRange{
	{0x0011, 0x0016, diffieHellmanSigned}, {0x0017, 0x001b, diffieHellmanAnonymous},
	{0x0032, 0x0033, diffieHellmanSigned}, {0x0034, 0x0034, diffieHellmanAnonymous},
	{0x0038, 0x0039, diffieHellmanSigned}, {0x003a, 0x003a, diffieHellmanAnonymous},
	{0x0040, 0x0040, diffieHellmanSigned}, {0x0044, 0x0045, diffieHellmanSigned},
	{0x0046, 0x0046, diffieHellmanAnonymous}, {0x0063, 0x0063, diffieHellmanSigned},
	{0x0065, 0x0067, diffieHellmanSigned}, {0x006a, 0x006b, diffieHellmanSigned},
	{0x006c, 0x006d, diffieHellmanAnonymous}, {0x0072, 0x0074, diffieHellmanSigned},
	{0x0077, 0x0079, diffieHellmanSigned}, {0x0087, 0x0088, diffieHellmanSigned},
	{0x0089, 0x0089, diffieHellmanAnonymous}, {0x008e, 0x0091, diffieHellmanSigned},
	{0x0099, 0x009a, diffieHellmanSigned}, {0x009b, 0x009b, diffieHellmanAnonymous},
	{0x009e, 0x009f, diffieHellmanSigned}, {0x00a2, 0x00a3, diffieHellmanSigned},
	{0x00a6, 0x00a7, diffieHellmanAnonymous}, {0x00aa, 0x00ab, diffieHellmanSigned},
	{0x00b2, 0x00b5, diffieHellmanSigned}, {0x00bd, 0x00be, diffieHellmanSigned},
	{0x00bf, 0x00bf, diffieHellmanAnonymous}, {0x00c3, 0x00c4, diffieHellmanSigned},
	{0x00c5, 0x00c5, diffieHellmanAnonymous}, {0xc006, 0xc00a, ellipticSigned},
	{0xc010, 0xc014, ellipticSigned}, {0xc015, 0xc019, ellipticAnonymous},
	{0xc023, 0xc024, ellipticSigned}, {0xc027, 0xc028, ellipticSigned},
	{0xc02b, 0xc02c, ellipticSigned}, {0xc02f, 0xc030, ellipticSigned},
	{0xc033, 0xc03b, ellipticSigned}, {0xc042, 0xc045, diffieHellmanSigned},
	{0xc046, 0xc047, diffieHellmanAnonymous}, {0xc048, 0xc049, ellipticSigned},
	{0xc04c, 0xc04d, ellipticSigned}, {0xc052, 0xc053, diffieHellmanSigned},
	{0xc056, 0xc057, diffieHellmanSigned}, {0xc05a, 0xc05b, diffieHellmanAnonymous},
	{0xc05c, 0xc05d, ellipticSigned}, {0xc060, 0xc061, ellipticSigned},
	{0xc066, 0xc067, diffieHellmanSigned}, {0xc06c, 0xc06d, diffieHellmanSigned},
	{0xc070, 0xc073, ellipticSigned}, {0xc076, 0xc077, ellipticSigned},
	{0xc07c, 0xc07d, diffieHellmanSigned}, {0xc080, 0xc081, diffieHellmanSigned},
	{0xc084, 0xc085, diffieHellmanAnonymous}, {0xc086, 0xc087, ellipticSigned},
	{0xc08a, 0xc08b, ellipticSigned}, {0xc090, 0xc091, diffieHellmanSigned},
	{0xc096, 0xc097, diffieHellmanSigned}, {0xc09a, 0xc09b, ellipticSigned},
	{0xc09e, 0xc09f, diffieHellmanSigned}, {0xc0a2, 0xc0a3, diffieHellmanSigned},
	{0xc0a6, 0xc0a7, diffieHellmanSigned}, {0xc0aa, 0xc0ab, diffieHellmanSigned},
	{0xc0ac, 0xc0af, ellipticSigned}, {0xcc13, 0xcc14, ellipticSigned},
	{0xcc15, 0xcc15, diffieHellmanSigned}, {0xcca8, 0xcca9, ellipticSigned},
	{0xccaa, 0xccaa, diffieHellmanSigned}, {0xccad, 0xccad, diffieHellmanSigned},
	{0xd001, 0xd003, ellipticSigned}, {0xd005, 0xd005, ellipticSigned},
}

func keyExchange(cipher uint16) keyKind {
	for _, r := range cipherRanges {
		if r.first <= cipher && cipher <= r.last {
			return r.kind
		}
	}
	return otherKey
}
