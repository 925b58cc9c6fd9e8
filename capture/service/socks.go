package service

// socksAnalyzer confirms the proxy's answer to the client's request, of version
// 4 or 5; every block must hold one message
// (src/analyzer/protocol/socks/socks-protocol.pac, socks-analyzer.pac). What
// follows is looked at like a connection of its own.
type socksAnalyzer struct {
	node
	requested, answered bool

	chosen  bool // version 5: the proxy has chosen the way to log in
	method  byte // which is that
	logging bool // the client logs in
	inside  bool // the signature matcher is attached
}

const socksUserPass = 2

func newSOCKS() analyzer { return &socksAnalyzer{} }

func (a *socksAnalyzer) data(fromOrig bool, b []byte) {
	switch {
	case a.partial():
	case a.requested && a.answered:
		if !a.inside {
			a.inside = attachPIA(&a.node)
		}
		a.forward(fromOrig, b)
	default:
		o := octets{b: b}
		a.message(&o, fromOrig)
		if o.bad {
			a.violate()
		}
	}
}

func (a *socksAnalyzer) message(o *octets, fromOrig bool) {
	if a.logging {
		a.login(o, fromOrig)
		return
	}
	switch version := o.u8(); {
	case version == 4:
		n := 7 // and names, which any bytes are
		if !fromOrig {
			n = 8
		}
		if o.skip(n); !o.bad {
			a.finish(fromOrig)
		}
	case version == 5 && !a.chosen:
		a.choose(o, fromOrig)
	case version == 5:
		a.connect(o, fromOrig)
	case !o.bad:
		a.violate()
	}
}

// choose takes the ways to log in that the client offers, or the proxy's choice.
func (a *socksAnalyzer) choose(o *octets, fromOrig bool) {
	n := o.u8()
	switch {
	case fromOrig:
		o.skip(int(n))
	case !o.bad:
		a.chosen, a.method, a.logging = true, n, n != 0 && n != 0xff
	}
}

// login takes name and password, or the proxy's verdict.
func (a *socksAnalyzer) login(o *octets, fromOrig bool) {
	if a.method == socksUserPass && o.u8() == 1 {
		n := o.u8()
		if fromOrig {
			o.skip(int(n))
			o.skip(int(o.u8()))
		}
	}
	if !fromOrig && !o.bad {
		a.logging = false
	}
}

// connect takes a request or an answer of version 5.
func (a *socksAnalyzer) connect(o *octets, fromOrig bool) {
	command, reserved := o.u8(), o.u8()
	switch o.u8() {
	case 1:
		o.skip(4)
	case 3:
		o.skip(int(o.u8()))
	case 4:
		o.skip(16)
	default:
		o.fail()
	}
	o.skip(2)
	switch {
	case o.bad:
	case fromOrig && (reserved != 0 || command == 0 || command > 3):
		a.violate()
		a.skip = true
	default:
		a.finish(fromOrig)
	}
}

func (a *socksAnalyzer) finish(fromOrig bool) {
	if fromOrig {
		a.requested = true
		return
	}
	a.answered = true
	a.confirm()
}

func (a *socksAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.inside && !a.wants(fromOrig)
}
