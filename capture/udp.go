package capture

import "encoding/binary"

// deliverUDP runs one datagram (src/packet_analysis/protocol/udp/UDP.cc).
func (t *table) deliverUDP(c *connection, p *packet, fromOrig bool) {
	b := p.payload
	length := p.length
	if length == 0 {
		length = len(b)
	}
	if t.options.verifiesUDP(p, length) && !p.isValid(validUDP) {
		t.stats.BadChecksums++
		t.timers.heap.check.nowUDP++
		if c.badChecksum[index(fromOrig)].event() {
			c.history.add(letterOf('C', fromOrig))
		}
		return
	}
	c.last = p.time
	if fromOrig {
		c.history.check(histUDPOrig, 'D')
	} else {
		c.history.check(histUDPResp, 'd')
	}
	// By the datagram's own length field, which may be smaller than its header.
	c.addLength(fromOrig, int64(binary.BigEndian.Uint16(b[4:]))-udpHeader)

	p.carrier = c
	data := b[udpHeader:min(length, len(b))]
	t.decoder.tunnel(p, c, data)
	c.detection().Data(fromOrig, data, p.time)
	// DNS or NTP may have changed the roles meanwhile; the packet counts for
	// the side that it had before.
	t.stats.Counted++
	c.count(fromOrig, p.ipLen)
}

// verifiesUDP reports whether the datagram's checksum is looked at.
func (o *Options) verifiesUDP(p *packet, length int) bool {
	b := p.payload
	if o.IgnoreChecksums || len(b) < length || p.wireLen > p.capLen {
		return false
	}
	checksum := binary.BigEndian.Uint16(b[6:])
	if checksum != 0 {
		return true
	}
	if !p.v6 {
		return false // none
	}
	const vxlanHeader, ethernetHeader, vniFlag = 8, 14, 0x08
	vxlan := length > udpHeader+vxlanHeader+ethernetHeader && b[udpHeader]&vniFlag != 0 &&
		binary.BigEndian.Uint16(b[2:]) == vxlanPort
	return !vxlan
}

// addLength adds a datagram's payload. A negative sum, which only wrong length
// fields make, is a side that has not sent yet.
func (c *connection) addLength(fromOrig bool, n int64) {
	l := &c.lengths[index(fromOrig)]
	if *l < 0 {
		*l = n
	} else {
		*l += n
	}
}

// dnsPort reports the responder ports at which Zeek ends a UDP connection soon
// after its last packet (scripts/base/protocols/dns/main.zeek).
func dnsPort(port uint16) bool {
	switch port {
	case 53, 137, 5353, 5355:
		return true
	}
	return false
}
