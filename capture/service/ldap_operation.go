package service

import "bytes"

// operation parses an LDAP operation; it must use up its bytes. Some never do
// as Zeek reads them: requests to delete, abandon and modify.
func (a *ldapAnalyzer) operation(in *incoming, kind byte) {
	switch kind {
	case 0:
		a.bind(in)
	case 1:
		a.bindAnswer(in)
	case 2: // unbind
	case 3:
		in.ldapSearch()
	case 4: // search entry
		in.ldapText()
		in.ldapElement(true, 0)
	case 5, 7, 9, 11, 13, 15: // results
		in.ldapResult()
	case 6, 10: // modify, delete
		in.ldapText()
	case 16: // abandon
		in.ldapNumber()
	case 23:
		a.extended(in)
	case 24:
		a.extendedAnswer(in)
	default:
		in.fail()
	}
}

// ldapResult reads a result; true is success.
func (in *incoming) ldapResult() bool {
	code := in.ldapCode()
	in.ldapText()
	in.ldapText()
	return in.good() && code == 0
}

func (a *ldapAnalyzer) bind(in *incoming) {
	in.ldapNumber()
	in.ldapText()
	choice := in.ldapElement(true, 0)
	if choice.class == ldapUniversal {
		in.fail()
	}
	if !in.good() || len(choice.content) == 0 {
		return
	}
	data := complete(choice.content)
	switch choice.kind {
	case 3: // SASL
		mechanism := data.want(data.ldapElement(false, 0), ldapText).text()
		if mechanism == ldapSPNEGO {
			data.ldapSPNEGO()
		}
		if data.good() {
			a.mechanism = mechanism
		}
	case 10, 11: // Sicily
		data.ldapLiteral("NTLMSSP")
	}
	in.join(data)
}

const ldapSPNEGO = "GSS-SPNEGO"

// ldapSPNEGO reads the client's first token of SPNEGO, or one of NTLM.
func (in *incoming) ldapSPNEGO() {
	if in.ldapTag().kind != ldapOctetString {
		in.fail()
	}
	switch {
	case len(in.b) > 0 && in.b[0] == 0x60:
		in.u8()
		in.ldapLength()
		t := in.ldapTag()
		oid := ldapElement{ldapTag: t, content: in.bytes(t.length)}
		if t.class != ldapUniversal || t.kind != ldapOID || oid.text() != "1.3.6.1.5.5.2" {
			in.fail()
		}
	case len(in.b) > 0 && in.b[0] == 0xa1:
		in.u8()
		in.ldapLength()
	default:
		in.ldapLiteral("NTLMSSP")
	}
}

func (in *incoming) ldapLiteral(text string) {
	if !bytes.Equal(in.bytes(uint64(len(text))), []byte(text)) {
		in.fail()
	}
}

// bindAnswer reads a bind's result; success may change what follows.
func (a *ldapAnalyzer) bindAnswer(in *incoming) {
	if in.ldapResult() && a.first() && a.mechanism != "" {
		a.mode = ldapMaybeEncrypted
	}
	var first []byte
	for n := 0; !in.empty(); n++ {
		t := in.ldapTag()
		if t.class != ldapContext || t.kind != 7 {
			in.fail()
		}
		if b := in.bytes(t.length); n == 0 {
			first = b
		}
	}
	if !in.good() || !a.first() || a.mechanism != ldapSPNEGO || first == nil {
		return
	}
	token := complete(first)
	if len(token.b) == 0 || token.b[0] != 0xa1 {
		token.ldapLiteral("NTLMSSP")
	} else if token.u8(); token.ldapKerberosAccepted() {
		a.mode = ldapKerberos
	}
	in.join(token)
}

