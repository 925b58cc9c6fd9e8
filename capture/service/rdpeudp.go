package service

// rdpeudpAnalyzer confirms RDP over UDP by the responder's SYN+ACK after a good
// SYN (src/analyzer/protocol/rdp/rdpeudp-*.pac).
type rdpeudpAnalyzer struct {
	node
	state   rdpeudpState
	version [2]uint16 // that each side offered
}

func newRDPEUDP() analyzer { return &rdpeudpAnalyzer{} }

type rdpeudpState uint8

const (
	rdpeudpNeedsSYN rdpeudpState = iota
	rdpeudpNeedsSYNACK
	rdpeudpOpen
)

const (
	rdpeudpSYN           = 0x0001
	rdpeudpACK           = 0x0004
	rdpeudpData          = 0x0008
	rdpeudpACKOfACKs     = 0x0100
	rdpeudpCorrelationID = 0x0800
	rdpeudpSYNEx         = 0x1000
	rdpeudpVersion3      = 0x0101
)

func (a *rdpeudpAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	switch {
	case a.state != rdpeudpOpen:
		a.handshake(&o, fromOrig)
	case a.version == [2]uint16{rdpeudpVersion3, rdpeudpVersion3}:
		o.skip(3)
	default:
		o.rdpeudpAck()
	}
	if o.bad {
		a.violate()
	}
}

// handshake reads a SYN or SYN+ACK. Zeek needs the version in it, though the
// protocol does not.
func (a *rdpeudpAnalyzer) handshake(o *octets, fromOrig bool) {
	ack := o.be32()
	o.skip(2)
	flags := o.be16()
	o.skip(8)
	if flags&rdpeudpCorrelationID != 0 {
		o.skip(32)
	}
	if flags&rdpeudpSYNEx == 0 {
		o.fail()
	}
	o.skip(2)
	version := o.be16()
	if version == rdpeudpVersion3 {
		o.skip(32)
	}
	if o.bad {
		return
	}
	switch a.state {
	case rdpeudpNeedsSYN:
		if fromOrig && flags&rdpeudpSYN != 0 && ack == 0xffffffff {
			a.version[0] = version
			a.state = rdpeudpNeedsSYNACK
		}
	case rdpeudpNeedsSYNACK:
		if !fromOrig && flags&(rdpeudpSYN|rdpeudpACK) != 0 {
			a.version[1] = version
			a.state = rdpeudpOpen
			a.confirm()
		}
	}
}

func (o *octets) rdpeudpAck() {
	o.skip(6)
	flags := o.be16()
	n := int(o.be16())
	o.skip(n)
	o.skip((4 - (2+n)%4) % 4)
	if flags&rdpeudpACKOfACKs != 0 {
		o.skip(4)
	}
	if flags&rdpeudpData != 0 {
		o.skip(8)
	}
}
