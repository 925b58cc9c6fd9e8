package capture

import (
	"encoding/binary"

	"github.com/google/gopacket/layers"
)

// The short link layers. Each header must be followed by at least one byte.

// null (src/packet_analysis/protocol/null): an address family, which is read
// in one byte order only. IPv6's is another on each BSD.
func (d *decoder) null(l *layer, b []byte) bool {
	if len(b) <= 4 {
		return d.refuse(l, "null_analyzer_failed", SkipTruncated)
	}
	switch binary.LittleEndian.Uint32(b) {
	case 2, 24, 28, 30:
		return d.enter(l) && d.ip(l, b[4:])
	}
	return d.skip(SkipLink)
}

// fddi (src/packet_analysis/protocol/fddi): headers of fixed length, unread.
func (d *decoder) fddi(l *layer, b []byte) bool {
	const header = 13 + 8 // FDDI's own and LLC with SNAP
	if len(b) <= header {
		return d.refuse(l, "FDDI_analyzer_failed", SkipTruncated)
	}
	return d.enter(l) && d.ip(l, b[header:])
}

// sll is Linux' "any" interface (src/packet_analysis/protocol/linux_sll).
func (d *decoder) sll(l *layer, b []byte) bool {
	const header = 16
	if len(b) <= header {
		return d.refuse(l, "truncated_Linux_SLL_header", SkipTruncated)
	}
	return d.etherIP(l, b[header:], etherType(b[14:]))
}

// sll2 reads its second version (src/packet_analysis/protocol/linux_sll2).
func (d *decoder) sll2(l *layer, b []byte) bool {
	const header = 20
	if len(b) <= header {
		return d.refuse(l, "truncated_Linux_SLL2_header", SkipTruncated)
	}
	return d.etherIP(l, b[header:], etherType(b))
}

// nflog (src/packet_analysis/protocol/nflog): Linux' packet filter log, a list
// of types with lengths, in the byte order of the host that captured it.
func (d *decoder) nflog(l *layer, b []byte) bool {
	const (
		header, tlvHeader = 4, 4
		payload           = 9
		ipv4, ipv6        = 2, 10 // Linux' address families
	)
	if len(b) <= header {
		return d.refuse(l, "truncated_nflog_header", SkipTruncated)
	}
	family, version := b[0], b[1]
	if version != 0 {
		return d.refuse(l, "unknown_nflog_version", SkipLink)
	}
	var order binary.ByteOrder = binary.LittleEndian
	if d.frame.bigEndian {
		order = binary.BigEndian
	}
	for b = b[header:]; ; {
		if len(b) <= tlvHeader {
			return d.refuse(l, "nflog_no_pcap_payload", SkipTruncated)
		}
		length, typ := int(order.Uint16(b)), order.Uint16(b[2:])
		if typ == payload {
			break
		}
		padded := (length + 3) &^ 3
		if length < tlvHeader || padded > len(b) {
			return d.refuse(l, "nflog_bad_tlv_len", SkipTruncated)
		}
		b = b[padded:]
	}
	if family != ipv4 && family != ipv6 {
		return d.skip(SkipLink)
	}
	return d.enter(l) && d.ip(l, b[tlvHeader:])
}

// PPP's protocol numbers.
const (
	pppIPv4 = layers.PPPTypeIPv4
	pppIPv6 = layers.PPPTypeIPv6
	pppMPLS = layers.PPPTypeMPLSUnicast
)

func pppType(b []byte) layers.PPPType { return layers.PPPType(binary.BigEndian.Uint16(b)) }

// ppp (src/packet_analysis/protocol/ppp) has HDLC's two bytes before the
// protocol or has not.
func (d *decoder) ppp(l *layer, b []byte) bool {
	if len(b) <= 2 {
		return d.refuse(l, "truncated_ppp_header", SkipTruncated)
	}
	if b[0] == 0xff && b[1] == 0x03 {
		if len(b) <= 4 {
			return d.refuse(l, "truncated_ppp_hdlc_header", SkipTruncated)
		}
		return d.pppSerial(l, b)
	}
	return d.pppProtocol(l, b[2:], pppType(b))
}

// pppSerial (src/packet_analysis/protocol/ppp_serial) always has them.
func (d *decoder) pppSerial(l *layer, b []byte) bool {
	if len(b) <= 4 {
		return d.refuse(l, "truncated_ppp_serial_header", SkipTruncated)
	}
	return d.pppProtocol(l, b[4:], pppType(b[2:]))
}

func (d *decoder) pppProtocol(l *layer, b []byte, protocol layers.PPPType) bool {
	switch protocol {
	case pppIPv4, pppIPv6:
		return d.enter(l) && d.ip(l, b)
	case pppMPLS:
		return d.enter(l) && d.mpls(l, b)
	}
	return d.skip(SkipLink)
}

// pppoe (src/packet_analysis/protocol/pppoe), sessions only. Its length cuts
// the packet.
func (d *decoder) pppoe(l *layer, b []byte) bool {
	const header = 8 // with PPP's protocol, which the length counts as payload
	if len(b) <= header {
		return d.refuse(l, "truncated_pppoe_header", SkipTruncated)
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	switch {
	case length < len(b)-6:
		d.weird(l, "pppoe_extra_data_after_payload")
	case length > len(b)-6:
		d.weirdWithout("pppoe_truncated_payload")
	}
	length = max(length-2, 0)
	protocol := pppType(b[6:])
	b = b[header:]
	b = b[:min(length, len(b))]
	switch protocol {
	case pppIPv4, pppIPv6:
		return d.enter(l) && d.ip(l, b)
	}
	return d.skip(SkipLink)
}