// ldapKerberosAccepted reads an answer of SPNEGO: true if Microsoft's Kerberos
// was chosen and is done. Zeek fails without a mechanism in it.
func (in *incoming) ldapKerberosAccepted() bool {
	in.ldapLength()
	answer := in.want(in.ldapElement(true, 0), ldapElements)
	if !in.good() {
		return false
	}
	var mechanism []byte
	accepted, chosen, token := false, false, false
	for list := complete(answer.content); len(list.b) > 0; {
		e := list.ldapElement(true, 1)
		if e.class == ldapUniversal { // reads as number 0, and has no data
			in.fail()
			return false
		}
		switch e.kind {
		case 0:
			accepted = bytes.Equal(e.content, []byte{0x0a, 0x01, 0x00})
		case 1:
			mechanism, chosen = e.content, true
		case 2:
			token = true
		case 3:
		default:
			in.fail()
		}
	}
	if !chosen {
		in.fail()
		return false
	}
	m := complete(mechanism)
	name := m.want(m.ldapElement(false, 0), ldapText).text()
	in.join(m)
	return in.good() && accepted && token && name == "1.2.840.48018.1.2.2"
}

func (in *incoming) ldapSearch() {
	in.ldapText()   // base
	in.ldapCode()   // scope
	in.ldapCode()   // aliases
	in.ldapNumber() // limits
	in.ldapNumber()
	in.want(in.ldapElement(true, 0), ldapBoolean)
	in.ldapFilter(0)
	attributes := in.ldapElement(true, 0)
	if attributes.kind != ldapSequence || !in.good() {
		return
	}
	if attributes.class != ldapUniversal {
		in.fail()
		return
	}
	for list := complete(attributes.content); len(list.b) > 0; {
		if list.ldapElement(true, 1).class != ldapUniversal {
			in.fail()
		}
	}
}

const ldapMaxFilter = 20 // MAX_RECURSION_DEPTH

func (in *incoming) ldapFilter(depth int) {
	if depth > ldapMaxFilter {
		in.fail()
	}
	e := in.ldapElement(true, 0)
	if e.class == ldapUniversal {
		in.fail()
	}
	if !in.good() {
		return
	}
	inner := complete(e.content)
	switch e.kind {
	case 0, 1: // and, or
		for !inner.empty() {
			inner.ldapFilter(depth + 1)
		}
	case 2: // not
		inner.ldapFilter(depth + 1)
	case 4: // substrings
		inner.ldapAttribute()
		inner.within(inner.ldapTag().length, func(in *incoming) {
			for !in.empty() {
				if part := in.ldapElement(false, 0); part.class == ldapUniversal || part.kind > 2 {
					in.fail()
				}
			}
		})
	case 3, 5, 6, 8:
		inner.ldapAttribute()
		inner.ldapAttribute()
	case 9: // extensible
		inner.ldapAttribute()
		inner.ldapAttribute()
		inner.ldapAttribute()
	case 7: // present
	default:
		inner.fail()
	}
	in.join(inner)
}

// ldapAttribute reads a tag, a length of one byte, and as many bytes.
func (in *incoming) ldapAttribute() {
	in.u8()
	in.bytes(uint64(in.u8()))
}

const ldapStartTLS = "1.3.6.1.4.1.1466.20037"

func (a *ldapAnalyzer) extended(in *incoming) {
	t := in.ldapTag()
	if t.class != ldapContext {
		in.fail()
	}
	name := string(in.bytes(t.length))
	if !in.empty() && in.ldapElement(false, 0).class != ldapContext {
		in.fail()
	}
	if in.good() && name == ldapStartTLS {
		a.startTLS = true
	}
}

func (a *ldapAnalyzer) extendedAnswer(in *incoming) {
	success := in.ldapResult()
	for range 2 {
		if in.empty() {
			break
		}
		if e := in.ldapElement(false, 0); e.class != ldapContext || e.kind != 10 && e.kind != 11 {
			in.fail()
		}
	}
	if in.good() && a.first() && success && a.startTLS {
		a.mode = ldapTLS
	}
}
