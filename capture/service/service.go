// Package service says which application protocols a connection speaks, as
// Zeek's dynamic protocol detection does: analyzers are attached by responder
// port, by signature or by a parent protocol, and a name enters the service
// field when its analyzer confirms and leaves it when it is violated.
//
// The way of the data: capture calls Attach when a connection is created and
// then, packet by packet, Data, Gap and EOF with what TCP reassembly or a
// datagram delivers, and EndPacket once the packet is through, which runs the
// packet's events (confirmations, violations) in order, as Zeek's event queue.
package service

import (
	"net/netip"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Conn is what detection asks of its connection and tells it; capture
// implements it.
type Conn interface {
	// Sizes are the payload sizes of originator and responder so far, as they
	// would be logged (TCP: by sequence numbers).
	Sizes() (orig, resp uint64)
	// Partial reports a TCP connection whose first packet on a side was not a SYN.
	Partial() bool
	// Introduced reports whether the side's first packet passed as such: of a
	// TCP connection whose SYN was missed or came late it did not, and then
	// signatures that name a protocol do not fit that side
	// (src/packet_analysis/protocol/tcp/TCPSessionAdapter.cc, CheckPIA_FirstPacket).
	Introduced(fromOrig bool) bool
	// HadGap reports whether TCP data of either side was missed so far.
	HadGap() bool
	// FlipRoles makes the originator the responder (DNS, NTP). The connection
	// answers by calling Detector.FlipRoles.
	FlipRoles()
	// GiveUp writes X into the history, once.
	GiveUp()
	// SetInactivityTimeout changes the connection's timeout (SSH, FTP: an hour).
	SetInactivityTimeout(conn.Micros)
	// PassToTLS notes that QUIC found a handshake for TLS. Zeek makes a TCP
	// session for that, whose timer comes and goes at once; other timers that
	// are due at one instant may change places by it.
	PassToTLS()
	// EndDNSSession disarms the shorter timeout of DNS over UDP: its analyzer
	// was removed.
	EndDNSSession()
}

// ID is a connection's transport and ends after a flip at creation.
type ID struct {
	Proto      conn.Proto
	Orig, Resp netip.AddrPort
}
