// Package conn holds the connection record: the fields of Zeek's conn.log and
// nothing else (Zeek 8.0, scripts/base/protocols/conn/main.zeek, Conn::Info).
// Every source fills it (capture, capture/zeeklog, gobridge) and every later
// room reads it, so a score can always be computed again from the log.
package conn

import "net/netip"

// Conn is one row of conn.log. A field that Zeek leaves unset ("-") has its
// bit cleared in Set; its value is then zero and means nothing. Fields without
// a bit are always set by Zeek.
type Conn struct {
	TS   Micros // first packet
	UID  string // "C" and 17 or so base-62 characters
	Orig netip.AddrPort
	Resp netip.AddrPort // for ICMP the ports are type and counterpart type or code

	Context string // of both endpoints, id.ctx: "vlan=10"; "" for none. See Host

	Proto   Proto
	Service string // names joined by ",", in the order of confirmation; Set&Service

	Duration  Micros // last packet − first packet; Set&Duration
	OrigBytes uint64 // payload from the originator; Set&OrigBytes
	RespBytes uint64 // Set&RespBytes

	State     State
	LocalOrig bool // Set&LocalOrig
	LocalResp bool // Set&LocalResp

	MissedBytes uint64
	History     string // Set&History

	OrigPkts    uint64
	OrigIPBytes uint64
	RespPkts    uint64
	RespIPBytes uint64

	TunnelParents []string // uids; Set&TunnelParents
	IPProto       uint16   // Set&IPProto (absent before Zeek 7.1)

	Set Fields

	// Absent are fields of which the source says nothing: a log without their
	// columns. They are not set, but that is not what Zeek said of them.
	Absent Fields

	// Look is not 0 if the connection goes on: the age at which it was looked
	// at. The record is then what conn.log would say if it ended now, and
	// Duration its age; it comes again, at the latest when it ends.
	Look Micros
}

// Fields is a bit set of fields of a Conn.
type Fields uint16

// The optional fields.
const (
	Service Fields = 1 << iota
	Duration
	OrigBytes
	RespBytes
	LocalOrig
	LocalResp
	History
	TunnelParents
	IPProto
)

// Fields that Zeek always sets, but that a log can lack.
const (
	MissedBytes Fields = 1 << (iota + 9)
	OrigPkts
	OrigIPBytes
	RespPkts
	RespIPBytes
)

// Has reports whether all of the fields f are set.
func (c *Conn) Has(f Fields) bool { return c.Set&f == f }

// End returns the time of the last packet: TS where the duration is unset.
func (c *Conn) End() Micros { return c.TS + c.Duration }

// Reset clears the record for reuse and keeps the memory of its slices.
func (c *Conn) Reset() { *c = Conn{TunnelParents: c.TunnelParents[:0]} }
