package service

// ntlmAnalyzer confirms NTLM by each blob that parses; the signature NTLMSSP is
// not compared, so the signatures behind PDUs of DCE/RPC pass too
// (src/analyzer/protocol/ntlm).
type ntlmAnalyzer struct{ node }

func newNTLM() analyzer { return &ntlmAnalyzer{} }

const (
	ntlmRequestTarget = 0x00000004
	ntlmDomain        = 0x00001000
	ntlmWorkstation   = 0x00002000
	ntlmTargetInfo    = 0x00800000
	ntlmVersion       = 0x02000000
)

func (a *ntlmAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	o.skip(8)
	ended := true
	switch o.le32() {
	case 1:
		o.ntlmNegotiate()
	case 2:
		ended = o.ntlmChallenge()
	case 3:
		o.ntlmAuthenticate()
	}
	if o.bad {
		a.violate()
		return
	}
	if !ended {
		a.violate()
	}
	a.confirm()
}

// ntlmField says where in the message a string stands.
type ntlmField struct {
	length uint16
	offset uint32
}

func (o *octets) ntlmField() (f ntlmField) {
	f.length = o.le16()
	o.skip(2)
	f.offset = o.le32()
	return f
}

// ntlmPayload is what follows the fixed part of a message, whose offset from
// the message's start is base.
type ntlmPayload struct {
	octets
	base uint32
}

// version reads the version, if the flags have it and all strings leave room.
func (p ntlmPayload) version(o *octets, flags uint32, strings ...ntlmField) {
	for _, s := range strings {
		if s.offset <= p.base {
			return
		}
	}
	if flags&ntlmVersion != 0 {
		p.skip(8)
	}
	o.join(p.octets)
}

// str reads a string. One that begins before the payload is out of bounds, as
// Zeek reckons its distance without sign.
func (p ntlmPayload) str(o *octets, f ntlmField) {
	p.skip(int(f.offset - p.base))
	p.skip(int(f.length))
	o.join(p.octets)
}

func (o *octets) ntlmNegotiate() {
	flags := o.le32()
	domain, workstation := o.ntlmField(), o.ntlmField()
	p := ntlmPayload{*o, 12 + 20}
	p.version(o, flags, domain, workstation)
	if flags&ntlmDomain != 0 {
		p.str(o, domain)
	}
	if flags&ntlmWorkstation != 0 {
		p.str(o, workstation)
	}
}

// ntlmChallenge reads a challenge; false if its target information lacks the
// end mark.
func (o *octets) ntlmChallenge() bool {
	target := o.ntlmField()
	flags := o.le32()
	o.skip(16) // challenge, reserved
	info := o.ntlmField()
	p := ntlmPayload{*o, 12 + 36}
	p.version(o, flags, target, info)
	if flags&ntlmRequestTarget != 0 {
		p.str(o, target)
	}
	if flags&ntlmTargetInfo == 0 {
		return true
	}
	p.skip(int(uint16(info.offset - p.base)))
	ended := p.ntlmPairs()
	o.join(p.octets)
	return ended || info.length == 0
}

// ntlmPairs reads attributes up to the end mark, or the end.
func (o *octets) ntlmPairs() (ended bool) {
	for o.len() > 0 {
		id, size := o.le16(), int(o.le16())
		switch id {
		case 0:
			return true
		case 1, 2, 3, 4, 5, 9: // names
			o.skip(size)
		case 6: // flags
			o.skip(4)
		case 7: // time
			o.skip(8)
		case 8: // single host
			o.skip(8)
			if o.le32()&1 != 0 {
				o.skip(4)
			}
			o.skip(4)
		case 10: // channel bindings
			o.skip(2)
		default:
			o.fail()
		}
	}
	return false
}

func (o *octets) ntlmAuthenticate() {
	o.ntlmField() // LM response
	response := o.ntlmField()
	domain, user, workstation, key := o.ntlmField(), o.ntlmField(), o.ntlmField(), o.ntlmField()
	flags := o.le32()
	p := ntlmPayload{*o, 12 + 52}
	p.version(o, flags, domain, user, workstation, key)
	for _, f := range []ntlmField{response, domain, user, workstation, key} {
		if f.length > 0 {
			p.str(o, f)
		}
	}
}
