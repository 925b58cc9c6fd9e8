package service

// snmpAnalyzer confirms SNMP by a message from the responder whose header
// parses; a malformed message of either side violates
// (src/analyzer/protocol/snmp/snmp-protocol.pac, snmp-analyzer.pac).
type snmpAnalyzer struct{ node }

func newSNMP() analyzer { return &snmpAnalyzer{} }

func (a *snmpAnalyzer) data(fromOrig bool, b []byte) {
	o := octets{b: b}
	o.berExpect(berSequence)
	version := o.berInt()
	if o.bad {
		a.violate()
		return
	}
	pdu := false
	switch version {
	case 0, 1:
		o.berString(berOctetString)
		pdu = true
	case 3:
		if !o.snmpV3Data() {
			a.violate() // message flags not of one byte; parsing goes on
		}
		o.berString(berOctetString) // security parameters
		switch next := o.berHead(); next.tag {
		case berSequence:
			o.berString(berOctetString) // context engine
			o.berString(berOctetString) // context name
			pdu = true
		default: // encrypted or unknown
			o.rest()
		}
	default:
		o.rest()
	}
	if !o.bad && !fromOrig {
		a.confirm()
	}
	if pdu {
		o.snmpPDU()
	}
	if o.bad {
		a.violate()
	}
}

// snmpV3Data reads the global data of a version 3 header; false if the message
// flags are not of one byte.
func (o *octets) snmpV3Data() bool {
	o.berExpect(berSequence)
	o.berInt() // id
	o.berInt() // largest message
	flags := o.berString(berOctetString)
	o.berInt() // security model
	return o.bad || flags.len() == 1
}

func (o *octets) snmpPDU() {
	switch o.berHead().tag {
	case 0xa0, 0xa1, 0xa2, 0xa3, 0xa5, 0xa6, 0xa7, 0xa8:
		o.berInt()
		o.berInt()
		o.berInt()
	case 0xa4: // version 1 trap
		o.berString(berOID)
		o.berString(0x40) // IpAddress
		o.berInt()
		o.berInt()
		o.berString(0x43) // TimeTicks
	default:
		o.rest()
		return
	}
	o.berExpect(berSequence)
	for o.len() > 0 { // variable bindings
		o.berExpect(berSequence)
		o.berString(berOID)
		o.berSkip()
	}
}

// berExpect reads the head of an element that must have the tag.
func (o *octets) berExpect(tag byte) {
	if o.berHead().tag != tag {
		o.fail()
	}
}

// berString reads an element that must have the tag.
func (o *octets) berString(tag byte) octets {
	t, content := o.berValue()
	if t != tag {
		o.fail()
	}
	return content
}

// berInt reads an INTEGER of at most nine bytes.
func (o *octets) berInt() uint64 {
	content := o.berString(berInteger)
	if content.len() > 9 {
		o.fail()
	}
	return berNumber(content)
}
