package conn

import "net/netip"

// Seen is what a row of another log than conn.log says of its connection: when the
// row was, and between whom.
type Seen struct {
	TS         Micros
	UID        string
	Orig, Resp netip.AddrPort
	Context    string // of both, see Host
}

// OrigHost returns the originator.
func (s *Seen) OrigHost() Host { return Host{s.Orig.Addr(), s.Context} }

// RespHost returns the responder.
func (s *Seen) RespHost() Host { return Host{s.Resp.Addr(), s.Context} }

// Conn returns the row as a connection.
func (s *Seen) Conn(proto Proto) Conn {
	return Conn{TS: s.TS, UID: s.UID, Orig: s.Orig, Resp: s.Resp, Context: s.Context, Proto: proto}
}
