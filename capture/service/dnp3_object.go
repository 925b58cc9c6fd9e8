package service

// dnp3Rest marks an object that takes all that is left.
const dnp3Rest = -1

// dnp3Sizes are the sizes of objects by group and variation (from 1); 0 is one
// without a fixed size (src/analyzer/protocol/dnp3/dnp3-objects.pac).
var dnp3Sizes = [256][]int8{
	0x01: {1, 1},
	0x02: {1, 7, 3},
	0x03: {dnp3Rest, 1},
	0x04: {7, 3},
	0x0a: {1, 1},
	0x0b: {1, 7},
	0x0c: {11, 11, 1},
	0x0d: {1, 7},
	0x14: {5, 3, dnp3Rest, dnp3Rest, 4, 2, dnp3Rest, dnp3Rest},
	0x15: {5, 3, dnp3Rest, dnp3Rest, 11, 9, dnp3Rest, dnp3Rest, 4, 2, dnp3Rest, dnp3Rest},
	0x16: {5, 3, dnp3Rest, dnp3Rest, 11, 9, dnp3Rest, dnp3Rest},
	0x17: {5, 3, dnp3Rest, dnp3Rest, 11, 9, dnp3Rest, dnp3Rest},
	0x1e: {5, 3, 4, 2, 5, 9},
	0x1f: {5, 3, 11, 9, 4, 2, 5, 9},
	0x20: {5, 3, 11, 9, 5, 9, 11, 15},
	0x21: {5, 3, 11, 11, 5, 9, 11, 15},
	0x22: {2, 4, 4},
	0x28: {5, 3, 5, 9},
	0x29: {5, 3, 5, 9},
	0x2a: {5, 3, 11, 9, 5, 9, 11, 15},
	0x2b: {5, 3, 11, 9, 5, 9, 11, 15},
	0x32: {6, 10, 6},
	0x33: {6, 6},
	0x34: {2, 2},
	0x46: {0, 0, 0, 0, 0, 0, 0},
	0x50: {0},
	0x51: {3},
	0x52: {0},
	0x53: {0, 0},
	0x55: {5},
	0x56: {5, 1, dnp3Rest},
	0x57: {dnp3Rest},
	0x58: {dnp3Rest},
	0x5b: {0},
	0x65: {2, 4, 8},
	0x66: {1},
	0x78: {0, 0, 6, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
}

// dnp3Object reads one object; size is its prefix, where that is a size.
func (o *octets) dnp3Object(kind uint16, size uint32, request bool, code byte) {
	group, variation := byte(kind>>8), int(byte(kind))
	if sizes := dnp3Sizes[group]; variation >= 1 && variation <= len(sizes) {
		switch n := int(sizes[variation-1]); n {
		case 0:
			switch group {
			case 0x46:
				o.dnp3File(variation, int(int32(size)), request, code)
			case 0x78:
				o.dnp3Authentication(variation, int(uint16(size)))
			default:
				o.dnp3Structure(kind, request)
			}
		case dnp3Rest:
			o.rest()
		default:
			o.skip(n)
		}
		return
	}
	switch {
	case group == 0 && variation >= 0xd3 && variation != 0xf4 && variation != 0xfb && variation != 0xfd:
		o.skip(1) // a device attribute
		o.skip(int(o.u8()))
	case group >= 0x6e && group <= 0x71: // strings, as long as the variation says
		o.skip(variation)
	default:
		o.rest()
	}
}

// dnp3Structure reads the rarer structures.
func (o *octets) dnp3Structure(kind uint16, request bool) {
	switch kind {
	case 0x5001: // internal indications
		if request {
			o.rest()
		} else {
			o.skip(2)
		}
	case 0x5201: // device profile
		o.skip(8)
		o.skip(4 * int(o.le16()))
	case 0x5301: // private registration
		o.skip(6)
		o.skip(int(o.le16()))
	case 0x5302:
		o.skip(6)
		o.skip(4 * int(o.le16()))
	case 0x5b01: // activated configuration
		o.skip(4)
		for n := o.u8(); n > 0 && !o.bad; n-- {
			size := int(o.u8())
			o.skip(1)
			o.skip(size - 1)
		}
	}
}

// dnp3File reads an object of file control.
func (o *octets) dnp3File(variation, size int, request bool, code byte) {
	switch variation {
	case 1:
		name := int(o.le16())
		o.skip(32 + name)
		o.rest()
	case 2:
		if request && code != 0x1d { // only a request for authentication has it
			return
		}
		o.skip(2)
		user := int(o.le16())
		o.skip(2)
		password := int(o.le16())
		o.skip(4 + user + password)
	case 3:
		o.skip(2)
		name := int(o.le16())
		o.skip(22 + name)
	case 4:
		o.sized(13, size)
	case 5:
		o.sized(8, size)
	case 6:
		o.sized(9, size)
	case 7:
		o.skip(2)
		name := int(o.le16())
		o.skip(16 + name)
	}
}

// dnp3Authentication reads an object of secure authentication.
func (o *octets) dnp3Authentication(variation, size int) {
	switch variation {
	case 1:
		o.sized(8, size)
	case 2, 6:
		o.sized(6, size)
	case 5:
		o.skip(9)
		challenge := int(o.le16())
		o.skip(challenge)
		o.skip(size - 11 - challenge)
	case 7:
		o.sized(15, size)
	case 8:
		o.sized(2, size)
	case 9, 14, 15:
		o.skip(size)
	case 10:
		o.skip(10)
		user, key, certificate := int(o.le16()), int(o.le16()), int(o.le16())
		o.skip(user + key + certificate)
	case 11:
		o.skip(1)
		user, challenge := int(o.le16()), int(o.le16())
		o.skip(user + challenge)
	case 12:
		o.skip(8)
		o.skip(int(o.le16()))
	case 13:
		o.skip(6)
		o.skip(int(o.le16()))
	}
}

// sized reads a fixed part and what size says is left behind it.
func (o *octets) sized(fixed, size int) {
	o.skip(fixed)
	o.skip(size - fixed)
}
