package service

// ntpAnalyzer confirms every datagram that parses; one that says it comes from
// a server, sent by the originator, or from a client, sent by the responder,
// turns the connection round (src/analyzer/protocol/ntp/ntp-protocol.pac,
// ntp-mode7.pac, ntp-analyzer.pac).
type ntpAnalyzer struct {
	node
	flipped [2]bool
}

// Modes of NTP (RFC 5905, and mode 7 of ntpd).
const (
	ntpClient    = 3
	ntpServer    = 4
	ntpBroadcast = 5
	ntpControl   = 6
	ntpPrivate   = 7
)

func newNTP() analyzer { return &ntpAnalyzer{} }

func (a *ntpAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	mode := o.u8() & 7
	switch {
	case o.bad:
	case mode >= 1 && mode <= ntpBroadcast:
		ntpStandard(&o)
	case mode == ntpControl:
		o.skip(9)
		o.skip(int(o.be16()))
	case mode == ntpPrivate:
		authenticated := o.u8()&0x80 != 0
		o.skip(2)
		o.skip(int(o.be16()) & 0x0fff)
		if authenticated {
			o.skip(20)
		}
	}
	if o.bad {
		a.violate()
		return
	}
	a.confirm()
	turned := mode == ntpServer && fromOrig || mode == ntpClient && !fromOrig
	if f := &a.flipped[side(fromOrig)]; turned && !*f {
		a.det.conn.FlipRoles()
		*f = true
	}
}

// ntpStandard reads the header of modes 1 to 5 and, when more than a MAC can
// follow, extension fields up to the end.
func ntpStandard(o *octets) {
	o.skip(47)
	if o.len() <= 24 {
		return
	}
	for o.len() > 0 {
		o.skip(2)
		length := int(o.be16())
		o.skip(10)
		value := int32(o.be32())
		if length < 18 || value < 0 || int(value) > length-18 {
			o.fail()
			return
		}
		o.skip(int(value))
		signature := int32(o.be32())
		if length < 22 || int(value) > length-22 {
			o.fail()
			return
		}
		o.skip(int(signature))
		if rest := length - 22 - int(value) - int(signature); rest > 0 {
			o.skip(rest)
		}
	}
}
