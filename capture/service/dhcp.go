package service

// dhcpAnalyzer confirms DHCP by a message with the magic cookie whose options
// parse (src/analyzer/protocol/dhcp/dhcp-protocol.pac, dhcp-options.pac). One
// without a message type violates and confirms.
type dhcpAnalyzer struct {
	node
	// relayed sums the lengths of relay agent sub-options of one direction. Zeek
	// never resets it, so a second such option ends where the sum happens to
	// meet its length, or with the message.
	relayed [2]byte
}

func newDHCP() analyzer { return &dhcpAnalyzer{} }

const dhcpCookie = 0x63825363

func (a *dhcpAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	o.skip(236) // the BOOTP header
	cookie := o.be32()
	messageType, typeSeen := byte(0), false
	for o.len() > 0 {
		code := o.u8()
		if code == 255 {
			break
		}
		if code == 0 {
			continue
		}
		value := a.option(&o, code, &a.relayed[side(fromOrig)])
		if code == 53 && !typeSeen {
			messageType, typeSeen = value, true
		}
	}
	if o.bad {
		a.violate()
		return
	}
	if messageType == 0 {
		a.violate()
	}
	if cookie != dhcpCookie {
		a.violate()
		return
	}
	a.confirm()
}

// option reads an option's length and value, and returns a one-byte value.
// Zeek knows the types of some options: those take the room of their type,
// whatever the length says.
func (a *dhcpAnalyzer) option(o *octets, code byte, relayed *byte) byte {
	n := int(o.u8())
	switch code {
	case 53: // message type
		return o.u8()
	case 19, 116: // forwarding, automatic configuration
		o.skip(1)
	case 57: // largest message
		o.skip(2)
	case 1, 2, 28, 50, 51, 54, 58, 59: // an address, a time
		o.skip(4)
	case 3, 4, 5, 6, 42, 44: // addresses
		o.skip(n / 4 * 4)
	case 61: // client identifier
		o.skip(1)
		o.skip(n - 1)
	case 81: // client name
		o.skip(3)
		o.skip(n - 3)
	case 82:
		for o.len() > 0 {
			o.skip(1)
			size := o.u8()
			o.skip(int(size))
			if o.bad {
				return 0
			}
			*relayed += size + 2
			if int(*relayed) == n {
				return 0
			}
		}
	default:
		o.skip(n)
	}
	return 0
}
