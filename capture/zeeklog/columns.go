package zeeklog

import (
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// field is one field of conn.log.
type field uint8

// The fields of Zeek 8.0's conn.log in its order
// (scripts/base/protocols/conn/main.zeek, Conn::Info).
const (
	ts field = iota
	uid
	origH
	origP
	respH
	respP
	proto
	service
	duration
	origBytes
	respBytes
	connState
	localOrig
	localResp
	missedBytes
	history
	origPkts
	origIPBytes
	respPkts
	respIPBytes
	tunnelParents
	ipProto
	numField

	noField = numField // a column that conn.log does not have
)

// columns says how each field is called, its type in the #types line, and how
// it is written; (*texts).parse is the other direction.
var columns = [numField]struct {
	name     string
	typ      string
	optional conn.Fields // its bit where it has one
	required bool        // a row without it is of no use
	write    func(dst []byte, c *conn.Conn, n notation) []byte
}{
	ts: {"ts", "time", 0, true, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.seconds(dst, c.TS)
	}},
	uid: {"uid", "string", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.text(dst, c.UID)
	}},
	origH: {"id.orig_h", "addr", 0, true, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.addr(dst, c.Orig.Addr())
	}},
	origP: {"id.orig_p", "port", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, uint64(c.Orig.Port()))
	}},
	respH: {"id.resp_h", "addr", 0, true, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.addr(dst, c.Resp.Addr())
	}},
	respP: {"id.resp_p", "port", 0, true, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, uint64(c.Resp.Port()))
	}},
	proto: {"proto", "enum", 0, true, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.text(dst, c.Proto.String())
	}},
	service: {"service", "string", conn.Service, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.text(dst, c.Service)
	}},
	duration: {"duration", "interval", conn.Duration, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.seconds(dst, c.Duration)
	}},
	origBytes: {"orig_bytes", "count", conn.OrigBytes, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, c.OrigBytes)
	}},
	respBytes: {"resp_bytes", "count", conn.RespBytes, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, c.RespBytes)
	}},
	connState: {"conn_state", "string", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.text(dst, c.State.String())
	}},
	localOrig: {"local_orig", "bool", conn.LocalOrig, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.boolean(dst, c.LocalOrig)
	}},
	localResp: {"local_resp", "bool", conn.LocalResp, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.boolean(dst, c.LocalResp)
	}},
	missedBytes: {"missed_bytes", "count", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, c.MissedBytes)
	}},
	history: {"history", "string", conn.History, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.text(dst, c.History)
	}},
	origPkts: {"orig_pkts", "count", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, c.OrigPkts)
	}},
	origIPBytes: {"orig_ip_bytes", "count", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, c.OrigIPBytes)
	}},
	respPkts: {"resp_pkts", "count", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, c.RespPkts)
	}},
	respIPBytes: {"resp_ip_bytes", "count", 0, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, c.RespIPBytes)
	}},
	tunnelParents: {"tunnel_parents", "set[string]", conn.TunnelParents, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.set(dst, c.TunnelParents)
	}},
	ipProto: {"ip_proto", "count", conn.IPProto, false, func(dst []byte, c *conn.Conn, n notation) []byte {
		return n.count(dst, uint64(c.IPProto))
	}},
}

// isSet reports whether Zeek would print a value of c and not "-".
func (f field) isSet(c *conn.Conn) bool {
	if f == connState {
		return c.State != conn.NoState
	}
	return c.Has(columns[f].optional)
}

var fieldNames = func() map[string]field {
	names := make(map[string]field, numField)
	for f := range numField {
		names[columns[f].name] = f
	}
	return names
}()

// fieldNamed returns the field of that name or noField. The names of id's
// fields may have another separator (Log::default_scope_sep): id_orig_h.
func fieldNamed(name string) field {
	if f, ok := fieldNames[name]; ok {
		return f
	}
	if scoped, ok := strings.CutPrefix(name, "id"); ok {
		for f := origH; f <= respP; f++ {
			if sep, ok := strings.CutSuffix(scoped, columns[f].name[len("id."):]); ok && isSeparator(sep) {
				return f
			}
		}
	}
	return noField
}

// isSeparator reports whether s can stand between two names: nothing that a
// name consists of, but for the underscore.
func isSeparator(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; 'a' <= c && c <= 'z' || '0' <= s[i] && s[i] <= '9' || s[i] <= ' ' {
			return false
		}
	}
	return true
}

// ConnColumn returns the name in conn.log of a column that may have another
// separator, id_orig_h for id.orig_h, and whether conn.log has it.
func ConnColumn(name string) (string, bool) {
	f := fieldNamed(name)
	if f == noField {
		return "", false
	}
	return columns[f].name, true
}
