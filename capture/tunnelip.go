package capture

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/google/gopacket/layers"
)

// IP in IP, and GRE, which ends there too. What carries them is not a connection;
// so each pair of hosts has an identity of its own.

// ipTunnel goes on with the packet inside
// (src/packet_analysis/protocol/iptunnel/IPTunnel.cc).
func (d *decoder) ipTunnel(l *layer, b []byte) bool {
	if l.encap.depth() >= tunnelMaxDepth {
		return d.refuse(l, "exceeded_tunnel_max_depth", SkipDepth)
	}
	link, viaGRE := l.greLink, l.greVersion == 0
	if !viaGRE && !exactlyIP(l.proto, b) {
		return d.refuse(l, "truncated_inner_IP", SkipTunnel)
	}
	if d.early != nil {
		return d.leave()
	}
	level := d.ipTunnels.level(d.table, l)
	e := l.encap
	if e == nil {
		e = d.newEncapsulation()
	}
	e.levels = append(e.levels, level)
	inner := d.push(b, uint32(len(b)), e)
	var ok bool
	if viaGRE {
		ok = d.root(inner, link)
	} else {
		ok = d.enter(inner) && d.ip(inner, b)
	}
	d.pop()
	return ok
}

// exactlyIP reports that b is one IP datagram of the version that proto says,
// with nothing behind it, not even a link's padding (IP.cc, ParsePacket).
func exactlyIP(proto int, b []byte) bool {
	switch proto {
	case protoIPv4:
		return len(b) >= ipv4Header && b[0]>>4 == 4 && len(b) == int(binary.BigEndian.Uint16(b[2:]))
	case protoIPv6:
		return len(b) >= ipv6Header && b[0]>>4 == 6 && len(b) == int(binary.BigEndian.Uint16(b[4:]))+ipv6Header
	}
	return false
}

// The flags of GRE.
const (
	greChecksum = 0x8000
	greRouting  = 0x4000
	greKey      = 0x2000
	greSequence = 0x1000
	greAck      = 0x0080
	greReserved = 0x0078
	greVersion  = 0x0007
)

// gre (src/packet_analysis/protocol/gre): version 0 with Ethernet, ERSPAN,
// 802.11 (Aruba's) or, whatever else the type says, IP; version 1 with IP in
// PPP.
func (d *decoder) gre(l *layer, b []byte) bool {
	if len(b) < 4 {
		return d.refuse(l, "truncated_GRE", SkipTunnel)
	}
	flags, typ := binary.BigEndian.Uint16(b), etherType(b[2:])
	version := int(flags & greVersion)
	header := 4
	for _, f := range [...]uint16{greChecksum, greKey, greSequence, greAck} {
		if flags&f != 0 {
			header += 4
		}
	}
	var proto int
	link := linkRaw
	switch {
	case version == 0:
		var ok bool
		if header, proto, link, ok = greContent(b, flags, typ, header); !ok {
			return d.refuse(l, "truncated_GRE", SkipTunnel)
		}
	case version == 1 && typ == etherPPTP:
		const ppp = 4
		header += ppp
		if len(b) < header {
			return d.refuse(l, "truncated_GRE", SkipTunnel)
		}
		switch pppType(b[header-2:]) {
		case pppIPv4:
			proto = protoIPv4
		case pppIPv6:
			proto = protoIPv6
		default:
			return d.refuse(l, "non_ip_packet_in_encap", SkipTunnel)
		}
	default:
		return d.refuse(l, "unknown_gre_version", SkipTunnel)
	}
	if flags&(greRouting|greReserved) != 0 || len(b) < header {
		return d.refuse(l, "unknown_gre_flags", SkipTunnel)
	}
	l.kind, l.greVersion, l.greLink, l.proto = tunnelGRE, version, link, proto
	if d.enter(l) {
		d.ipTunnel(l, b[header:])
	}
	return true
}

