package capture

// deliverICMP runs one message (src/packet_analysis/protocol/icmp/ICMP.cc).
// A bad checksum leaves no letter, and nothing is counted of a packet that was
// not captured in full.
func (t *table) deliverICMP(c *connection, p *packet, fromOrig bool) {
	length := p.length
	if length == 0 {
		length = len(p.payload)
	}
	complete := len(p.payload) >= length
	if complete && !t.options.IgnoreChecksums && !validICMP(p) {
		t.stats.BadChecksums++
		return
	}
	c.last = p.time
	l := index(fromOrig)
	c.addLength(fromOrig, int64(length)-icmpHeader)
	c.lengths[l] = int64(int32(c.lengths[l])) // Zeek's is an int
	p.carrier = c
	t.stats.Counted++
	if complete {
		c.count(fromOrig, p.ipLen)
	}
}

// icmpCounterpart is what stands for the responder's port: the type that
// answers this one or, if there is none, the code.
func icmpCounterpart(proto, typ, code uint8) (port uint16, oneWay bool) {
	if proto == protoICMP {
		switch typ {
		case 8: // echo
			return 0, false
		case 0:
			return 8, false
		case 13, 15, 17: // timestamp, information, address mask
			return uint16(typ) + 1, false
		case 14, 16, 18:
			return uint16(typ) - 1, false
		case 10: // router solicitation
			return 9, false
		case 9:
			return 10, false
		}
		return uint16(code), true
	}
	switch typ {
	case 128, 130, 133, 135, 139, 144: // echo, listener, router, neighbour, node information, home agent
		return uint16(typ) + 1, false
	case 129, 131, 134, 136, 140, 145:
		return uint16(typ) - 1, false
	}
	return uint16(code), true
}
