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
	seed    uint64
	filling *batch

	ready chan *batch   // in order; closed at the end
	free  chan *batch   // whose packets are no longer needed
	over  chan struct{} // closed: nothing more is wanted
	once  sync.Once

	batch *batch // the one being handed out
	place int    // in it
}

// batch is some frames. Their bytes are lent from buf.
type batch struct {
	buf     []byte
	frames  []frame
	packets []*packet // for the frames in turn
	err     error     // behind the frames
}

const (
	batches    = 4
	batchBytes = 1 << 16
	batchMost  = 1 << 20 // of buffers that a huge packet made larger, what is kept
)

// newAhead begins to read. From then on packets come through next alone.
func newAhead(p *packets, o *Options, seed uint64) *ahead {
	source := *p
	source.stats = nil // which are the table's
	a := &ahead{
		packets: &source,
		decoder: &decoder{options: o, layers: []*layer{new(layer)}},
		seed:    seed,
		filling: &batch{},
		batch:   &batch{},
		ready:   make(chan *batch, batches),
		free:    make(chan *batch, batches),
		over:    make(chan struct{}),
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

// stop ends the reading, once the packet that is being read has come.
func (a *ahead) stop() { a.once.Do(func() { close(a.over) }) }

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
		if a.stopped() {
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

func (a *ahead) stopped() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

// add takes a frame apart and puts it into the batch.
func (a *ahead) add(fr *frame) {
	b := a.filling
	n := len(b.frames)
	if n == len(b.packets) {
		more := make([]packet, 64)
		for i := range more {
			b.packets = append(b.packets, &more[i])
		}
	}
	fr.early = nil
	if p := b.packets[n]; a.decode(fr, p) {
		fr.early = p
	}
	b.frames = append(b.frames, *fr)
}

// freshBuffer is the lender's: the old buffer is the batch's now, which goes
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
	case <-a.over:
		a.filling = &batch{}
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

// decode takes a frame apart as far as that needs nothing but the frame. Where
// that is not far enough it reports false.
func (a *ahead) decode(fr *frame, p *packet) bool {
	switch {
	case len(fr.data) == 0, fr.link == link80211, fr.link == linkRadiotap: // nothing, or several datagrams
		return false
	}
	defer func() { recover() }() // the table's decoder meets it again, and counts it
	d := a.decoder
	d.early, d.later = p, false
	d.root(d.begin(fr), fr.link)
	if !d.delivered || d.later {
		return false
	}
	p.found.depth = d.depth
	return p.find(d.options, a.seed)
}

// find finds out what the table will ask of the packet. It reports false for
// one that has no connection.
func (p *packet) find(o *Options, seed uint64) bool {
	f := &p.found
	if f.identity, f.identified = identityOf(p, seed); !f.identified {
		return false
	}
	switch f.identity.proto {
	case conn.TCP:
		f.parsed = f.segment.parse(p)
		if f.parsed && !o.IgnoreChecksums && len(f.segment.payload) >= f.segment.length {
			f.checksum = checksumOf(validTCP(p))
		}
	case conn.UDP:
		length := p.length
		if length == 0 {
			length = len(p.payload)
		}
		if o.verifiesUDP(p, length) {
			f.checksum = checksumOf(validUDP(p))
		}
	}
	return true
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
func (d *decoder) goOn(l *layer, p *packet) {
	d.depth = p.found.depth
	l.hasIP, l.src, l.dst = true, p.src, p.dst
	l.proto = int(p.proto)
	l.ip.src, l.ip.dst, l.ip.next = p.src, p.dst, p.proto // for GRE within UDP
	d.toTable(l, p)
}
