package capture

import "net/netip"

// decoder takes frames apart, from the link layer to the IP datagram, as
// Zeek's packet analyzers do (src/packet_analysis), and hands each datagram
// that Zeek would accept to the table. It keeps what Zeek keeps beside
// connections: fragments, and the identities of IP tunnels.
//
// The methods named for a protocol are Zeek's analyzers. They return what
// those return: whether analysis succeeded, which decides whether the next
// subframe of an A-MSDU is looked at.
type decoder struct {
	table   *table
	options *Options
	stats   *Stats

	frame     *frame
	layers    []*layer // the frame, then what it carries in tunnels
	nest      int      // index of the current one
	depth     int      // analyzers that the frame went through
	delivered bool     // something of the frame reached the table, or waits for other fragments
	reason    Skip     // why nothing did

	encap     *encapsulation // the stack that tunnels of the current frame are noted in
	fragments fragments
	ipTunnels ipTunnels
	weirds    *weirds

	// Of a decoder that reads ahead, which has neither a table nor what Zeek
	// keeps.
	early *packet // takes the frame's datagram
	later bool    // the frame needs what it does not have
}

// layer is a captured or decapsulated packet (Zeek's Packet).
type layer struct {
	base    []byte // analyzers get parts of it that reach to its end or stop before
	capLen  uint32 // its length; that of the whole datagram while a fragment completes it
	wireLen uint32 // the length on the wire, from the captured one on for what IP carries
	encap   *encapsulation
	session *connection // that the packet turned out to belong to
	station []byte      // 802.11: the sender's address

	hasIP    bool // an IP header was found valid, with these addresses
	src, dst address

	// What the tunnels' analyzers are told by those before them.
	ip         ipHeader
	proto      int
	kind       tunnelKind
	greVersion int
	greLink    linkType

	packet packet
}

func newDecoder(t *table, o *Options) *decoder {
	w := newWeirds(&t.timers)
	return &decoder{
		table: t, options: o, stats: t.stats,
		layers:    []*layer{new(layer)},
		encap:     &encapsulation{},
		fragments: newFragments(&t.timers, w),
		ipTunnels: newIPTunnels(),
		weirds:    w,
	}
}

// decode runs one frame.
func (d *decoder) decode(f *frame) {
	d.ipTunnels.expire(d.table.clock, &d.table.timers)
	l := d.begin(f)
	if f.early.depth != 0 {
		d.goOn(l, f)
	} else {
		d.root(l, f.link)
	}
	if !d.delivered {
		if !f.link.isRead() {
			d.reason = SkipLinkType
			d.stats.Links.add(f.link)
		}
		d.stats.Skipped[d.reason]++
	}
}

// begin begins with a frame.
func (d *decoder) begin(f *frame) *layer {
	d.frame = f
	d.nest, d.depth = 0, 0
	d.delivered, d.reason = false, SkipLink
	l := d.layers[0]
	l.begin(f.data, f.wireLen)
	return l
}

func (l *layer) begin(data []byte, wireLen uint32) {
	l.base, l.capLen, l.wireLen = data, uint32(len(data)), wireLen
	l.encap, l.session, l.station, l.hasIP = nil, nil, nil, false
	l.proto, l.greVersion, l.greLink = -1, -1, linkRaw
}

// offset returns how far behind the beginning of the packet its part b begins.
// Parts may have been cut at the end, but they share the same memory.
func (l *layer) offset(b []byte) uint32 { return uint32(cap(l.base) - cap(b)) }

// push begins a packet that was carried in the current one.
func (d *decoder) push(data []byte, wireLen uint32, e *encapsulation) *layer {
	d.nest++
	if d.nest == len(d.layers) {
		d.layers = append(d.layers, new(layer))
	}
	l := d.layers[d.nest]
	l.begin(data, wireLen)
	l.encap = e
	return l
}

func (d *decoder) pop() { d.nest-- }

// skip notes why the current packet goes nowhere.
func (d *decoder) skip(why Skip) bool {
	d.reason = why
	return false
}

// enter counts the analyzers that a frame goes through; beyond the limit it
// goes no further (Analyzer::ForwardPacket).
func (d *decoder) enter(l *layer) bool {
	if d.depth >= packetAnalyzerMaxDepth {
		if l.session != nil {
			l.session.giveUp()
		}
		return d.refuse(l, "max_packet_analyzer_depth_exceeded", SkipDepth)
	}
	d.depth++
	return true
}

// root returns where a frame begins, and what IP tunnels carry of other links.
// Frames of unknown kind are taken for IP.
func (d *decoder) root(l *layer, link linkType) bool {
	if !d.enter(l) {
		return false
	}
	b := l.base
	switch link {
	case linkEthernet:
		return d.ethernet(l, b)
	case linkNull:
		return d.null(l, b)
	case linkPPP:
		return d.ppp(l, b)
	case linkPPPSerial:
		return d.pppSerial(l, b)
	case linkFDDI:
		return d.fddi(l, b)
	case link80211:
		return d.ieee80211(l, b)
	case linkRadiotap:
		return d.radiotap(l, b)
	case linkSLL:
		return d.sll(l, b)
	case linkSLL2:
		return d.sll2(l, b)
	case linkNFLOG:
		return d.nflog(l, b)
	}
	return d.ip(l, b)
}

// deliver hands the payload of an IP datagram on.
func (d *decoder) deliver(l *layer, payload []byte) bool {
	h, p := &l.ip, &l.packet
	if d.early != nil {
		p = d.early
	}
	length := int(h.payloadLen)
	if length != 0 && length < len(payload) {
		payload = payload[:length] // what follows is the link's padding
	}
	p.time = d.frame.time
	p.src, p.dst, p.v6 = h.src, h.dst, h.v6
	p.proto = h.next
	p.ipLen, p.length, p.payload = int(h.total), length, payload
	p.wireLen, p.capLen = int(l.wireLen), int(l.capLen)
	p.encap, p.carrier = l.encap, nil
	p.found.identified, p.found.parsed, p.found.checksum = false, false, checksumUnknown
	d.delivered = true
	return d.early != nil || d.toTable(l, p)
}

// toTable hands a datagram to the table.
func (d *decoder) toTable(l *layer, p *packet) bool {
	d.delivered = true
	if !d.table.deliver(p) {
		d.delivered = false
		return d.refuse(l, "truncated_header", SkipTruncated)
	}
	switch p.proto {
	case protoTCP, protoICMP, protoICMPv6:
		if c := p.carrier; c != nil { // Zeek looks for analyzers inside these, too
			l.session = c
			if d.depth == packetAnalyzerMaxDepth {
				c.giveUp()
				d.weird(l, "max_packet_analyzer_depth_exceeded")
			}
		}
	}
	return true
}

// source returns the packet's sender with its port.
func (p *packet) source() netip.AddrPort {
	return netip.AddrPortFrom(p.src.addr(), uint16(p.payload[0])<<8|uint16(p.payload[1]))
}
