package capture

import "encoding/binary"

// Bits of an 802.11 frame's first two bytes.
const (
	frameData   = 0x02 << 2 // of the type
	frameNoData = 0x04 << 4 // of the subtype
	frameQoS    = 0x08 << 4

	frameToDS      = 0x01
	frameFromDS    = 0x02
	frameProtected = 0x40
)

// radiotap returns a header of any length before an 802.11 frame
// (src/packet_analysis/protocol/ieee802_11_radio).
func (d *decoder) radiotap(l *layer, b []byte) bool {
	if len(b) <= 3 {
		return d.refuse(l, "truncated_radiotap_header", SkipTruncated)
	}
	header := int(binary.LittleEndian.Uint16(b[2:]))
	if len(b) <= header {
		return d.refuse(l, "truncated_radiotap_header", SkipTruncated)
	}
	return d.enter(l) && d.ieee80211(l, b[header:])
}

// ieee80211 returns a data frame that is not encrypted
// (src/packet_analysis/protocol/ieee802_11).
func (d *decoder) ieee80211(l *layer, b []byte) bool {
	const addressLength = 6
	header := 24
	if len(b) <= header {
		return d.refuse(l, "truncated_802_11_header", SkipTruncated)
	}
	control, flags := b[0], b[1]
	if control&frameData == 0 || control&frameNoData != 0 {
		return d.skip(SkipLink)
	}
	if flags&frameToDS != 0 && flags&frameFromDS != 0 {
		header += addressLength
	}
	if len(b) <= header {
		return d.refuse(l, "truncated_802_11_header", SkipTruncated)
	}
	aggregated := false
	if control&frameQoS != 0 {
		aggregated = b[header]&0x80 != 0
		if flags&frameProtected != 0 {
			d.reason = SkipLink
			return true
		}
		header += 2
	}
	if len(b) <= header {
		return d.refuse(l, "truncated_802_11_header", SkipTruncated)
	}
	switch {
	case flags&frameFromDS == 0:
		l.station = b[10:][:addressLength]
	case flags&frameToDS == 0:
		l.station = b[16:][:addressLength]
	default:
		l.station = b[24:][:addressLength]
	}
	b = b[header:]
	if !aggregated {
		return d.llcSNAP(l, b)
	}
	return d.aMSDU(l, b)
}

// aMSDU returns a frame of several subframes. The first that cannot be analyzed
// ends it.
func (d *decoder) aMSDU(l *layer, b []byte) bool {
	const header = 14
	depth := l.encap.depth()
	for len(b) > 0 {
		if len(b) < header {
			return d.refuse(l, "truncated_802_11_amsdu_header", SkipTruncated)
		}
		length := int(binary.BigEndian.Uint16(b[12:]))
		b = b[header:]
		if len(b) < length {
			return d.refuse(l, "truncated_802_11_amsdu_packet", SkipTruncated)
		}
		if !d.llcSNAP(l, b[:length]) {
			d.weird(l, "invalid_802_11_amsdu_inner_packet")
			return false
		}
		b = b[length:]
		if padding := length % 4; len(b) >= padding { // not what the standard says, but what Zeek does
			b = b[padding:]
		}
		if l.encap != nil {
			l.encap.levels = l.encap.levels[:min(depth, len(l.encap.levels))]
		}
	}
	return true
}

// llcSNAP leads to Ethernet's types, of which links without tags know IP and ARP.
func (d *decoder) llcSNAP(l *layer, b []byte) bool {
	if len(b) < 8 {
		return d.refuse(l, "truncated_802_11_llc_header", SkipTruncated)
	}
	if b[0] != 0xaa || b[1] != 0xaa || b[2] != 3 || b[3]|b[4]|b[5] != 0 {
		return d.skip(SkipLink)
	}
	return d.etherIP(l, b[8:], etherType(b[6:]))
}
