package capture

import "net/netip"

// tunnelKind is Zeek's Tunnel::Type.
type tunnelKind uint8

const (
	tunnelIP tunnelKind = iota
	tunnelGRE
	tunnelVXLAN
	tunnelGeneve
	tunnelAYIYA
	tunnelTeredo
	tunnelGTPv1
)

// tunnelLevel is one tunnel that a packet came through: the connection that
// carried it or, for IP in IP and GRE, the pair of addresses.
type tunnelLevel struct {
	kind       tunnelKind
	proto      uint8 // of the carrier
	orig, resp netip.AddrPort
	uid        uid
}

// equal tells whether two packets came through the same tunnel
// (src/TunnelEncapsulation.h): the direction counts only where the carrier is
// a connection, but for VXLAN's, whose answers come from another source port.
func (a *tunnelLevel) equal(b *tunnelLevel) bool {
	if a.kind != b.kind || a.uid != b.uid || a.proto != b.proto {
		return false
	}
	switch a.kind {
	case tunnelVXLAN:
		if a.resp.Port() != b.resp.Port() {
			return false
		}
		fallthrough
	case tunnelIP, tunnelGRE:
		ao, ar, bo, br := a.orig.Addr(), a.resp.Addr(), b.orig.Addr(), b.resp.Addr()
		return ao == bo && ar == br || ao == br && ar == bo
	}
	return a.orig == b.orig && a.resp == b.resp
}

// encapsulation is how a packet was tunnelled, outermost level first; nil when
// it was not (which is not the same as no level). All packets decoded from one
// frame share it: a deeper tunnel adds its level to the one that the carrier's
// packet came with, and a connection that was made by that packet sees its own
// grow, as in Zeek. So who stores one calls share or clone.
type encapsulation struct {
	levels []tunnelLevel
	shared bool
}

// share keeps the encapsulation for a new connection; it may still grow until
// the frame is done, and is not used for another frame.
func (e *encapsulation) share() *encapsulation {
	if e != nil {
		e.shared = true
	}
	return e
}

// clone returns a copy that stays as it is.
func (e *encapsulation) clone() *encapsulation {
	if e == nil {
		return nil
	}
	return &encapsulation{levels: append([]tunnelLevel(nil), e.levels...), shared: true}
}

// equal reports whether two packets came through the same tunnels.
func (e *encapsulation) equal(o *encapsulation) bool {
	if e == nil || o == nil {
		return e == o
	}
	if len(e.levels) != len(o.levels) {
		return false
	}
	for i := range e.levels {
		if !e.levels[i].equal(&o.levels[i]) {
			return false
		}
	}
	return true
}

// parent returns the uid of the innermost level, the one in tunnel_parents. There
// must be a level.
func (e *encapsulation) parent() uid { return e.last().uid }

func (e *encapsulation) last() *tunnelLevel { return &e.levels[len(e.levels)-1] }

func (e *encapsulation) depth() int {
	if e == nil {
		return 0
	}
	return len(e.levels)
}
