package capture

import (
	"sync"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// ahead reads packets and takes them apart on a processor of its own, some
// batches before the connection table needs them. It has nothing of what Zeek
// keeps beyond a packet, so fragments, tunnels and what Zeek calls weird are
// only read; the table's own decoder takes them apart, in their turn.
type ahead struct {
	packets *packets
	decoder *decoder
	packet  packet // of the frame
	filling *batch
	stopped bool // over was closed

	ready chan *batch // in order; closed at the end
	free  chan *batch // whose packets are no longer needed
	over  *over

	batch *batch // the one being handed out
	place int    // in it
}

// over ends the reading. It is apart from ahead, because what a cleanup of the
// Reader holds must not lead back to the Reader.
type over struct {
	once sync.Once
	ch   chan struct{} // closed: nothing more is wanted
}

// stop ends the reading, once the packet that is being read has come.
func (o *over) stop() { o.once.Do(func() { close(o.ch) }) }

// batch is some frames. Their bytes are lent from buf.
type batch struct {
	buf    []byte
	frames []frame
	err    error // behind the frames
}

const (
	batches    = 4
	batchBytes = 1 << 17
	batchMost  = 1 << 20 // of buffers that a huge packet made larger, what is kept
)

// newAhead begins to read. From then on packets come through next alone.
func newAhead(p *packets, o *Options) *ahead {
	source := *p
	source.stats = nil // which are the table's
	a := &ahead{
		packets: &source,
		decoder: &decoder{options: o, layers: []*layer{new(layer)}},
		filling: &batch{},
		batch:   &batch{},
		ready:   make(chan *batch, batches),
		free:    make(chan *batch, batches),
		over:    &over{ch: make(chan struct{})},
	}
	for range batches - 1 {
		a.free <- &batch{}
	}
	if source.file != nil {
		source.file.in.fresh = a.freshBuffer
	}
	go a.run()
	return a
}

// next gives the next frame, lent until the one after it.
func (a *ahead) next(fr *frame) error {
	for a.place == len(a.batch.frames) {
		if a.batch.err != nil {
			return a.batch.err
		}
		if a.batch.frames != nil {
			a.free <- a.batch // there is room for all
		}
		b, ok := <-a.ready
		if !ok {
			b = &batch{err: errClosed}
		}
		a.batch, a.place = b, 0
	}
	*fr = a.batch.frames[a.place]
	a.place++
	return nil
}

// run reads to the end.
func (a *ahead) run() {
	defer close(a.ready)
	var fr frame
	for {
		err := a.packets.fetch(&fr)
		if a.stopped {
			return
		}
		if err != nil {
			a.filling.err = err
			a.ready <- a.filling
			return
		}
		if a.packets.file == nil {
			a.keep(&fr)
		}
		a.add(&fr)
	}
}

// add takes a frame apart and puts it into the batch.
func (a *ahead) add(fr *frame) {
	fr.early = foundAhead{}
	a.decode(fr)
	a.filling.frames = append(a.filling.frames, *fr)
}

// freshBuffer returns the lender's: the old buffer is the batch's now, which goes
// to the table before anything more is read, and another batch brings its own.
func (a *ahead) freshBuffer() []byte {
	a.filling.buf = a.packets.file.in.buf
	a.turn()
	if b := a.filling; b.buf == nil || len(b.buf) > batchMost {
		b.buf = make([]byte, batchBytes)
	}
	return a.filling.buf
}

// turn hands the batch over and takes an empty one.
func (a *ahead) turn() {
	if len(a.filling.frames) == 0 {
		return
	}
	a.ready <- a.filling // there is room for all
	select {
	case a.filling = <-a.free:
		a.filling.frames = a.filling.frames[:0]
	case <-a.over.ch:
		a.filling, a.stopped = &batch{}, true
	}
}

// keep copies the bytes of a frame that the source wants back.
func (a *ahead) keep(fr *frame) {
	b := a.filling
	if len(b.buf)+len(fr.data) > cap(b.buf) {
		a.turn()
		b = a.filling
		if most := cap(b.buf); most < len(fr.data) || most > batchMost {
			b.buf = make([]byte, 0, max(len(fr.data), batchBytes))
		}
		b.buf = b.buf[:0]
	}
	begin := len(b.buf)
	b.buf = append(b.buf, fr.data...)
	fr.data = b.buf[begin:]
}

// decode takes a frame apart where that needs nothing but the frame.
func (a *ahead) decode(fr *frame) {
	switch {
	case len(fr.data) == 0, fr.link == link80211, fr.link == linkRadiotap: // nothing, or several datagrams
		return
	}
	defer func() { recover() }() // the table's decoder meets it again, and counts it
	d := a.decoder
	d.early, d.later = &a.packet, false
	d.root(d.begin(fr), fr.link)
	if d.delivered && !d.later {
		fr.early.note(&a.packet, fr, d.options)
		fr.early.depth = uint8(d.depth)
	}
}

// foundAhead is a frame's datagram. What one processor has written
// another one waits for, a line of its cache at a time, so it is small.
type foundAhead struct {
	src, dst         address
	ipLen            uint32
	at, size         uint32 // of the payload in the frame
	seq, ackSeq      uint32 // of TCP, as are window, offset and flags
	length           uint16 // packet.length
	window           uint16
	offset, flags    uint8
	srcPort, dstPort uint16
	proto            uint8
	v6               bool
	hasPorts         bool // a whole header of TCP or UDP
	hasSegment       bool
	checksum         checksumState
	depth            uint8 // analyzers that the frame went through; 0: nothing was found
}

// note keeps what the connection table needs of a packet.
func (e *foundAhead) note(p *packet, fr *frame, o *Options) {
	e.src, e.dst, e.v6, e.proto = p.src, p.dst, p.v6, p.proto
	e.ipLen, e.length = uint32(p.ipLen), uint16(p.length)
	e.at, e.size = uint32(cap(fr.data)-cap(p.payload)), uint32(len(p.payload))
	id, ok := transportOf(p)
	if !ok {
		return
	}
	e.srcPort, e.dstPort = id.srcPort, id.dstPort
	switch id.proto {
	case conn.TCP:
		e.hasPorts = true
		var s segment
		if e.hasSegment = s.parse(p); !e.hasSegment {
			return
		}
		e.seq, e.ackSeq, e.window, e.flags = s.seq, s.ackSeq, s.window, p.payload[13]
		e.offset = uint8(len(p.payload) - len(s.payload))
		if !o.IgnoreChecksums && len(s.payload) >= s.length {
			e.checksum = checksumOf(validTCP(p))
		}
	case conn.UDP:
		e.hasPorts = true
		length := p.length
		if length == 0 {
			length = len(p.payload)
		}
		if o.verifiesUDP(p, length) {
			e.checksum = checksumOf(validUDP(p))
		}
	}
}

func checksumOf(valid bool) checksumState {
	if valid {
		return checksumGood
	}
	return checksumBad
}

// leave leaves the frame to the table's decoder.
func (d *decoder) leave() bool {
	d.later = true
	return false
}

// goOn goes on with a frame that was taken apart ahead.
func (d *decoder) goOn(l *layer, f *frame) {
	e, p := &f.early, &l.packet
	d.depth = int(e.depth)
	l.hasIP, l.src, l.dst = true, e.src, e.dst
	l.proto = int(e.proto)
	l.ip.src, l.ip.dst, l.ip.next = e.src, e.dst, e.proto // for GRE within UDP

	p.time = f.time
	p.src, p.dst, p.v6, p.proto = e.src, e.dst, e.v6, e.proto
	p.ipLen, p.length, p.payload = int(e.ipLen), int(e.length), f.data[e.at:e.at+e.size]
	p.wireLen, p.capLen = int(l.wireLen), int(l.capLen)
	p.encap, p.carrier = nil, nil
	p.found.checksum, p.found.parsed, p.found.identified = e.checksum, e.hasSegment, e.hasPorts
	if e.hasPorts {
		id := transport{proto: conn.UDP, srcPort: e.srcPort, dstPort: e.dstPort}
		if e.proto == protoTCP {
			id.proto = conn.TCP
		}
		p.found.identity.set(p, id, d.table.seed)
	}
	if e.hasSegment {
		length := p.length
		if p.ipLen == 0 {
			length = len(p.payload)
		}
		p.found.segment = segment{
			fin: e.flags&flagFIN != 0, syn: e.flags&flagSYN != 0, rst: e.flags&flagRST != 0, ack: e.flags&flagACK != 0,
			seq: e.seq, ackSeq: e.ackSeq, window: e.window,
			length: length - int(e.offset), payload: p.payload[e.offset:], time: p.time,
		}
	}
	d.toTable(l, p)
}
