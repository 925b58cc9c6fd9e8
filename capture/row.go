package capture

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// fill writes a removed connection as a row of conn.log
// (scripts/base/protocols/conn/main.zeek, set_conn).
func (t *table) fill(c *connection, row *conn.Conn) {
	row.Reset()
	row.TS, row.UID = c.start, c.uid().String()
	row.Orig, row.Resp = c.origin(), c.responder()
	row.Proto, row.IPProto = c.proto, uint16(c.key.proto)
	row.LocalOrig, row.LocalResp = t.sites.local(c.origAddress()), t.sites.local(c.respAddress())
	row.Set = conn.LocalOrig | conn.LocalResp | conn.IPProto

	if d := c.last - c.start; d > 0 {
		row.Duration = d
		row.OrigBytes, row.RespBytes = c.Sizes()
		row.Set |= conn.Duration | conn.OrigBytes | conn.RespBytes
	}
	if c.detector != nil {
		if name := c.detector.Name(); name != "" {
			row.Service = name
			row.Set |= conn.Service
		}
	}
	row.State = c.connState()
	row.MissedBytes = c.missed
	if len(c.history.text) > 0 {
		row.History = t.histories.intern(c.history.text)
		row.Set |= conn.History
	}
	row.OrigPkts, row.OrigIPBytes = c.sides[0].pkts, c.sides[0].ipBytes
	row.RespPkts, row.RespIPBytes = c.sides[1].pkts, c.sides[1].ipBytes
	if len(c.parents) > 0 {
		for _, p := range c.parents {
			row.TunnelParents = append(row.TunnelParents, p.String())
		}
		row.Set |= conn.TunnelParents
	}
}

// interned keeps strings that come up again and again.
type interned map[string]string

const maxInterned = 1 << 12

func (in *interned) intern(b []byte) string {
	if s, ok := (*in)[string(b)]; ok {
		return s
	}
	s := string(b)
	if *in == nil {
		*in = make(interned)
	}
	if len(*in) < maxInterned && len(s) <= 64 {
		(*in)[s] = s
	}
	return s
}
