package capture

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// The package has two halves that meet here.
//
// The way in (source.go, pcapfile.go, decode.go, link*.go, ip.go, fragment.go,
// checksum.go, tunnel*.go):
//
//	(*packets).next(*frame) error          one captured frame; io.EOF, or an error that says what failed
//	newDecoder(*table, *Options) *decoder
//	(*decoder).decode(*frame)              link layer to transport; calls (*table).deliver for each accepted datagram
//	(*decoder).tunnel(*packet, *connection, []byte)
//	                                       a datagram of a UDP connection, which a tunnel may have carried:
//	                                       calls (*table).deliver again for what is inside
//	validTCP, validUDP, validICMP(*packet) bool
//	                                       the checksum over packet.payload (and the pseudo header)
//
// The way on (table.go and the rest):
//
//	(*table).deliver(*packet) bool         finds or makes the connection and runs its protocol; false: there
//	                                       is none, the transport header is too short (no further subframe of
//	                                       an A-MSDU is then looked at)
//	(*connection).uid() uid                the parent's uid of what a UDP tunnel carries
//	(*connection).confirmTunnel(name)      adds vxlan, geneve, gtpv1, teredo or ayiya to service
//	(*connection).giveUp()                 X in the history, once
//	(*connection).tunnelState              the tunnel decoders' own memory of the connection; zero at first
//	(*connection).origin(), responder()    netip.AddrPort, as they stand (flips included)
//	(*table).clock                         network time: never goes back
//
// A new connection takes p.encap.share(), a later change p.encap.clone()
// (encapsulation.go says why).
//
// packet is one IP datagram whose headers decode.go accepted (after
// defragmentation and, in a tunnel, decapsulation), on its way to the
// connection table. It is reused: nothing keeps a pointer to it or its bytes.
type packet struct {
	time     conn.Micros // the packet's own time, which may lie before the clock's
	src, dst address     // after mobile-IPv6 and routing options; IPv4-mapped ones unmapped
	v6       bool        // the header is IPv6's
	proto    uint8       // last next-header value
	ipLen    int         // IP total length by its header, for *_ip_bytes (0 with segmentation offload and -C)
	length   int         // length of the IP payload by the headers; 0 with segmentation offload and -C

	// payload is the IP payload as captured, the transport's header first: at
	// most length bytes, but all that was captured if length is 0.
	payload []byte

	wireLen, capLen int // of the frame, without what outer packets took of it

	encap *encapsulation // how it was tunnelled; nil when it was not

	// carrier is the packet's connection, once its checksum was good. The
	// table sets it before it calls tunnel, and for TCP and ICMP too.
	carrier *connection

	found found
}

// found is what was found out about a packet that has been looked at before, by
// reading ahead; else nothing.
type found struct {
	identity   identity
	identified bool
	segment    segment // of TCP
	parsed     bool
	checksum   checksumState // of TCP and UDP
}

type checksumState uint8

const (
	checksumUnknown checksumState = iota
	checksumGood
	checksumBad
)

// isValid reports whether the packet's checksum is right: by valid, unless that
// is known.
func (p *packet) isValid(valid func(*packet) bool) bool {
	if p.found.checksum != checksumUnknown {
		return p.found.checksum == checksumGood
	}
	return valid(p)
}
