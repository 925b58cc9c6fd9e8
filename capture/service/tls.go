package service

// tlsAnalyzer confirms a whole, well-formed ClientHello of SSL 2 to TLS 1.3
// and follows the records until both sides encrypt; then Zeek's script takes
// the analyzer off, so nothing can remove the name any more
// (src/analyzer/protocol/ssl/SSL.cc, ssl-protocol.pac, ssl-dtls-protocol.pac,
// scripts/base/protocols/ssl/main.zeek).
type tlsAnalyzer struct {
	node
	handshake tlsHandshake
	frames    [2]frameBuffer
	version   uint16 // of the record layer; 0 until known
	blind     bool   // after a gap
	tlsState
}

// tlsState is who encrypts.
type tlsState struct {
	encrypted   [2]bool
	established bool
}

// Protocol versions.
const (
	sslv2   = 0x0002
	sslv3   = 0x0300
	tls10   = 0x0301
	tls11   = 0x0302
	tls12   = 0x0303
	tls13   = 0x0304
	dtls10  = 0xfeff
	dtls12  = 0xfefd
	dtls13  = 0xfefc
	tlsHead = 5
)

// Content types of a record; those of SSL 2 are set off by ssl2Types.
const (
	recordChangeCipher = 20
	recordAlert        = 21
	recordHandshake    = 22
	recordData         = 23
	recordHeartbeat    = 24

	ssl2Types           = 300
	recordV2Error       = ssl2Types + 0
	recordV2ClientHello = ssl2Types + 1
	recordV2MasterKey   = ssl2Types + 2
	recordV2ServerHello = ssl2Types + 4
)

const tlsMaxAlerts = 10 // SSL::max_alerts_per_record

func newTLS() analyzer {
	a := &tlsAnalyzer{}
	a.handshake.owner = a
	return a
}

func (a *tlsAnalyzer) renew() {
	records, messages := a.frames, a.handshake.frames
	*a = tlsAnalyzer{frames: records, handshake: tlsHandshake{owner: a, frames: messages}}
	for i := range a.frames {
		a.frames[i].renew()
		a.handshake.frames[i].renew()
	}
}

func (a *tlsAnalyzer) data(fromOrig bool, b []byte) {
	if a.partial() || a.blind {
		return
	}
	f := &a.frames[side(fromOrig)]
	for !a.skip {
		record, state := f.next(&b, tlsHead, func(h []byte) (int, bool) { return a.recordSize(h, fromOrig) })
		if state != frameDone {
			return
		}
		if !a.record(record, fromOrig) {
			a.violate()
			f.discard()
			return
		}
	}
}

// recordSize finds a record's length from its first five bytes, or gives up.
func (a *tlsAnalyzer) recordSize(h []byte, fromOrig bool) (int, bool) {
	version := a.recordVersion(h, fromOrig)
	switch version {
	case 0:
		a.violate()
		a.skip = true
		return 0, false
	case sslv2:
		return (int(h[0])&0x7f<<8 | int(h[1])) + 2, true
	}
	i := side(fromOrig)
	a.frames[i].dull = int(h[0]) == recordData || a.encrypted[i] // nobody reads them
	return tlsHead + int(h[3])<<8 + int(h[4]), true
}

// recordVersion says which record layer a header belongs to; 0 for none.
func (a *tlsAnalyzer) recordVersion(h []byte, fromOrig bool) uint16 {
	version := uint16(h[1])<<8 | uint16(h[2])
	known := version >= sslv3 && version <= tls12
	switch {
	case a.version == sslv2:
		return sslv2
	case a.version != 0:
		if !known {
			return 0
		}
		return a.version
	case h[0]&0x80 != 0:
		switch hello := uint16(h[3])<<8 | uint16(h[4]); {
		case h[2] == 1 && fromOrig && (hello == sslv2 || hello >= sslv3 && hello <= tls12):
			return sslv2
		case h[2] == 4 && h[4] < 2 && !fromOrig:
			a.version = sslv2
			return sslv2
		}
		return 0
	case known && h[0] >= 20 && h[0] <= 30:
		a.version = version
		return version
	}
	return 0
}

