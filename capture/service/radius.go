package service

// radiusAnalyzer confirms RADIUS by any datagram that parses: the length field
// is not compared, attributes must fill the datagram
// (src/analyzer/protocol/radius/radius-protocol.pac).
type radiusAnalyzer struct{ node }

func newRADIUS() analyzer { return &radiusAnalyzer{} }

func (a *radiusAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	o.skip(1 + 1 + 2 + 16) // code, identifier, length, authenticator
	for o.len() > 0 {
		o.skip(1)
		o.skip(int(o.u8()) - 2)
	}
	if o.bad {
		a.violate()
	} else {
		a.confirm()
	}
}
