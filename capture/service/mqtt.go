package service

// mqttAnalyzer confirms MQTT by a CONNECT or PUBLISH. Zeek parses each
// delivered block as one control packet: what follows in the block is not
// looked at, and a packet cut by a segment boundary is malformed
// (src/analyzer/protocol/mqtt: the flow is of datagrams).
type mqttAnalyzer struct{ node }

func newMQTT() analyzer { return &mqttAnalyzer{} }

func (a *mqttAnalyzer) data(fromOrig bool, b []byte) {
	if !a.det.stream { // the signature matches datagrams too, which do not reach Zeek's parser
		a.skip = true
		return
	}
	o := octets{b: b}
	head := o.u8()
	if o.bad {
		a.violate()
		return
	}
	size, ok := o.mqttLength()
	if !ok {
		a.violate() // and the packet counts as empty
	}
	body := o.take(size)
	confirms := body.mqttBody(head)
	if body.bad {
		a.violate()
	} else if confirms {
		a.confirm()
	}
}

// mqttLength reads the remaining length: bytes up to one without the
// continuation bit, or to the end. More than three are too many: the fourth
// takes Zeek's multiplier over its limit.
func (o *octets) mqttLength() (size int, ok bool) {
	shift, n := 0, 0
	for o.len() > 0 {
		c := o.u8()
		if n++; n <= 4 {
			size |= int(c&0x7f) << shift
			shift += 7
		}
		if c&0x80 == 0 {
			break
		}
	}
	if n > 3 {
		return 0, false
	}
	return size, true
}

// mqttBody reads a packet's variable part; true if it is one that confirms.
func (o *octets) mqttBody(head byte) bool {
	switch head >> 4 {
	case 1: // CONNECT
		o.mqttString()
		o.skip(1) // level
		flags := o.u8()
		o.skip(2) // keep alive
		o.mqttString()
		if flags&0x04 != 0 { // will
			o.mqttString()
			o.mqttString()
		}
		if flags&0x80 != 0 {
			o.mqttString()
		}
		if flags&0x40 != 0 {
			o.mqttString()
		}
		return true
	case 3: // PUBLISH
		o.mqttString()
		if head&0x06 != 0 {
			o.skip(2)
		}
		return true
	case 2, 4, 5, 6, 7, 11: // CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK
		o.skip(2)
	case 9: // SUBACK
		o.skip(3)
	case 8: // SUBSCRIBE
		o.skip(2)
		for o.len() > 0 {
			o.mqttString()
			o.skip(1)
		}
	case 10: // UNSUBSCRIBE
		o.skip(2)
		for o.len() > 0 {
			o.mqttString()
		}
	}
	return false
}

func (o *octets) mqttString() { o.skip(int(o.be16())) }
