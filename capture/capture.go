package capture

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Options are what a Reader is told. The zero value reads as Zeek does with
// its defaults.
type Options struct {
	// IgnoreChecksums takes packets whatever their checksums, as Zeek's -C.
	IgnoreChecksums bool

	// LocalNets are added to the private address space for local_orig and
	// local_resp, as Site::local_nets.
	LocalNets []netip.Prefix

	// MaxConnections is how many connections may be live at once; beyond it
	// those whose timers fall due next are ended early (Stats.Evicted).
	// 0: a million.
	MaxConnections int

	// Looks are the ages at which connections that go on are read as well
	// (conn.Conn.Look); beyond the last, at each as much later as that is. None are
	// where there are no ages.
	Looks []conn.Micros

	// MaxBuffered is how many bytes of TCP payload may wait above holes, all
	// connections together; beyond it such data is taken for missing when the
	// service is detected (Stats.Unbuffered). 0: 256 MiB.
	MaxBuffered int64
}

func (o *Options) withDefaults() *Options {
	d := *o
	if d.MaxConnections <= 0 {
		d.MaxConnections = 1_000_000
	}
	if d.MaxBuffered <= 0 {
		d.MaxBuffered = 256 << 20
	}
	return &d
}

// Reader turns captured packets into the rows of Zeek's conn.log. It is not
// safe for concurrent use.
type Reader struct {
	packets *packets
	begun   bool
	table   *table
	decoder *decoder
	frame   frame
	stats   Stats
	err     error // io.EOF at the end
}

// NewReader begins to read a pcap or pcapng file. The error says what is wrong
// with its header.
func NewReader(in io.Reader, options Options) (*Reader, error) {
	file, err := NewFile(in)
	if err != nil {
		return nil, err
	}
	return NewSourceReader(file, file.LinkType(), options), nil
}

// NewSourceReader begins to read packets from any source of gopacket's: a file
// that pcapgo reads, a live handle of pcap, afpacket or pcapgo, or one's own.
// Where the source lends its bytes (gopacket.ZeroCopyPacketDataSource), none are
// copied.
//
// Packets are of the kind that link says, unless the first of their
// AncillaryData is a layers.LinkType (pcapgo.NgReader's with WantMixedLinkType)
// or an *Interface (a File's). Of their CaptureInfo, Timestamp and Length must
// be set. A source ends with io.EOF; any other error ends it too, so what is
// only a timeout of a live handle is for the source to try again.
func NewSourceReader(source gopacket.PacketDataSource, link layers.LinkType, options Options) *Reader {
	r := &Reader{}
	r.packets = newPackets(source, link, &r.stats)
	o := options.withDefaults()
	r.table = newTable(o, &r.stats)
	r.decoder = newDecoder(r.table, o)
	r.table.decoder = r.decoder
	return r
}

// Close ends the reading where not all rows are wanted; it is not needed behind
// an error of Read, the end included. Packets of files are read ahead, so the
// file may still be read from once.
func (r *Reader) Close() {
	if r.packets.ahead != nil {
		r.packets.ahead.over.stop()
	}
	r.err = errClosed
}

var errClosed = errors.New("capture: the reader was closed")

// Read fills row with the next finished connection, in the order in which Zeek
// removes them, or with a look at a long one; row's slices are used again. At the end of the packets it
// returns io.EOF. If a file is damaged or a source fails, all rows up to there
// are read first, and then an error that names the packet and, of a file, its
// place there. Strings in row stay valid; nothing of row is kept.
func (r *Reader) Read(row *conn.Conn) error {
	for {
		if o := r.table.next(); o.c != nil {
			if o.look > 0 {
				r.table.fillLook(&o, row)
				return nil
			}
			r.table.fill(o.c, row)
			r.table.pool.putBack(o.c)
			r.stats.Rows++
			return nil
		}
		if r.err != nil {
			return r.err
		}
		if !r.begun {
			r.begin()
		}
		r.step()
	}
}

// begin reads and decodes packets ahead, where there is a processor for that
// and the packets are those of files: from a live source they would come late.
func (r *Reader) begin() {
	r.begun = true
	if runtime.GOMAXPROCS(0) > 1 && r.packets.files {
		r.readAhead()
	}
}

func (r *Reader) readAhead() {
	r.begun = true
	a := newAhead(r.packets, r.decoder.options)
	runtime.AddCleanup(r, (*over).stop, a.over) // of a Reader that nobody closed
	r.packets.ahead = a
}

// step reads one packet, or ends the capture.
func (r *Reader) step() {
	before := r.stats.Skipped
	err := r.packets.next(&r.frame)
	r.leftOut(&before)
	if err != nil {
		r.table.drain()
		r.decoder.fragments.end(&r.stats)
		if err != io.EOF {
			err = fmt.Errorf("capture: %w", err)
		}
		r.err = err
		return
	}
	r.packet()
}

// leftOut tells what Zeek thinks of the packets that have just been
// left out (src/iosource/pcap/Source.cc, src/iosource/PktSrc.cc). They do not
// move the clock.
func (r *Reader) leftOut(before *[NumSkips]uint64) {
	now := &r.stats.Skipped
	if now[SkipEmpty] != before[SkipEmpty] {
		r.decoder.weirds.net("empty_pcap_header", r.table.clock)
	}
	if n := now[SkipTime] - before[SkipTime]; n != 0 {
		r.decoder.weirds.net("negative_packet_timestamp", r.table.clock)
		r.table.timers.heap.check.packets += n
	}
}

// packet runs one packet. A panic costs what is left of it.
func (r *Reader) packet() {
	defer r.stats.recoverPanic()
	r.table.begin(r.frame.time)
	r.decoder.decode(&r.frame)
	r.table.end()
}

// Stats returns the counters.
func (r *Reader) Stats() Stats {
	s := r.stats
	s.Unbuffered = r.table.buffers.refused
	return s
}
