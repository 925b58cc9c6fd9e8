package conn

import "net/netip"

// Host is who takes part in connections. Where Zeek tells connections of the
// same addresses apart by more than these (ConnKey::factory), so that 10.0.0.1 of
// two VLANs is two hosts, it has a context.
type Host struct {
	Addr    netip.Addr
	Context string // of id.ctx, see AppendContext; "" for none
}

// MaxContext is how much of a context counts.
const MaxContext = 256

// OrigHost returns the originator.
func (c *Conn) OrigHost() Host { return Host{c.Orig.Addr(), c.Context} }

// RespHost returns the responder.
func (c *Conn) RespHost() Host { return Host{c.Resp.Addr(), c.Context} }

// IsValid reports whether it is a host at all.
func (h Host) IsValid() bool { return h.Addr.IsValid() }

// String returns the address, and its context in parentheses: "10.0.0.1 (vlan=10)".
func (h Host) String() string { return InContext(h.Addr.String(), h.Context) }

// InContext returns the text of something, with its context in parentheses.
func InContext(text, context string) string {
	if context == "" {
		return text
	}
	return text + " (" + context + ")"
}

// AppendContext appends a field of id.ctx that is set, as a log writes it, to
// those before: "inner_vlan=20,vlan=10". Fields come in the order of their names,
// whatever the order of columns is.
func AppendContext(dst []byte, name, value string) []byte {
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	return append(append(append(dst, name...), '='), value...)
}
