package service

// dnp3Message gathers an application message: the link header of its first
// frame, then the data of all of them. The header alone announces how long the
// message is, which is right only for messages of one frame; the others end
// with the frame that says so.
type dnp3Message struct {
	kept []byte
	want int // grows with each frame's data, so that a message waits for its end
	head bool
}

// link takes the link header of a first frame; false is a violation. It may
// meet a message that never ended, and is then taken for its continuation.
func (m *dnp3Message) link(b []byte, fromOrig bool) bool {
	for {
		if !m.head {
			m.want = dnp3Link
		}
		n := min(max(m.want, dnp3Link)-len(m.kept), len(b))
		m.kept = append(m.kept, b[:n]...)
		b = b[n:]
		if len(m.kept) < max(m.want, dnp3Link) {
			return true
		}
		if !m.head {
			if m.kept[0] != 0x05 || m.kept[1] != 0x64 {
				return false
			}
			m.head, m.want = true, int(m.kept[2])+3
			if m.want > dnp3Link {
				continue
			}
		}
		if !m.end(fromOrig) {
			return false
		}
		if len(b) == 0 {
			return true
		}
	}
}

// add takes a frame's data; false is more than is kept.
func (m *dnp3Message) add(b []byte) bool {
	m.want += len(b)
	m.kept = append(m.kept, b...)
	return len(m.kept) <= maxKept
}

// end parses what was gathered; false is a violation.
func (m *dnp3Message) end(fromOrig bool) bool {
	o := octets{b: m.kept}
	complete := m.head
	m.kept, m.head = m.kept[:0], false
	o.skip(dnp3Link + 1) // and the application control
	code := o.u8()
	if !fromOrig {
		o.skip(2) // internal indications
	}
	if fromOrig && dnp3RequestObjects(code) || !fromOrig && code >= 0x81 && code <= 0x83 {
		for o.len() > 0 {
			o.dnp3Objects(fromOrig, code)
		}
	}
	return complete && !o.bad
}

// dnp3RequestObjects says whether a request with a function code carries
// objects (src/analyzer/protocol/dnp3/dnp3-protocol.pac).
func dnp3RequestObjects(code byte) bool {
	switch code {
	case 0x00, 0x0d, 0x0e, 0x0f, 0x13, 0x17, 0x18:
		return false
	}
	return code <= 0x21
}

// dnp3Objects reads an object header and its objects.
func (o *octets) dnp3Objects(request bool, code byte) {
	kind := o.be16()
	qualifier := o.u8()
	n := o.dnp3Range(qualifier & 0x0f)
	switch kind {
	case 0x0c03:
		n = dnp3Bits(n)
	case 0x0101, 0x0301, 0x0a01: // one bit each
		if !request {
			n = dnp3Bits(n)
		}
	}
	if request && !dnp3RequestKind(kind) {
		return
	}
	if !o.fits(n, 1) {
		return
	}
	for range n {
		size := o.dnp3Prefix(qualifier >> 4)
		o.dnp3Object(kind, size, request, code)
		if o.bad {
			return
		}
	}
}

// dnp3RequestKind says whether requests carry data for an object type.
func dnp3RequestKind(kind uint16) bool {
	switch group, variation := kind>>8, kind&0xff; group {
	case 0x0c, 0x32:
		return variation >= 1 && variation <= 3
	case 0x33, 0x34:
		return variation == 1 || variation == 2
	case 0x46:
		return variation >= 1 && variation <= 7
	case 0x50:
		return variation == 1
	case 0x78:
		return variation >= 1 && variation <= 15
	}
	return false
}

// dnp3Range reads the range field and returns the number of objects, in Zeek's
// 32 bits with sign.
func (o *octets) dnp3Range(how byte) int {
	switch how {
	case 0:
		first := int(o.u8())
		return int(o.u8()) - first + 1
	case 1:
		first := int(o.le16())
		return int(o.le16()) - first + 1
	case 2:
		first := o.le32()
		return int(int32(o.le32() - first + 1))
	case 3:
		o.skip(2)
	case 4:
		o.skip(4)
	case 5:
		o.skip(8)
	case 6:
	case 7, 0x0b:
		return int(o.u8())
	case 8:
		return int(o.le16())
	case 9:
		return int(int32(o.le32()))
	default:
		o.rest()
	}
	return 0
}

// dnp3Prefix reads what stands before each object: an index or a size.
func (o *octets) dnp3Prefix(how byte) uint32 {
	switch how {
	case 1, 4:
		return uint32(o.u8())
	case 2, 5:
		return uint32(o.le16())
	case 3, 6:
		return o.le32()
	}
	return 0
}

// dnp3Bits returns the number of bytes that n bits take, as Zeek reckons it for
// negative numbers too.
func dnp3Bits(n int) int {
	if n%8 > 0 {
		return n/8 + 1
	}
	return n / 8
}
