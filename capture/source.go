package capture

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// frame is one captured packet. Its bytes are lent until the next one is read.
type frame struct {
	data      []byte // as captured
	wireLen   uint32 // its length on the wire; may be wrong, even smaller than data
	link      linkType
	bigEndian bool // the byte order of the host that captured it
	time      conn.Micros

	from  *Interface // of a File's
	index int        // of the interface

	early foundAhead // its datagram, if reading ahead found it
}

// packets reads frames from any source of gopacket's, and leaves out those
// that Zeek leaves out (src/iosource/pcap/Source.cc): packets without bytes and
// with impossible times. Times are cut to microseconds.
type packets struct {
	file  *File // or
	read  func() ([]byte, gopacket.CaptureInfo, error)
	files bool     // of which there is always more to read, or the end
	link  linkType // of packets that do not bring their own
	ahead *ahead   // nil: they are read when asked for
	stats *Stats
}

func newPackets(source gopacket.PacketDataSource, link layers.LinkType, s *Stats) *packets {
	p := &packets{read: source.ReadPacketData, link: fromGopacket(link), stats: s}
	switch source := source.(type) {
	case *File:
		p.file = source // without the way through CaptureInfo
		p.files = true
	case *Merge:
		p.read = source.ZeroCopyReadPacketData
		p.files = true
	case gopacket.ZeroCopyPacketDataSource:
		p.read = source.ZeroCopyReadPacketData
	}
	return p
}

// next reads the next packet that has a time and bytes. The error is io.EOF, or
// says at which packet the source failed.
func (p *packets) next(fr *frame) error {
	for {
		var err error
		if p.ahead != nil {
			err = p.ahead.next(fr)
		} else {
			err = p.fetch(fr)
		}
		if err != nil {
			return p.failed(err)
		}
		p.stats.Packets++
		switch {
		case len(fr.data) == 0 || fr.wireLen == 0:
			p.stats.Skipped[SkipEmpty]++
		case fr.time < 0:
			p.stats.Skipped[SkipTime]++
		default:
			return nil
		}
	}
}

// failed says at which packet the source failed, where the error does not.
func (p *packets) failed(err error) error {
	if damage := (*DamageError)(nil); err == io.EOF || errors.As(err, &damage) {
		return err
	}
	return fmt.Errorf("packet %d: %w", p.stats.Packets+1, err)
}

// fetch reads the next packet of the source, whatever it is.
func (p *packets) fetch(fr *frame) error {
	if p.file != nil {
		return p.file.next(fr)
	}
	data, info, err := p.read()
	if err != nil {
		return err
	}
	*fr = frame{
		data:    data,
		wireLen: uint32(min(uint64(max(info.Length, 0)), math.MaxUint32)),
		link:    p.link,
	}
	if !info.Timestamp.IsZero() { // which a simple packet of pcapng has
		fr.time = conn.Micros(info.Timestamp.UnixMicro())
	}
	for _, a := range info.AncillaryData {
		switch a := a.(type) {
		case *Interface: // of a File that was wrapped
			a.tell(fr)
		case layers.LinkType: // pcapgo's NgReader
			fr.link = fromGopacket(a)
		}
	}
	return nil
}
