package capture

import (
	"bytes"
	"encoding/binary"
)

// Values of Ethernet's type field.
const (
	etherIPv4       = 0x0800
	etherARP        = 0x0806
	etherBridging   = 0x6558 // Ethernet itself, in GRE and Geneve
	etherRARP       = 0x8035
	etherVLAN       = 0x8100
	etherIPv6       = 0x86dd
	etherMPLS       = 0x8847
	etherPPPoE      = 0x8864
	etherQinQ       = 0x88a8
	etherPBB        = 0x88e7
	etherFabricPath = 0x8903
	etherVNTag      = 0x8926
	etherQinQOld    = 0x9100

	etherLeastType = 1536 // smaller values are lengths,
	etherMaxLength = 1500 // up to here
)

// ethernet (src/packet_analysis/protocol/ethernet).
func (d *decoder) ethernet(l *layer, b []byte) bool {
	const header = 14
	if len(b) <= header+2 {
		return d.refuse(l, "truncated_ethernet_frame", SkipTruncated)
	}
	if binary.BigEndian.Uint16(b[12:]) == etherFabricPath {
		const fabricPath = 16
		if len(b) <= fabricPath+header {
			return d.refuse(l, "truncated_link_header_cfp", SkipTruncated)
		}
		b = b[fabricPath:]
	}
	typ := binary.BigEndian.Uint16(b[12:])
	b = b[header:]
	switch typ {
	case etherIPv4, etherIPv6:
		return d.enter(l) && d.ip(l, b)
	case etherVLAN, etherQinQ, etherQinQOld:
		return d.enter(l) && d.vlan(l, b)
	}
	if typ < etherLeastType {
		return d.ieee8023(l, b, typ, int(typ), "undefined_ether_type", "truncated_ethernet_frame")
	}
	return d.etherCommon(l, b, typ)
}

// etherCommon is what Ethernet and VLAN tags both lead to.
func (d *decoder) etherCommon(l *layer, b []byte, typ uint16) bool {
	switch typ {
	case etherIPv4, etherIPv6:
		return d.enter(l) && d.ip(l, b)
	case etherMPLS:
		return d.enter(l) && d.mpls(l, b)
	case etherPBB:
		return d.enter(l) && d.pbb(l, b)
	case etherPPPoE:
		return d.enter(l) && d.pppoe(l, b)
	case etherVNTag:
		return d.enter(l) && d.vnTag(l, b)
	case etherARP, etherRARP:
		return d.enter(l) && d.arp(l, b)
	}
	return d.skip(SkipLink)
}

// ieee8023 is a frame with a length in place of a type. Of what may follow
// only SNAP leads to IP.
func (d *decoder) ieee8023(l *layer, b []byte, typ uint16, least int, undefined, truncated string) bool {
	switch {
	case typ > etherMaxLength:
		return d.refuse(l, undefined, SkipLink)
	case len(b) < least:
		return d.refuse(l, truncated, SkipTruncated)
	case len(b) >= 2 && b[0] == 0xaa && b[1] == 0xaa:
		return d.enter(l) && d.snap(l, b)
	case !d.enter(l):
		return false
	case len(b) >= 2 && b[0] == 0xff && b[1] == 0xff: // Novell's
		return d.refuse(l, "no_suitable_analyzer_found", SkipLink)
	case len(b) < 3 || len(b) < 4 && b[2]&3 != 3:
		return d.refuse(l, "truncated_llc_header", SkipLink)
	}
	return d.skip(SkipLink) // LLC
}

// snap (src/packet_analysis/protocol/snap): an LLC header, then an
// organization and its type; those of Ethernet have organization 0.
func (d *decoder) snap(l *layer, b []byte) bool {
	if len(b) < 3 {
		return d.refuse(l, "truncated_snap_llc_header", SkipTruncated)
	}
	llc := 3
	if b[2]&3 != 3 {
		llc++ // a numbered frame
	}
	if len(b) < llc+5 {
		return d.refuse(l, "truncated_snap_header", SkipTruncated)
	}
	b = b[llc:]
	if b[0]|b[1]|b[2] != 0 {
		return d.skip(SkipLink)
	}
	return d.etherIP(l, b[5:], binary.BigEndian.Uint16(b[3:]))
}

// etherIP is what links lead to that know no tags: IP and ARP.
func (d *decoder) etherIP(l *layer, b []byte, typ uint16) bool {
	switch typ {
	case etherIPv4, etherIPv6:
		return d.enter(l) && d.ip(l, b)
	case etherARP, etherRARP:
		return d.enter(l) && d.arp(l, b)
	}
	return d.skip(SkipLink)
}

// vlan (src/packet_analysis/protocol/vlan): within a tag, only 0x8100 is one
// more. The tag itself is in no connection's identity.
func (d *decoder) vlan(l *layer, b []byte) bool {
	if len(b) <= 4 {
		return d.refuse(l, "truncated_VLAN_header", SkipTruncated)
	}
	typ := binary.BigEndian.Uint16(b[2:])
	b = b[4:]
	switch {
	case typ == etherVLAN:
		return d.enter(l) && d.vlan(l, b)
	case typ < etherLeastType:
		return d.ieee8023(l, b, typ, 2, "undefined_vlan_protocol", "truncated_vlan_frame")
	}
	return d.etherCommon(l, b, typ)
}

// vnTag (src/packet_analysis/protocol/vntag): a VLAN tag follows.
func (d *decoder) vnTag(l *layer, b []byte) bool {
	if len(b) <= 6 {
		return d.refuse(l, "truncated_vntag_header", SkipTruncated)
	}
	switch binary.BigEndian.Uint16(b[4:]) {
	case etherVLAN, etherQinQ, etherQinQOld:
		return d.enter(l) && d.vlan(l, b[6:])
	}
	return d.skip(SkipLink)
}

// pbb (src/packet_analysis/protocol/pbb): MAC in MAC.
func (d *decoder) pbb(l *layer, b []byte) bool {
	if len(b) <= 18 {
		return d.refuse(l, "truncated_PBB_header", SkipTruncated)
	}
	return d.enter(l) && d.ethernet(l, b[4:])
}

// mpls (src/packet_analysis/protocol/mpls): labels, then IP.
func (d *decoder) mpls(l *layer, b []byte) bool {
	for last := false; !last; b = b[4:] {
		if len(b) <= 4 {
			return d.refuse(l, "truncated_link_header", SkipTruncated)
		}
		last = b[2]&1 != 0
	}
	return d.enter(l) && d.ip(l, b)
}

// arp (src/packet_analysis/protocol/arp) never makes a connection. Success is
// a request or reply about IPv4, from the station that sent the frame.
func (d *decoder) arp(l *layer, b []byte) bool {
	const (
		header         = 8
		mac, ip        = 6, 4
		request, reply = 1, 2
	)
	d.reason = SkipLink
	if len(b) < header || len(b) < header+2*int(b[4])+2*int(b[5]) {
		d.weird(l, "truncated_ARP")
		return false
	}
	if len(b) < header+2*(mac+ip) || b[4] != mac || b[5] != ip || binary.BigEndian.Uint16(b[2:]) != etherIPv4 {
		return false
	}
	if hardware := binary.BigEndian.Uint16(b); hardware != 1 && hardware != 6 { // Ethernet, IEEE 802
		return false
	}
	operation := binary.BigEndian.Uint16(b[6:])
	return (operation == request || operation == reply) && bytes.Equal(l.station, b[header:header+mac])
}