func (a *tlsAnalyzer) record(o octets, fromOrig bool) bool {
	h := [tlsHead]byte(o.b)
	o.skip(tlsHead)
	kind := int(h[0])
	if a.version == sslv2 || a.version == 0 {
		kind = ssl2Types + int(h[2])
		if int(h[0])&0x7f<<8|int(h[1]) < 3 {
			return false
		}
	}
	length := o.len()
	for o.len() > 0 {
		if a.encryptedRecord(kind, fromOrig) {
			a.ciphertext()
			return true
		}
		switch kind {
		case recordHandshake:
			if !a.handshake.data(fromOrig, o.rest()) {
				a.violate()
			}
		case recordData:
			o.rest()
		case recordV2Error:
			o.rest()
		case recordV2ClientHello:
			a.v2ClientHello(&o, uint16(h[3])<<8|uint16(h[4]))
		case recordV2MasterKey:
			a.v2MasterKey(&o)
		case recordV2ServerHello:
			a.v2ServerHello(&o)
		default:
			if !a.plaintext(&o, kind, length, a.handshake.isTLS13(), fromOrig) {
				a.violate()
			}
		}
	}
	return !o.bad
}

// plaintext reads what TLS and DTLS have in common; false for an unknown type.
// length is the record's.
func (s *tlsState) plaintext(o *octets, kind, length int, is13, fromOrig bool) bool {
	switch kind {
	case recordChangeCipher:
		o.skip(1)
		if !is13 { // where it means nothing
			s.encrypted[side(fromOrig)] = true
		}
	case recordAlert:
		most := 2 * tlsMaxAlerts
		if is13 {
			most = 2
		}
		if o.len() < length || length <= most && length%2 != 0 {
			o.fail()
		}
		o.skip(o.len())
	case recordHeartbeat:
		o.skip(3)
		o.rest()
	case recordData:
		o.rest()
	default:
		o.rest()
		return false
	}
	return true
}

// encryptedRecord reports whether a record is ciphertext. With TLS 1.3, or a
// version not known, the first application data shows that a side encrypts.
func (a *tlsAnalyzer) encryptedRecord(kind int, fromOrig bool) bool {
	e := &a.encrypted[side(fromOrig)]
	if !*e && kind == recordData {
		switch a.handshake.version {
		case sslv2, sslv3, tls10, tls11, tls12:
		default:
			*e = true
		}
	}
	return *e
}

// ciphertext establishes the connection once both sides encrypt.
func (a *tlsAnalyzer) ciphertext() {
	if a.encrypted[0] && a.encrypted[1] && !a.established {
		a.established = true
		a.after(a.det.tlsEstablished)
	}
}

func (a *tlsAnalyzer) v2ClientHello(o *octets, version uint16) {
	suites, session, challenge := int(o.be16()), int(o.be16()), int(o.be16())
	body := o.take(suites + session + challenge)
	if body.skip(suites/3*3 + session + challenge); body.bad {
		o.fail()
		return
	}
	a.handshake.clientHelloDone(version)
}

func (a *tlsAnalyzer) v2ServerHello(o *octets) {
	version := o.be16()
	certificate, ciphers, connection := int(o.be16()), int(o.be16()), int(o.be16())
	o.skip(certificate + ciphers/3*3 + connection)
	if !o.bad && version != sslv2 {
		a.violate()
		a.skip = true
		o.rest()
	}
}

func (a *tlsAnalyzer) v2MasterKey(o *octets) {
	o.skip(1)
	clear, encrypted, argument := int(o.be16()), int(o.be16()), int(o.be16())
	o.skip(clear + encrypted + argument)
	if !o.bad {
		a.encrypted = [2]bool{true, true}
		a.after(a.det.tlsEstablished)
	}
}

func (a *tlsAnalyzer) gap(bool, uint64) { a.blind = true }

func (a *tlsAnalyzer) idle(bool) bool {
	return a.skip || a.blind || a.settled() && a.det.ftp == nil
}

// tlsEstablished is what the scripts do then: the analyzer that confirmed is
// taken off, and an FTP control connection that asked for GSSAPI is GridFTP's.
func (d *Detector) tlsEstablished() {
	if d.ftp != nil && d.ftp.gssapi {
		d.add("gridftp")
	}
	if d.tls != nil {
		d.tls.remove()
		d.tls = nil
	}
}
