package capture

import (
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
}

// packets reads frames from any source of gopacket's, and leaves out those
// that Zeek leaves out (src/iosource/pcap/Source.cc): packets without bytes and
// with impossible times. Times are cut to microseconds.
type packets struct {
	read  func() ([]byte, gopacket.CaptureInfo, error)
	link  linkType // of packets that do not bring their own
	stats *Stats
}

func newPackets(source gopacket.PacketDataSource, link layers.LinkType, s *Stats) *packets {
	p := &packets{read: source.ReadPacketData, link: fromGopacket(link), stats: s}
	if source, ok := source.(gopacket.ZeroCopyPacketDataSource); ok {
		p.read = source.ZeroCopyReadPacketData
	}
	return p
}

// next reads the next packet that has a time and bytes. Errors are the
// source's; but for File, which does so itself, they get the packet's number.
func (p *packets) next(fr *frame) error {
	for {
		data, info, err := p.read()
		if err != nil {
			return p.failed(err)
		}
		p.stats.Packets++
		fr.data = data
		fr.wireLen = uint32(min(uint64(max(info.Length, 0)), math.MaxUint32))
		fr.time = 0
		if !info.Timestamp.IsZero() { // which a simple packet of pcapng has
			fr.time = conn.Micros(info.Timestamp.UnixMicro())
		}
		fr.link, fr.bigEndian = p.link, false
		if len(info.AncillaryData) > 0 {
			fr.from(info.AncillaryData)
		}
		switch {
		case len(data) == 0 || fr.wireLen == 0:
			p.stats.Skipped[SkipEmpty]++
		case fr.time < 0:
			p.stats.Skipped[SkipTime]++
		default:
			return nil
		}
	}
}

// from takes what is known of the packet's interface: a File's Interface, or
// the link type alone as of pcapgo's NgReader.
func (fr *frame) from(ancillary []any) {
	for _, a := range ancillary {
		switch a := a.(type) {
		case *Interface:
			fr.link, fr.bigEndian = linkType(a.LinkType), a.BigEndian
		case layers.LinkType:
			fr.link = fromGopacket(a)
		}
	}
}

func (p *packets) failed(err error) error {
	if _, ok := err.(*DamageError); ok || err == io.EOF {
		return err
	}
	return fmt.Errorf("packet %d: %w", p.stats.Packets+1, err)
}
