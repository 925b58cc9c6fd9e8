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
}

// packets reads frames from any source of gopacket's, and leaves out those
// that Zeek leaves out (src/iosource/pcap/Source.cc): packets without bytes and
// with impossible times. Times are cut to microseconds.
type packets struct {
	file  *File // or
	read  func() ([]byte, gopacket.CaptureInfo, error)
	link  linkType // of packets that do not bring their own
	stats *Stats
}

func newPackets(source gopacket.PacketDataSource, link layers.LinkType, s *Stats) *packets {
	p := &packets{read: source.ReadPacketData, link: fromGopacket(link), stats: s}
	switch source := source.(type) {
	case *File:
		p.file = source // without the way through CaptureInfo
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
		if p.file != nil {
			err = p.file.next(fr)
		} else {
			err = p.fromSource(fr)
		}
		if err != nil {
			return err
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

// fromSource reads a packet of any other source.
func (p *packets) fromSource(fr *frame) error {
	data, info, err := p.read()
	if damage := (*DamageError)(nil); err == io.EOF || errors.As(err, &damage) {
		return err
	} else if err != nil {
		return fmt.Errorf("packet %d: %w", p.stats.Packets+1, err)
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
