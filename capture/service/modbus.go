package service

import "encoding/binary"

// modbusAnalyzer confirms Modbus/TCP by one complete PDU of either side whose
// body parses for its function code (src/analyzer/protocol/modbus).
type modbusAnalyzer struct {
	node
	flow [2]frameBuffer
}

func newModbus() analyzer { return &modbusAnalyzer{} }

// modbusHead is the transport header with the function code.
const modbusHead = 8

func modbusSize(h []byte) (int, bool) {
	protocol, length := binary.BigEndian.Uint16(h[2:]), int(binary.BigEndian.Uint16(h[4:]))
	return length + 6, protocol == 0 && length >= 2
}

func (a *modbusAnalyzer) data(fromOrig bool, b []byte) {
	f := &a.flow[side(fromOrig)]
	for len(b) > 0 {
		o, state := f.next(&b, modbusHead, modbusSize)
		if state == frameWaits {
			return
		}
		if state == frameDone {
			o.skip(modbusHead - 1)
			code := o.u8()
			odd := false
			if fromOrig {
				odd = o.modbusRequest(code)
			} else {
				odd = o.modbusResponse(code)
			}
			if !o.bad {
				if odd { // Zeek complains of the register count, and goes on
					a.violate()
				}
				a.confirm()
				continue
			}
		}
		f.discard()
		a.violate()
		return
	}
}

// modbusRequest reads a request's body; true if its registers take an odd
// number of bytes.
func (o *octets) modbusRequest(code byte) (odd bool) {
	switch code {
	case 0x01, 0x02, 0x03, 0x04, 0x05, 0x06: // address, quantity or value
		o.skip(4)
	case 0x08: // diagnostics
		o.skip(2)
	case 0x0f: // write coils
		o.skip(4)
		o.skip(int(o.u8()))
	case 0x10: // write registers
		o.skip(2)
		odd = o.modbusRegisters(int(o.be16()))
	case 0x14: // read file record
		records := o.take(int(o.u8()))
		for records.len() > 0 {
			records.skip(7)
		}
		o.join(records)
	case 0x15:
		o.modbusFileRecords()
	case 0x16: // mask register
		o.skip(6)
	case 0x17: // read and write registers
		o.skip(6)
		odd = o.modbusRegisters(int(o.be16()))
	case 0x18: // read queue
		o.skip(2)
	case 0x2b: // encapsulated interface
		o.skip(1)
	}
	return odd
}

func (o *octets) modbusResponse(code byte) (odd bool) {
	if code&0x80 != 0 { // exception
		o.skip(1)
		return false
	}
	switch code {
	case 0x01, 0x02:
		o.skip(int(o.u8()))
	case 0x03, 0x04, 0x17:
		n := int(o.u8())
		o.skip(n)
		odd = n%2 != 0
	case 0x05, 0x06, 0x0f, 0x10:
		o.skip(4)
	case 0x08:
		o.skip(2)
	case 0x14:
		records := o.take(int(o.u8()))
		for records.len() > 0 {
			n := int(records.u8())
			records.skip(1 + n)
		}
		o.join(records)
	case 0x15:
		o.modbusFileRecords()
	case 0x16:
		o.skip(6)
	case 0x18:
		n := o.be16()
		o.skip(2 * int(o.be16()))
		odd = n%2 != 0
	case 0x2b:
		o.skip(1)
	}
	return odd
}

// modbusRegisters reads a byte count and that many bytes, which must have room
// for the quantity of registers.
func (o *octets) modbusRegisters(quantity int) (odd bool) {
	n := int(o.u8())
	registers := o.take(n)
	registers.fits(quantity, 2)
	o.join(registers)
	return n%2 != 0
}

func (o *octets) modbusFileRecords() {
	records := o.take(int(o.u8()))
	for records.len() > 0 {
		records.skip(5) // type, file, record
		records.skip(2 * int(records.be16()))
	}
	o.join(records)
}
