package service

// gssapiAnalyzer confirms GSSAPI by each blob that parses; SMB and DCE/RPC
// hand it their security blobs (src/analyzer/protocol/gssapi). Tokens of NTLM
// and Kerberos inside go to analyzers of their own first.
type gssapiAnalyzer struct {
	node
	ntlm, krb analyzer
}

func newGSSAPI() analyzer { return &gssapiAnalyzer{} }

func (a *gssapiAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	a.blob(&o)
	if o.bad {
		a.violate()
	} else {
		a.confirm()
	}
}

func (a *gssapiAnalyzer) blob(o *octets) {
	wrapper := o.berHead()
	switch {
	case wrapper.length == 4 && !wrapper.long && (wrapper.tag == 0x04 || wrapper.tag == 0x05):
		o.rest() // a signature or a wrapped message
		return
	case wrapper.tag == 0x60: // the first token
		o.berSkip() // mechanism
		o.berHead()
		o.berHead()
		for o.len() > 0 {
			arg := o.berHead()
			v := o.take(arg.length)
			switch arg.index() {
			case 0, 1, 3: // mechanisms, flags, signature
				v.berSkip()
			case 2:
				a.token(&v, true)
			default:
				v.fail()
			}
			o.join(v)
		}
	default:
		o.berHead()
		for o.len() > 0 {
			arg := o.berHead()
			v := o.take(arg.length)
			switch arg.index() {
			case 0, 1, 3: // state, mechanism, signature
				v.berSkip()
			case 2:
				a.token(&v, false)
			default:
				v.fail()
			}
			o.join(v)
		}
	}
}

// token hands on what a mechanism says. Only Kerberos' own wrapping can be
// malformed here.
func (a *gssapiAnalyzer) token(o *octets, first bool) {
	_, t := o.berValue()
	if o.bad || len(t.b) == 0 {
		return
	}
	switch t.b[0] {
	case 'N':
		if isNTLM(t.b) {
			if a.ntlm == nil {
				a.ntlm = a.instantiate(ntlm)
			}
			a.ntlm.data(first, t.b)
		}
	case 0x60:
		t.berHead()
		t.berSkip() // mechanism
		t.skip(2)   // token id
		if t.bad {
			o.fail()
			return
		}
		if a.krb == nil {
			a.krb = a.instantiate(krb)
		}
		a.krb.data(first, t.b)
	}
}

func isNTLM(b []byte) bool { return len(b) >= 7 && string(b[:7]) == "NTLMSSP" }
