package capture

import (
	"encoding/binary"
	"slices"
)

// What may wait for missing fragments; beyond it the oldest datagrams are
// given up (Stats.FragmentsDropped). Zeek has no limit.
const (
	maxFragmented    = 1 << 16  // datagrams
	maxFragmentBytes = 64 << 20 // of their payload
)

// fragments puts datagrams together (src/Frag.cc). The protocol is not part of
// their identity.
type fragments struct {
	timers         *timerQueue
	weirds         *weirds
	waiting        map[fragmentKey]*datagram
	oldest, latest *datagram // in the order of arrival of the first fragment
	bytes          int
}

type fragmentKey struct {
	src, dst address
	id       uint32
}

// datagram is one of which fragments have arrived.
type datagram struct {
	key        fragmentKey
	due        float64 // when it is given up
	timer      int32   // its place among the timers
	v6         bool
	header     []byte // of the first fragment that arrived; IPv6's without the fragment header
	next       uint8  // IPv6: the next header as the fragment at offset 0 has it, if it arrived
	parts      uint64 // fragments that arrived
	size       int    // of the payload, as far as known; 0: not yet
	blocks     []fragmentBlock
	odd        bool // Zeek calls the latest fragment weird
	prev, then *datagram
}

// fragmentBlock is payload from one position on. Blocks are in order and do
// not overlap: what arrived first stays.
type fragmentBlock struct {
	at   int
	data []byte
}

func (b fragmentBlock) end() int { return b.at + len(b.data) }

func newFragments(t *timerQueue, w *weirds) fragments {
	return fragments{timers: t, weirds: w, waiting: map[fragmentKey]*datagram{}}
}

// add takes a fragment. When it was the last one missing it returns the whole
// datagram, reads its header into h and forgets it but for its timer, which
// the caller is to cancel behind it; else nil. Packets' own time counts for how
// long a datagram is waited for, network time for when that is over.
func (f *fragments) add(h *ipHeader, b []byte, time, clock float64, s *Stats) ([]byte, *datagram) {
	for f.oldest != nil && f.oldest.due <= clock {
		f.giveUp(f.oldest, s)
	}
	k := fragmentKey{h.src, h.dst, h.id}
	g := f.waiting[k]
	if g != nil && g.due <= clock {
		f.giveUp(g, s)
		g = nil
	}
	if g == nil {
		g = f.begin(k, h, b)
		g.due = time + fragTimeout.Seconds()
		f.timers.armOwn(ownFragments, &g.timer, g.due)
	}
	g.parts++
	added := f.insert(g, h, b)
	complete := added && g.complete()
	if g.odd {
		f.weirds.flow(h.src, h.dst, clock)
		g.odd = false
	}
	if !complete {
		for f.bytes > maxFragmentBytes || len(f.waiting) > maxFragmented {
			f.giveUp(f.oldest, s)
			s.FragmentsDropped++
		}
		return nil, nil
	}
	f.remove(g)
	whole := g.whole(h)
	f.weirds.headers(h, clock)
	return whole, g
}

// giveUp forgets a datagram that is not complete.
func (f *fragments) giveUp(g *datagram, s *Stats) {
	s.Unfinished += g.parts
	f.remove(g)
	f.timers.cancelOwn(&g.timer)
}

// end counts what still waits when the capture ends.
func (f *fragments) end(s *Stats) {
	for _, g := range f.waiting {
		s.Unfinished += g.parts
	}
}

func (f *fragments) begin(k fragmentKey, h *ipHeader, b []byte) *datagram {
	g := &datagram{key: k, v6: h.v6, next: h.next, prev: f.latest}
	header := b[:h.length]
	if h.v6 {
		header = header[:len(header)-8]
	}
	g.header = slices.Clone(header)
	if f.latest == nil {
		f.oldest = g
	} else {
		f.latest.then = g
	}
	f.latest = g
	f.waiting[k] = g
	return g
}

func (f *fragments) remove(g *datagram) {
	delete(f.waiting, g.key)
	if g.prev == nil {
		f.oldest = g.then
	} else {
		g.prev.then = g.then
	}
	if g.then == nil {
		f.latest = g.prev
	} else {
		g.then.prev = g.prev
	}
	for _, b := range g.blocks {
		f.bytes -= len(b.data)
	}
}

// insert notes what a fragment says and keeps its data where there was none.
// It reports false if there was no data.
func (f *fragments) insert(g *datagram, h *ipHeader, b []byte) bool {
	header := h.length
	if h.v6 {
		header -= 8
	}
	g.odd = h.df || int(header) != len(g.header) || h.next != g.protocol()
	if h.total < h.length {
		g.odd = true
		return false // segmentation offload: no length
	}
	data, at := b[h.length:h.total], int(h.fragOffset)
	end := at + len(data)
	if at == 0 {
		g.next = h.next
	}
	const small, large = 64, 64000 // MIN_ and MAX_ACCEPTABLE_FRAG_SIZE
	if g.size != 0 && (end > g.size || end < g.size && !h.more) || h.more && h.total < small || end > large {
		g.odd = true
	}
	if !h.more && g.size == 0 || g.size != 0 && end > g.size {
		g.size = end
	}
	if len(data) == 0 {
		return false
	}
	i, _ := slices.BinarySearchFunc(g.blocks, at, func(b fragmentBlock, at int) int { return b.end() - at - 1 })
	for at < end { // blocks[i] is the first that ends behind at
		upTo := end
		if i < len(g.blocks) {
			if next := g.blocks[i]; next.at <= at {
				g.odd = true // an overlap
				at = next.end()
				i++
				continue
			} else if next.at < end {
				upTo = next.at
			}
		}
		piece := data[len(data)-(end-at):][:upTo-at]
		g.blocks = slices.Insert(g.blocks, i, fragmentBlock{at, slices.Clone(piece)})
		f.bytes += len(piece)
		at = upTo
		i++
	}
	return true
}

// complete reports that the datagram has no hole up to its size. Pieces behind
// a hole beyond that do not belong to it.
func (g *datagram) complete() bool {
	if g.size == 0 {
		return false
	}
	end, behind := 0, false
	for _, b := range g.blocks {
		if b.at != end {
			behind = true
			break
		}
		end = b.end()
	}
	if end < g.size {
		return false
	}
	g.odd = g.odd || behind || end > g.size
	g.size = end
	return true
}

// protocol returns what the latest fragment's is compared with: for IPv4 that of the
// fragment that arrived first.
func (g *datagram) protocol() uint8 {
	if g.v6 {
		return g.next
	}
	return g.header[9]
}

// whole returns the datagram, with lengths that are cut to the 16 bits they have.
func (g *datagram) whole(h *ipHeader) []byte {
	n := len(g.header) + g.size
	b := append(make([]byte, 0, n), g.header...)
	for _, block := range g.blocks {
		if block.at >= g.size {
			break
		}
		b = append(b, block.data...)
	}
	if g.v6 {
		binary.BigEndian.PutUint16(b[4:], uint16(n-ipv6Header))
		h.parse6(b, int(g.next))
	} else {
		binary.BigEndian.PutUint16(b[2:], uint16(n))
		h.parse4(b)
	}
	return b
}
