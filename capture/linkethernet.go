package capture

import (
	"bytes"
	"encoding/binary"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Values of Ethernet's type field.
const (
	etherIPv4       = layers.EthernetTypeIPv4
	etherARP        = layers.EthernetTypeARP
	etherBridging   = layers.EthernetTypeTransparentEthernetBridging // Ethernet itself, in GRE and Geneve
	etherVLAN       = layers.EthernetTypeDot1Q
	etherIPv6       = layers.EthernetTypeIPv6
	etherMPLS       = layers.EthernetTypeMPLSUnicast
	etherPPPoE      = layers.EthernetTypePPPoESession
	etherQinQ       = layers.EthernetTypeQinQ
	etherERSPAN     = layers.EthernetTypeERSPAN // types I and II, in GRE
	etherPPTP       = layers.EthernetTypePPP    // in GRE
	etherLengthOnly = layers.EthernetTypeLLC    // gopacket's for a length in the type's place

	// Those that gopacket does not have.
	etherRARP       layers.EthernetType = 0x8035
	etherPBB        layers.EthernetType = 0x88e7
	etherERSPAN3    layers.EthernetType = 0x22eb
	etherFabricPath layers.EthernetType = 0x8903
	etherVNTag      layers.EthernetType = 0x8926
	etherQinQOld    layers.EthernetType = 0x9100

	etherLeastType = 1536 // smaller values are lengths,
	etherMaxLength = 1500 // up to here
)

// noFeedback: whether gopacket takes a packet for truncated is not asked.
var noFeedback = gopacket.NilDecodeFeedback

// ethernet (src/packet_analysis/protocol/ethernet).
func (d *decoder) ethernet(l *layer, b []byte) bool {
	const header = 14
	var h layers.Ethernet
	if len(b) <= header+2 || h.DecodeFromBytes(b, noFeedback) != nil {
		return d.refuse(l, "truncated_ethernet_frame", SkipTruncated)
	}
	if h.EthernetType == etherFabricPath {
		const fabricPath = 16
		if len(b) <= fabricPath+header {
			return d.refuse(l, "truncated_link_header_cfp", SkipTruncated)
		}
		b = b[fabricPath:]
		if h.DecodeFromBytes(b, noFeedback) != nil {
			return d.refuse(l, "truncated_ethernet_frame", SkipTruncated)
		}
	}
	b = b[header:] // not h.Payload, which ends where a length says
	switch h.EthernetType {
	case etherIPv4, etherIPv6:
		return d.enter(l) && d.ip(l, b)
	case etherVLAN, etherQinQ, etherQinQOld:
		return d.enter(l) && d.vlan(l, b)
	case etherLengthOnly:
		return d.ieee8023(l, b, h.Length, int(h.Length), "undefined_ether_type", "truncated_ethernet_frame")
	}
	return d.etherCommon(l, b, h.EthernetType)
}

// etherCommon returns what Ethernet and VLAN tags both lead to.
func (d *decoder) etherCommon(l *layer, b []byte, typ layers.EthernetType) bool {
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

// ieee8023 returns a frame with a length in place of a type. Of what may follow
// only SNAP leads to IP.
func (d *decoder) ieee8023(l *layer, b []byte, length uint16, least int, undefined, truncated string) bool {
	switch {
	case length > etherMaxLength:
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
	var llc layers.LLC
	var h layers.SNAP
	switch {
	case len(b) < 3:
		return d.refuse(l, "truncated_snap_llc_header", SkipTruncated)
	case llc.DecodeFromBytes(b, noFeedback) != nil, h.DecodeFromBytes(llc.Payload, noFeedback) != nil:
		return d.refuse(l, "truncated_snap_header", SkipTruncated)
	case [3]byte(h.OrganizationalCode) != [3]byte{}:
		return d.skip(SkipLink)
	}
	return d.etherIP(l, h.Payload, h.Type)
}

// etherIP returns what links lead to that know no tags: IP and ARP.
func (d *decoder) etherIP(l *layer, b []byte, typ layers.EthernetType) bool {
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
	var h layers.Dot1Q
	if len(b) <= 4 || h.DecodeFromBytes(b, noFeedback) != nil {
		return d.refuse(l, "truncated_VLAN_header", SkipTruncated)
	}
	b = h.Payload
	switch {
	case h.Type == etherVLAN:
		return d.enter(l) && d.vlan(l, b)
	case h.Type < etherLeastType:
		return d.ieee8023(l, b, uint16(h.Type), 2, "undefined_vlan_protocol", "truncated_vlan_frame")
	}
	return d.etherCommon(l, b, h.Type)
}

// vnTag (src/packet_analysis/protocol/vntag): a VLAN tag follows.
func (d *decoder) vnTag(l *layer, b []byte) bool {
	if len(b) <= 6 {
		return d.refuse(l, "truncated_vntag_header", SkipTruncated)
	}
	switch etherType(b[4:]) {
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
		header  = 8
		mac, ip = 6, 4
	)
	d.reason = SkipLink
	if len(b) < header || len(b) < header+2*int(b[4])+2*int(b[5]) {
		d.weird(l, "truncated_ARP")
		return false
	}
	var h layers.ARP
	// Other lengths go beyond eight bits in gopacket.
	if b[4] != mac || b[5] != ip || h.DecodeFromBytes(b, noFeedback) != nil || h.Protocol != etherIPv4 {
		return false
	}
	if hardware := binary.BigEndian.Uint16(b); hardware != 1 && hardware != 6 { // Ethernet, IEEE 802; h has eight bits of it
		return false
	}
	return (h.Operation == layers.ARPRequest || h.Operation == layers.ARPReply) && bytes.Equal(l.station, h.SourceHwAddress)
}

// etherType reads a type of Ethernet's in another header.
func etherType(b []byte) layers.EthernetType {
	return layers.EthernetType(binary.BigEndian.Uint16(b))
}
