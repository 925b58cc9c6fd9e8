package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// frame is one captured packet. Its bytes are lent until the next one is read.
type frame struct {
	data      []byte // as captured
	wireLen   uint32 // its length on the wire; may be wrong, even smaller than data
	link      linkType
	bigEndian bool // the byte order of the host that captured it
	time      conn.Micros
	number    uint64 // of the packet in the file, from 1
}

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

// pcapFile reads pcap and pcapng as libpcap does for Zeek
// (src/iosource/pcap/Source.cc): times are cut to microseconds, packets
// without bytes and with impossible times are skipped. gopacket's own readers
// refuse files that libpcap takes (old versions, lengths that do not fit) and
// copy each packet.
//
// Beyond libpcap, the interfaces of a pcapng may differ in link type and
// snapshot length, and its sections in byte order.
type pcapFile struct {
	in     *source
	stats  *Stats
	number uint64
	order  binary.ByteOrder
	record func(*frame) error // reads the next record of the format

	// pcap
	bigEndian  bool
	link       linkType
	snapshot   uint32
	header     int // length of a record's header
	nanosecond bool
	swapped    lengthOrder

	// pcapng
	interfaces []pcapInterface
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

var errNoCapture = errors.New("not a pcap or pcapng file")

// openPcap reads the header of a capture file and counts its packets in s.
func openPcap(r io.Reader, s *Stats) (*pcapFile, error) {
	f := &pcapFile{in: newSource(r), stats: s}
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
		f.order, f.bigEndian = binary.BigEndian, true
		return f, f.openClassic(swapped)
	}
	return nil, &DamageError{Err: fmt.Errorf("%w: it begins with the bytes % x", errNoCapture, b)}
}

func isPcap(magic uint32) bool {
	return magic == magicMicroseconds || magic == magicNanoseconds || magic == magicPatched
}

// headerError says why the file has no header.
func (f *pcapFile) headerError(got int) error {
	switch {
	case f.in.err != io.EOF:
		return &DamageError{Err: fmt.Errorf("header of the capture file: %w", f.in.err)}
	case got == 0:
		return &DamageError{Err: fmt.Errorf("%w: it is empty", errNoCapture)}
	}
	return &DamageError{Err: fmt.Errorf("%w: it ends in the header, after %d bytes", errNoCapture, got)}
}

func (f *pcapFile) openClassic(magic uint32) error {
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
		return &DamageError{Err: fmt.Errorf("%w: version %d.%d is unknown", errNoCapture, major, minor)}
	}
	f.link = linkType(f.order.Uint32(b[20:]) & 0xffff) // above: length of a frame check sequence
	f.snapshot = f.order.Uint32(b[16:])
	if f.snapshot == 0 || f.snapshot > 1<<31-1 {
		f.snapshot = maxCaptured(f.link)
	}
	f.header = pcapRecordHeader
	if magic == magicPatched {
		f.header = patchedRecordHeader
		if f.link == linkEthernet {
			f.snapshot += 14 // those captures may have a made-up Ethernet header beside the packet
		}
	}
	f.nanosecond = magic == magicNanoseconds
	f.record = f.classicRecord
	f.in.take(pcapHeader)
	return nil
}

// maxCaptured is the largest packet that is believed to be one
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

// next reads the next packet that has a time and bytes. The error is io.EOF or
// a *DamageError.
func (f *pcapFile) next(fr *frame) error {
	for {
		f.number++
		if err := f.record(fr); err != nil {
			return err
		}
		f.stats.Packets++
		switch {
		case len(fr.data) == 0 || fr.wireLen == 0:
			f.stats.Skipped[SkipEmpty]++
		case fr.time < 0:
			f.stats.Skipped[SkipTime]++
		default:
			fr.number = f.number
			return nil
		}
	}
}

func (f *pcapFile) damage(format string, args ...any) error {
	return &DamageError{Packet: f.number, Offset: f.in.offset, Err: fmt.Errorf(format, args...)}
}

// cut says that the file ends, or cannot be read, before a record does. A
// record of no byte is the end of the file.
func (f *pcapFile) cut(got int, want int64) error {
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
func (f *pcapFile) classicRecord(fr *frame) error {
	b := f.in.peek(f.header)
	if len(b) < f.header {
		return f.cut(len(b), int64(f.header))
	}
	var captured uint32
	fr.bigEndian = f.bigEndian
	if !f.bigEndian {
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
	if captured > maxCaptured(f.link) {
		return f.damage("the record claims %d captured bytes, more than any packet has", captured)
	}
	length := f.header + int(captured)
	b = f.in.peek(length)
	if len(b) < length {
		return f.cut(len(b), int64(length))
	}
	fr.link = f.link
	fr.data = b[f.header : f.header+int(min(captured, f.snapshot))]
	f.in.take(length)
	return nil
}

// micros is the time of a record of seconds and a fraction, which is cut to
// microseconds.
func (f *pcapFile) micros(seconds, fraction int64) conn.Micros {
	if f.nanosecond {
		fraction /= 1000
	}
	return conn.Micros(seconds*1e6 + fraction)
}