// greContent says for version 0 what comes behind a header of how many bytes.
func greContent(b []byte, flags uint16, typ layers.EthernetType, header int) (int, int, linkType, bool) {
	const ethernet = 14
	rest := len(b) - header
	switch {
	case typ == etherBridging:
		return header, int(typ), linkEthernet, rest > ethernet
	case typ == etherERSPAN && flags&greSequence == 0:
		return header, int(typ), linkEthernet, rest > ethernet
	case typ == etherERSPAN:
		const erspan = 8
		return header + erspan, int(typ), linkEthernet, rest >= erspan+ethernet
	case typ == etherERSPAN3:
		const erspan, option = 12, 8
		if rest <= erspan+ethernet {
			return 0, 0, 0, false
		}
		header += erspan
		if b[header-1]&1 != 0 {
			return header + option, int(typ), linkEthernet, rest > erspan+option+ethernet
		}
		return header, int(typ), linkEthernet, true
	case typ&0x0f == 0 && (typ&0x8200 == 0x8200 || typ&0x8300 == 0x8300 && typ <= 0x8370), typ == 0x9000:
		return header, int(typ), link80211, rest > 0 // Aruba
	}
	return header, int(typ), linkRaw, true
}

// ipTunnels are the identities of the tunnels between pairs of hosts. They
// last until a pair was idle for a day.
type ipTunnels struct {
	byPair map[hostPair]*hostTunnel
	order  []hostPair // as they came; the first goes if there are too many
	next   float64    // when the first timer is due
}

// maxIPTunnels bounds what packets with made-up addresses can fill. Zeek has
// no such limit.
const maxIPTunnels = 1 << 16

type hostPair struct{ low, high address }

type hostTunnel struct {
	level tunnelLevel
	last  float64 // network time of the latest packet
	due   float64 // when its timer is
	timer int32   // its place among the timers
}

func newIPTunnels() ipTunnels { return ipTunnels{byPair: map[hostPair]*hostTunnel{}} }

// level returns the identity of the tunnel that the layer's IP header belongs to.
// What the first packet between two hosts was, IP in IP or GRE, stays with it.
func (t *ipTunnels) level(table *table, l *layer) tunnelLevel {
	src, dst := l.ip.src, l.ip.dst
	pair := hostPair{src, dst}
	if dst.less(src) {
		pair = hostPair{dst, src}
	}
	h := t.byPair[pair]
	if h == nil {
		table.serial++
		k, _ := newKey(src, dst, 0, 0, l.ip.next, false)
		h = &hostTunnel{level: tunnelLevel{
			kind: l.kind, proto: l.ip.next,
			orig: netip.AddrPortFrom(src.addr(), 0), resp: netip.AddrPortFrom(dst.addr(), 0),
			uid: newUID(&k, table.packetTime, table.serial),
		}}
		t.insert(pair, h, table)
	}
	h.last = table.clock
	return h.level
}

func (t *ipTunnels) insert(pair hostPair, h *hostTunnel, table *table) {
	for len(t.byPair) >= maxIPTunnels {
		oldest := t.order[0]
		table.timers.cancelOwn(&t.byPair[oldest].timer)
		delete(t.byPair, oldest)
		t.order = t.order[1:]
		table.stats.TunnelsForgotten++
	}
	h.due = table.clock + tunnelIPTunnelTimeout.Seconds()
	table.timers.armOwn(ownTunnel, &h.timer, h.due)
	if len(t.byPair) == 0 {
		t.next = h.due
	}
	t.next = min(t.next, h.due)
	t.byPair[pair] = h
	t.order = append(t.order, pair)
}

// expire runs the timers that are due: a tunnel that was idle goes, the others
// get a new timer.
func (t *ipTunnels) expire(clock float64, timers *timerQueue) {
	if len(t.byPair) == 0 || clock < t.next {
		return
	}
	timeout := tunnelIPTunnelTimeout.Seconds()
	t.next = clock + timeout
	t.order = slices.DeleteFunc(t.order, func(pair hostPair) bool {
		h := t.byPair[pair]
		if h.due <= clock {
			timers.cancelOwn(&h.timer)
			if clock-h.last >= timeout {
				delete(t.byPair, pair)
				return true
			}
			h.due = clock + timeout
			timers.armOwn(ownTunnel, &h.timer, h.due)
		}
		t.next = min(t.next, h.due)
		return false
	})
}
