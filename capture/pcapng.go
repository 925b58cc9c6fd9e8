package capture

import (
	"encoding/binary"
	"errors"
	"io"
	"math/bits"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Blocks of a pcapng file (draft-ietf-opsawg-pcapng).
const (
	blockSection        = magicSection
	blockInterface      = 1
	blockPacket         = 2 // obsolete
	blockSimplePacket   = 3
	blockEnhancedPacket = 6

	optionEnd      = 0
	optionTSResol  = 9
	optionTSOffset = 14

	byteOrderMagic = 0x1a2b3c4d
	blockHeader    = 8  // type and length
	blockOverhead  = 12 // and the length once more, at the end
	maxBlock       = 16 << 20
)

// openNG reads up to the first interface, so that a file without one is known
// for what it is at once.
func (f *File) openNG() error {
	f.record = f.ngRecord
	for len(f.interfaces) == 0 {
		kind, body, err := f.block()
		switch {
		case err == io.EOF:
			err = f.damage("%w: no interface is described in it", ErrNoCapture)
		case err != nil:
		case kind == blockInterface:
			err = f.addInterface(body)
		case kind == blockEnhancedPacket, kind == blockSimplePacket, kind == blockPacket:
			err = f.damage("a packet comes before any description of an interface")
		}
		if err != nil {
			return err
		}
		f.in.take(len(body) + blockOverhead)
	}
	return nil
}

// block peeks at the next block and returns its body; a section header sets
// the byte order for what follows. io.EOF if there is none.
func (f *File) block() (kind uint32, body []byte, err error) {
	b := f.in.peek(blockHeader)
	if len(b) < blockHeader {
		return 0, nil, f.cut(len(b), blockHeader)
	}
	if binary.LittleEndian.Uint32(b) == blockSection {
		if err := f.section(); err != nil {
			return 0, nil, err
		}
	}
	kind, length := f.order.Uint32(b), f.order.Uint32(b[4:])
	limit := uint32(maxBlock)
	for i := range f.interfaces {
		limit = max(limit, maxCaptured(f.interfaces[i].link())+1<<18)
	}
	if length < blockOverhead || length%4 != 0 || length > limit {
		return 0, nil, f.damage("a block claims a length of %d bytes", length)
	}
	b = f.in.peek(int(length))
	if len(b) < int(length) {
		return 0, nil, f.cut(len(b), int64(length))
	}
	if again := f.order.Uint32(b[length-4:]); again != length {
		return 0, nil, f.damage("a block of %d bytes says at its end that it has %d", length, again)
	}
	return kind, b[blockHeader : length-4], nil
}

// section reads the byte order of a section header, and forgets the
// interfaces of the section before.
func (f *File) section() error {
	b := f.in.peek(16)
	if len(b) < 16 {
		return f.cut(len(b), 28)
	}
	switch uint32(byteOrderMagic) {
	case binary.LittleEndian.Uint32(b[8:]):
		f.order = binary.LittleEndian
	case binary.BigEndian.Uint32(b[8:]):
		f.order = binary.BigEndian
	default:
		if f.order == nil {
			return f.damage("%w: it begins like a pcapng, but has no byte order", ErrNoCapture)
		}
		return f.damage("a section header has no byte order")
	}
	if major := f.order.Uint16(b[12:]); major != 1 {
		return f.damage("pcapng version %d is unknown", major)
	}
	f.interfaces = f.interfaces[:0]
	return nil
}

var errOption = errors.New("an interface's option does not fit")

func (f *File) addInterface(b []byte) error {
	if len(b) < 8 {
		return f.damage("the description of an interface has %d bytes only", len(b))
	}
	i := newInterface(linkType(f.order.Uint16(b)), f.order, f.order.Uint32(b[4:]))
	for b = b[8:]; len(b) > 0; {
		if len(b) < 4 {
			return f.damage("%w: %d bytes are left", errOption, len(b))
		}
		code, length := f.order.Uint16(b), int(f.order.Uint16(b[2:]))
		padded := 4 + (length+3)&^3
		if len(b) < padded {
			return f.damage("%w: it claims %d bytes of %d", errOption, length, len(b)-4)
		}
		value := b[4 : 4+length]
		if code == optionEnd {
			break
		}
		switch {
		case code == optionTSResol && length == 1:
			perSec, ok := unitsPerSecond(value[0])
			if !ok {
				return f.damage("a time resolution of %#x is too fine", value[0])
			}
			i.perSec = perSec
		case code == optionTSOffset && length == 8:
			i.offset = int64(f.order.Uint64(value))
		case code == optionTSResol, code == optionTSOffset:
			return f.damage("%w: option %d has %d bytes", errOption, code, length)
		}
		b = b[padded:]
	}
	f.interfaces = append(f.interfaces, i)
	return nil
}

// unitsPerSecond decodes if_tsresol: a negative power of 2 or 10.
func unitsPerSecond(b byte) (uint64, bool) {
	if b&0x80 != 0 {
		return 1 << (b & 0x3f), b&0x7f <= 63
	}
	if b > 19 {
		return 0, false
	}
	n := uint64(1)
	for range b {
		n *= 10
	}
	return n, true
}

// ngRecord reads up to the next packet.
func (f *File) ngRecord(fr *frame) error {
	for {
		kind, body, err := f.block()
		if err != nil {
			return err
		}
		found := false
		switch kind {
		case blockEnhancedPacket, blockPacket:
			found = true
			err = f.packetBlock(kind, body, fr)
		case blockSimplePacket:
			found = true
			err = f.simplePacketBlock(body, fr)
		case blockInterface:
			err = f.addInterface(body)
		}
		if err != nil {
			return err
		}
		f.in.take(len(body) + blockOverhead)
		if found {
			return nil
		}
	}
}

func (f *File) packetBlock(kind uint32, b []byte, fr *frame) error {
	const header = 20
	if len(b) < header {
		return f.damage("a packet's block has %d bytes only", len(b))
	}
	id := f.order.Uint32(b)
	if kind == blockPacket {
		id = uint32(f.order.Uint16(b)) // and a count of drops
	}
	if uint64(id) >= uint64(len(f.interfaces)) {
		return f.damage("the packet's interface %d is not described", id)
	}
	i := f.interfaces[id]
	captured := f.order.Uint32(b[12:])
	if captured > uint32(len(b)-header) {
		return f.damage("the packet claims %d captured bytes, its block has %d", captured, len(b)-header)
	}
	i.tell(fr)
	fr.index = int(id)
	fr.time = i.micros(uint64(f.order.Uint32(b[4:]))<<32 | uint64(f.order.Uint32(b[8:])))
	fr.wireLen = f.order.Uint32(b[16:])
	fr.data = b[header : header+captured]
	return nil
}

// simplePacketBlock reads a packet of the first interface that has neither a
// time nor a captured length.
func (f *File) simplePacketBlock(b []byte, fr *frame) error {
	if len(b) < 4 || len(f.interfaces) == 0 {
		return f.damage("a simple packet has no length or no interface")
	}
	i := f.interfaces[0]
	fr.wireLen = f.order.Uint32(b)
	captured := min(fr.wireLen, i.snapshot)
	if captured > uint32(len(b)-4) {
		return f.damage("the packet claims %d captured bytes, its block has %d", captured, len(b)-4)
	}
	i.tell(fr)
	fr.index = 0
	fr.time = 0
	fr.data = b[4 : 4+captured]
	return nil
}

// micros returns a packet's time in microseconds, cut not rounded; negative if no
// clock can have shown it.
func (i *Interface) micros(t uint64) conn.Micros {
	seconds, fraction := int64(t/i.perSec), t%i.perSec
	switch {
	case bits.OnesCount64(i.perSec) == 1: // a power of two; 1 is one, too
		fraction = fraction * 1e6 / i.perSec // wraps beyond 2^44 units, as in libpcap
	case i.perSec >= 1e6:
		fraction /= i.perSec / 1e6
	default:
		fraction *= 1e6 / i.perSec
	}
	const latest = 1 << 42 // seconds; microseconds then still fit
	seconds += i.offset
	if seconds < 0 || seconds > latest {
		return -1
	}
	return conn.Micros(seconds*1e6 + int64(fraction))
}
