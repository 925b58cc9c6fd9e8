package service

// Extension types whose content Zeek reads.
const (
	extServerName        = 0
	extCurves            = 10
	extPointFormats      = 11
	extSignatures        = 13
	extALPN              = 16
	extTimestamps        = 18
	extKeyShareOld       = 40
	extPreSharedKey      = 41
	extSupportedVersions = 43
	extKeyModes          = 45
	extKeyShare          = 51
	extConnectionID      = 54
)

// extensions reads what follows a hello: nothing; or a length, which is not
// compared with anything, and extensions up to the end of the message.
func (t *tlsHandshake) extensions(o *octets, message byte, fromOrig bool) {
	if o.len() > 0 {
		o.skip(2)
	}
	for o.len() > 0 {
		kind := o.be16()
		size := int(o.be16())
		if e := o.take(size); size > 0 {
			t.extension(&e, kind, message, fromOrig)
			o.join(e)
		}
	}
}

// extension reads a content that is not empty. What follows in it is ignored.
func (t *tlsHandshake) extension(e *octets, kind uint16, message byte, fromOrig bool) {
	switch kind {
	case extServerName:
		names := e.take(int(e.be16()))
		for names.len() > 0 {
			if names.u8() == 0 {
				names.skip(int(names.be16()))
			} else {
				names.rest()
			}
		}
		e.join(names)
	case extCurves:
		e.skip(int(e.be16()) / 2 * 2)
	case extPointFormats, extConnectionID:
		e.skip(int(e.u8()))
	case extSignatures:
		pairs(e)
	case extALPN:
		names := e.take(int(e.be16()))
		for names.len() > 0 {
			names.skip(int(names.u8()))
		}
		e.join(names)
	case extTimestamps:
		timestamps(e)
	case extKeyShare, extKeyShareOld:
		t.keyShare(e, message)
	case extSupportedVersions:
		if fromOrig != t.flipped { // the client's
			versions := e.take(int(e.u8()))
			if versions.len()%2 != 0 {
				versions.fail()
			}
			e.join(versions)
		} else if v := e.be16(); !e.bad {
			t.setVersion(v)
		}
	case extKeyModes:
		e.skip(int(e.u8()))
	case extPreSharedKey:
		preSharedKey(e, message)
	}
}

// pairs reads a length and two-byte elements.
func pairs(e *octets) {
	list := e.take(int(e.be16()))
	if list.len()%2 != 0 {
		list.fail()
	}
	e.join(list)
}

func (t *tlsHandshake) keyShare(e *octets, message byte) {
	switch {
	case message == clientHello:
		shares := e.take(int(e.be16()))
		for shares.len() > 0 {
			shares.skip(2)
			shares.skip(int(shares.be16()))
		}
		e.join(shares)
	case e.len() == 2: // a retry request names the group only
		e.skip(2)
	default:
		e.skip(2)
		e.skip(int(e.be16()))
	}
}

func preSharedKey(e *octets, message byte) {
	if message == serverHello {
		e.skip(2)
		return
	}
	identities := e.take(int(e.be16()))
	for identities.len() > 0 {
		identities.skip(int(identities.be16()))
		identities.skip(4) // age
	}
	e.join(identities)
	binders := e.take(int(e.be16()))
	for binders.len() > 0 {
		binders.skip(int(binders.u8()))
	}
	e.join(binders)
}

// timestamps reads signed certificate timestamps.
func timestamps(e *octets) {
	list := e.take(int(e.be16()))
	for list.len() > 0 {
		t := list.take(int(list.be16()))
		t.skip(1 + 32 + 8) // version, log, time
		t.skip(int(t.be16()))
		t.skip(2) // algorithms
		t.skip(int(t.be16()))
		list.join(t)
	}
	e.join(list)
}
