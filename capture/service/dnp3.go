package service

import "encoding/binary"

// dnp3Analyzer confirms DNP3, over TCP or UDP, by a link header whose checksum
// is right (src/analyzer/protocol/dnp3/DNP3.cc). Link frames are put together
// to application messages; one that does not parse violates, and other errors
// end the analysis in silence.
type dnp3Analyzer struct {
	node
	flow [2]dnp3Flow
}

func newDNP3() analyzer { return &dnp3Analyzer{} }

// dnp3Flow is one direction.
type dnp3Flow struct {
	frame   []byte // of the link layer, as far as it has come
	inBody  bool
	started bool // the message's first frame gave its link header
	first   bool // a frame with the FIR bit was among them
	message dnp3Message
}

const (
	dnp3Head    = 11 // link header, its checksum, the transport byte
	dnp3Link    = 8  // link header alone
	dnp3Control = 10 // where the transport byte stands, and the checksummed data begins
)

func (a *dnp3Analyzer) idle(fromOrig bool) bool { return a.skip || a.node.idle(fromOrig) }

func (a *dnp3Analyzer) data(fromOrig bool, b []byte) {
	if !a.flow[side(fromOrig)].link(&a.node, fromOrig, b) {
		a.skip = true
	}
}

// link takes bytes of the link layer; false ends the analysis.
func (f *dnp3Flow) link(n *node, fromOrig bool, b []byte) bool {
	for len(b) > 0 {
		if !f.inBody {
			if !f.fill(&b, dnp3Head) {
				return true
			}
			if f.frame[0] != 0x05 || f.frame[1] != 0x64 {
				return false
			}
			if dnp3CRC(f.frame[:dnp3Link]) != binary.LittleEndian.Uint16(f.frame[dnp3Link:]) {
				n.violate()
				return false
			}
			n.confirm()
			if f.frame[2] == 5 { // nothing above the link layer; Zeek drops the rest of the block
				f.reset()
				return true
			}
			f.inBody = true
			if !f.started {
				f.started = true
				if !f.message.link(f.frame[:dnp3Link], fromOrig) {
					n.fail()
					return false
				}
			}
		}
		size := int(f.frame[2])
		if size == 0 {
			return false
		}
		// Data comes in pieces of 16 bytes, each with two of checksum.
		size -= 5
		target := dnp3Head + size + size/16*2 - 1
		if size%16 != 0 {
			target += 2
		}
		if target < len(f.frame) {
			return false
		}
		if !f.fill(&b, target) {
			return true
		}
		if ok, wrong := f.body(size, fromOrig); !ok {
			if wrong {
				n.fail()
			}
			return false
		}
	}
	return true
}

// fill takes bytes from b until the frame has n.
func (f *dnp3Flow) fill(b *[]byte, n int) bool {
	take := min(n-len(f.frame), len(*b))
	f.frame = append(f.frame, (*b)[:take]...)
	*b = (*b)[take:]
	return len(f.frame) == n
}

func (f *dnp3Flow) reset() {
	f.frame, f.inBody, f.started, f.first = f.frame[:0], false, false, false
}

// body takes a frame's data, of which the first byte is the transport's. Not
// ok ends the analysis, wrong with a violation.
func (f *dnp3Flow) body(size int, fromOrig bool) (ok, wrong bool) {
	control := f.frame[dnp3Control]
	data, transport := f.frame[dnp3Control:], 1
	for size > 0 {
		n := min(size, 16)
		if dnp3CRC(data[:n]) != binary.LittleEndian.Uint16(data[n:]) {
			return false, false
		}
		if !f.message.add(data[transport:n]) {
			return false, false
		}
		data, size, transport = data[n+2:], size-n, 0
	}
	if control&0x40 != 0 {
		f.first = true
	} else if !f.first {
		return false, false
	}
	last := control&0x80 != 0
	f.frame, f.inBody = f.frame[:0], false
	if last {
		f.reset()
		if !f.message.end(fromOrig) {
			return false, true
		}
	}
	return true, false
}

// dnp3CRC returns the checksum of the link layer: polynomial 0xA6BC, inverted.
func dnp3CRC(b []byte) uint16 {
	crc := uint16(0)
	for _, c := range b {
		crc = dnp3Table[byte(crc)^c] ^ crc>>8
	}
	return ^crc
}

var dnp3Table = func() (t [256]uint16) {
	for i := range t {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xa6bc
			} else {
				crc >>= 1
			}
		}
		t[i] = crc
	}
	return t
}()
