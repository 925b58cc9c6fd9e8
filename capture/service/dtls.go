package service

// dtlsAnalyzer confirms a ClientHello in DTLS records. Handshake messages may
// come in fragments, and in any order (src/analyzer/protocol/ssl/DTLS.cc,
// dtls-protocol.pac, dtls-analyzer.pac).
type dtlsAnalyzer struct {
	node
	tlsState
	handshake tlsHandshake
	fragments [2]dtlsFragments
	badCount  int // records of a wrong version; reset by good ones once confirmed
	reported  bool
}

// dtlsFragments puts one handshake message together.
type dtlsFragments struct {
	first     uint64 // lowest record sequence so far
	sureFirst bool   // it is the one with offset 0
	last      uint64 // sequence of the one that ends the message; 0: unknown
	message   uint16
	length    int
	seen      uint32 // sequences seen, from first
	buf       []byte
}

const (
	dtlsMaxBadVersions = 10     // SSL::dtls_max_version_errors
	dtlsMaxMessage     = 100000 // MAX_DTLS_HANDSHAKE_RECORD
	dtlsMaxPieces      = 30
	dtlsWindow         = 32
)

func newDTLS() analyzer {
	a := &dtlsAnalyzer{}
	a.handshake.owner = a
	return a
}

func (a *dtlsAnalyzer) data(fromOrig bool, b []byte) {
	if len(b) > 20 && string(b[4:8]) == "\x21\x12\xa4\x42" {
		return // STUN shares the port
	}
	o := octets{b: b}
	for o.len() > 0 {
		kind := o.u8()
		if a.handshake.version == dtls13 && kind&0xe0 == 0x20 {
			a.unified(&o, kind, fromOrig)
		} else {
			a.record(&o, kind, fromOrig)
		}
	}
	if o.bad {
		a.fail()
	}
}

// unified skips the short header of DTLS 1.3; it shows that a side encrypts.
func (a *dtlsAnalyzer) unified(o *octets, first byte, fromOrig bool) {
	const withID, longSequence, withLength = 0x10, 0x08, 0x04
	if first&withID == 0 {
		o.skip(1)
		if first&longSequence != 0 {
			o.skip(1)
		}
		if first&withLength != 0 {
			o.skip(2)
		}
	}
	if o.bad {
		return
	}
	o.rest()
	a.encrypted[side(fromOrig)] = true
	a.ciphertext()
}

func (a *dtlsAnalyzer) ciphertext() {
	if a.encrypted[0] && a.encrypted[1] && !a.established {
		a.established = true
		a.after(a.det.tlsEstablished)
	}
}

func (a *dtlsAnalyzer) record(o *octets, kind byte, fromOrig bool) {
	version, epoch := o.be16(), o.be16()
	sequence := o.word(6)
	length := int(o.be16())
	if o.bad {
		return
	}
	if !a.versionOK(version) {
		o.rest()
		return
	}
	r := o.take(length)
	for r.len() > 0 {
		switch {
		case epoch != 0:
			r.rest()
			a.ciphertext()
		case kind == recordHandshake:
			a.fragment(&r, sequence, fromOrig)
		default:
			if !a.plaintext(&r, int(kind), length, a.handshake.isTLS13(), fromOrig) {
				a.violate()
			}
		}
	}
	o.join(r)
}

func (a *dtlsAnalyzer) versionOK(version uint16) bool {
	if version == dtls10 || version == dtls12 {
		if a.confirmed {
			a.badCount = 0
		}
		return true
	}
	a.badCount++
	if a.confirmed && !a.reported {
		a.reported = true
		a.violate()
	}
	if a.badCount > dtlsMaxBadVersions {
		a.skip = true
	}
	return false
}

// fragment reads a handshake record: a whole message, or a piece of one.
func (a *dtlsAnalyzer) fragment(r *octets, sequence uint64, fromOrig bool) {
	kind := r.u8()
	length := u24(r)
	message := r.be16()
	offset, size := u24(r), u24(r)
	if r.bad {
		return
	}
	data := r.rest()
	if offset == 0 && length == size {
		a.send(kind, length, data, fromOrig)
		return
	}
	f := &a.fragments[side(fromOrig)]
	if length > dtlsMaxMessage {
		a.violate()
		return
	}
	if f.message != message || f.length != length || f.buf == nil {
		*f = dtlsFragments{message: message, length: length, first: sequence, buf: make([]byte, length)}
	}
	if max(f.first, sequence)-min(f.first, sequence) >= dtlsWindow || f.first > sequence && f.sureFirst {
		a.violate()
		return
	}
	if f.first > sequence {
		f.seen <<= f.first - sequence
		f.first = sequence
	}
	if offset == 0 {
		f.sureFirst = true
	}
	bit := uint32(1) << (sequence - f.first)
	if f.seen&bit != 0 {
		return
	}
	if data.len() != size || offset+size > length {
		a.violate()
		return
	}
	f.seen |= bit
	copy(f.buf[offset:], data.b)
	if offset+size == length {
		f.last = sequence
	}
	if f.last == 0 || !f.sureFirst {
		return
	}
	pieces := f.last - f.first
	if pieces > dtlsMaxPieces {
		a.violate()
		return
	}
	if all := uint32(1)<<(pieces+1) - 1; f.seen&all == all {
		a.send(kind, length, octets{b: f.buf}, fromOrig)
	}
}

// send hands a message to the handshake, with TLS's header.
func (a *dtlsAnalyzer) send(kind byte, length int, data octets, fromOrig bool) {
	head := octets{b: []byte{kind, byte(length >> 16), byte(length >> 8), byte(length)}}
	if !a.handshake.data(fromOrig, head) || !a.handshake.data(fromOrig, data) {
		a.violate()
	}
}
