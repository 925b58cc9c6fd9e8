package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// DamageError says where a capture file cannot be read any further. All
// packets before were read.
type DamageError struct {
	Packet uint64 // that was to be read, from 1; 0 for the file's header
	Offset int64  // of the record in the (uncompressed) file
	Err    error  // what is wrong there
}

func (e *DamageError) Error() string {
	if e.Packet == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("packet %d, at byte %d: %v", e.Packet, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// File reads the packets of a pcap or pcapng file as libpcap does for Zeek. It
// is a gopacket.PacketDataSource, for it takes what gopacket's own readers
// refuse or read otherwise (docs/architecture.md has the list): old versions,
// packets longer than the snapshot length or the length on the wire, files that
// end in a packet. Times are cut to microseconds.
//
// Beyond libpcap, the interfaces of a pcapng may differ in link type and
// snapshot length, and its sections in byte order.
type File struct {
	in     *lender
	number uint64 // of the packet, from 1
	order  binary.ByteOrder
	record func(*frame) error // reads the next record of the format
	latest frame              // that was handed out

	// pcap
	network    *Interface
	header     int // length of a record's header
	nanosecond bool
	swapped    lengthOrder

	// pcapng
	interfaces []*Interface
}

// Interface is what captured a packet of a File: as a pointer the first of the
// packet's AncillaryData. Its fields must not be changed.
type Interface struct {
	LinkType  uint16 // of the file, of which gopacket's LinkType is the lower byte
	BigEndian bool   // the byte order of the host

	ancillary []any // the pointer
	snapshot  uint32

	// pcapng
	perSec uint64 // units of time in a second
	offset int64  // seconds to add
}

func newInterface(link linkType, order binary.ByteOrder, snapshot uint32) *Interface {
	i := &Interface{LinkType: uint16(link), BigEndian: order == binary.BigEndian, snapshot: snapshot, perSec: 1e6}
	i.ancillary = []any{i}
	if snapshot == 0 || snapshot > 1<<31-1 {
		i.snapshot = maxCaptured(link)
	}
	return i
}

func (i *Interface) link() linkType { return linkType(i.LinkType) }

// tell says what the packet's interface says of it.
func (i *Interface) tell(fr *frame) {
	fr.from, fr.link, fr.bigEndian = i, i.link(), i.BigEndian
}

// Magic numbers of a pcap file, as its byte order shows them.
const (
	magicMicroseconds = 0xa1b2c3d4
	magicNanoseconds  = 0xa1b23c4d
	magicPatched      = 0xa1b2cd34 // Kuznetzov's Linux patches: longer record headers
	magicSection      = 0x0a0d0d0a // pcapng, a palindrome
)

const (
	pcapHeader          = 24
	pcapRecordHeader    = 16
	patchedRecordHeader = 24
)

// ErrNoCapture is in the error of a file that does not begin like a capture.
var ErrNoCapture = errors.New("not a pcap or pcapng file")

// NewFile reads the header of a pcap or pcapng file, which is not compressed.
// The error says what is wrong with it.
func NewFile(r io.Reader) (*File, error) {
	f := &File{in: newLender(r)}
	b := f.in.peek(4)
	if len(b) < 4 {
		return nil, f.headerError(len(b))
	}
	magic, swapped := binary.LittleEndian.Uint32(b), binary.BigEndian.Uint32(b)
	switch {
	case magic == magicSection:
		return f, f.openNG()
	case isPcap(magic):
		f.order = binary.LittleEndian
		return f, f.openClassic(magic)
	case isPcap(swapped):
		f.order = binary.BigEndian
		return f, f.openClassic(swapped)
	}
	return nil, &DamageError{Err: fmt.Errorf("%w: it begins with the bytes % x", ErrNoCapture, b)}
}

func isPcap(magic uint32) bool {
	return magic == magicMicroseconds || magic == magicNanoseconds || magic == magicPatched
}

// headerError says why the file has no header.
func (f *File) headerError(got int) error {
	switch {
	case f.in.err != io.EOF:
		return &DamageError{Err: fmt.Errorf("header of the capture file: %w", f.in.err)}
	case got == 0:
		return &DamageError{Err: fmt.Errorf("%w: it is empty", ErrNoCapture)}
	}
	return &DamageError{Err: fmt.Errorf("%w: it ends in the header, after %d bytes", ErrNoCapture, got)}
}

func (f *File) openClassic(magic uint32) error {
	b := f.in.peek(pcapHeader)
	if len(b) < pcapHeader {
		return f.headerError(len(b))
	}
	major, minor := f.order.Uint16(b[4:]), f.order.Uint16(b[6:])
	switch {
	case major == 2 && minor < 3, major == 543 && minor == 0: // 543: DG/UX
		f.swapped = lengthsSwapped
	case major == 2 && minor == 3:
		f.swapped = lengthsUnclear
	case major == 2 && minor == 4:
	default:
		return &DamageError{Err: fmt.Errorf("%w: version %d.%d is unknown", ErrNoCapture, major, minor)}
	}
	link := linkType(f.order.Uint32(b[20:]) & 0xffff) // above: length of a frame check sequence
	f.network = newInterface(link, f.order, f.order.Uint32(b[16:]))
	f.header = pcapRecordHeader
	if magic == magicPatched {
		f.header = patchedRecordHeader
		if link == linkEthernet {
			f.network.snapshot += 14 // those captures may have a made-up Ethernet header beside the packet
		}
	}
	f.nanosecond = magic == magicNanoseconds
	f.record = f.classicRecord
	f.in.take(pcapHeader)
	return nil
}

// maxCaptured returns the largest packet that is believed to be one
// (libpcap, pcap-common.c, max_snaplen_for_dlt).
func maxCaptured(link linkType) uint32 {
	switch link {
	case linkDBus:
		return 128 << 20
	case linkEBHSCR:
		return 8 << 20
	case linkUSBPcap:
		return 1 << 20
	}
	return 256 << 10
}

// LinkType returns that of the file or, of a pcapng, of its first interface, cut to
// gopacket's eight bits.
func (f *File) LinkType() layers.LinkType {
	if len(f.interfaces) > 0 {
		return layers.LinkType(f.interfaces[0].link())
	}
	return layers.LinkType(f.network.link())
}

// ZeroCopyReadPacketData reads the next packet. Its bytes are lent until the
// next one is read. The error is io.EOF or a *DamageError.
func (f *File) ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	fr := &f.latest
	if err := f.next(fr); err != nil {
		return nil, gopacket.CaptureInfo{}, err
	}
	return fr.data, gopacket.CaptureInfo{
		Timestamp:      time.UnixMicro(int64(fr.time)),
		CaptureLength:  len(fr.data),
		Length:         int(fr.wireLen),
		InterfaceIndex: fr.index,
		AncillaryData:  fr.from.ancillary,
	}, nil
}

// ReadPacketData reads the next packet, whose bytes are a copy.
func (f *File) ReadPacketData() ([]byte, gopacket.CaptureInfo, error) {
	data, info, err := f.ZeroCopyReadPacketData()
	return bytes.Clone(data), info, err
}

// next returns the same for a Reader, without the way through CaptureInfo.
func (f *File) next(fr *frame) error {
	f.number++
	return f.record(fr)
}

func (f *File) damage(format string, args ...any) error {
	return &DamageError{Packet: f.number, Offset: f.in.offset, Err: fmt.Errorf(format, args...)}
}

// cut says that the file ends, or cannot be read, before a record does. A
// record of no byte is the end of the file.
func (f *File) cut(got int, want int64) error {
	switch {
	case f.in.err != io.EOF:
		return f.damage("%w", f.in.err)
	case got == 0:
		return io.EOF
	}
	return f.damage("the file is cut off: %d bytes are left of the record's %d", got, want)
}

// lengthOrder says which of a record's two lengths comes first.
type lengthOrder uint8

const (
	lengthsInOrder lengthOrder = iota // captured, then on the wire
	lengthsSwapped                    // the other way round, before version 2.3
	lengthsUnclear                    // version 2.3: the smaller one was captured
)

// classicRecord reads a record of a pcap file (libpcap, sf-pcap.c).
func (f *File) classicRecord(fr *frame) error {
	b := f.in.peek(f.header)
	if len(b) < f.header {
		return f.cut(len(b), int64(f.header))
	}
	var captured uint32
	if !f.network.BigEndian {
		// libpcap takes the seconds of its host's byte order for signed.
		fr.time = f.micros(int64(int32(binary.LittleEndian.Uint32(b))), int64(int32(binary.LittleEndian.Uint32(b[4:]))))
		captured, fr.wireLen = binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	} else {
		fr.time = f.micros(int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:])))
		captured, fr.wireLen = binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	}
	if f.swapped == lengthsSwapped || f.swapped == lengthsUnclear && captured > fr.wireLen {
		captured, fr.wireLen = fr.wireLen, captured
	}
	if captured > maxCaptured(f.network.link()) {
		return f.damage("the record claims %d captured bytes, more than any packet has", captured)
	}
	length := f.header + int(captured)
	b = f.in.peek(length)
	if len(b) < length {
		return f.cut(len(b), int64(length))
	}
	f.network.tell(fr)
	fr.data = b[f.header : f.header+int(min(captured, f.network.snapshot))]
	f.in.take(length)
	return nil
}

// micros returns the time of a record of seconds and a fraction, which is cut to
// microseconds.
func (f *File) micros(seconds, fraction int64) conn.Micros {
	if f.nanosecond {
		fraction /= 1000
	}
	return conn.Micros(seconds*1e6 + fraction)
}
