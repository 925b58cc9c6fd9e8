package feature

import (
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// AppendConn appends the feature i of a connection in the reader's words:
// "4.2 GB", "212", "97 %", "ssl, 1 in 12 connections", "31337/tcp, never seen".
// It allocates only what dst needs.
func (e *Encoder) AppendConn(dst []byte, i int, c *conn.Conn, w Window) []byte {
	if c.Absent != 0 && Absent(c.Absent)>>i&1 != 0 {
		return append(dst, "no column"...)
	}
	switch i {
	case duration:
		if !c.Has(conn.Duration) {
			return append(dst, "unset"...)
		}
		return AppendSeconds(dst, c.Duration.Seconds())
	case origBytes:
		return appendOptionalBytes(dst, c.Has(conn.OrigBytes), c.OrigBytes)
	case respBytes:
		return appendOptionalBytes(dst, c.Has(conn.RespBytes), c.RespBytes)
	case origIPBytes:
		return AppendBytes(dst, float64(c.OrigIPBytes))
	case respIPBytes:
		return AppendBytes(dst, float64(c.RespIPBytes))
	case missedBytes:
		return AppendBytes(dst, float64(c.MissedBytes))
	case origPkts:
		return AppendCount(dst, float64(c.OrigPkts))
	case respPkts:
		return AppendCount(dst, float64(c.RespPkts))

	case protoRarity:
		return e.appendConnRarity(append(dst, c.Proto.String()...), protoCode, c, w)
	case serviceRarity:
		name := "unset"
		if c.Has(conn.Service) && c.Service != "" {
			name = c.Service
		}
		return e.appendConnRarity(append(dst, name...), ServiceCode, c, w)
	case stateRarity:
		name := "unset"
		if c.State != conn.NoState {
			name = c.State.String()
		}
		return e.appendConnRarity(append(dst, name...), stateCode, c, w)
	case portRarity:
		return e.appendConnRarity(appendPort(dst, c), portCode, c, w)

	case pairBytes:
		return AppendBytes(dst, float64(w.PairBytes))
	case pairSeconds:
		return AppendSeconds(dst, float64(w.PairSeconds))
	case originatorPort:
		return append(w.AppendUses(appendPort(dst, c)), " connections"...)

	case respFailures:
		return AppendCount(dst, float64(w.RespFailures))
	case connections:
		return AppendCount(dst, float64(w.Connections))
	case failures:
		return AppendCount(dst, float64(w.Failures))
	case responders:
		return AppendDistinct(dst, w.Responders)
	case responderPorts:
		return AppendDistinct(dst, w.Ports)
	default: // failedShare
		return AppendPercent(dst, float64(w.Failures)/float64(max(w.Connections, 1)))
	}
}

// appendConnRarity appends how rare the i-th code of a connection is.
func (e *Encoder) appendConnRarity(dst []byte, i int, c *conn.Conn, w Window) []byte {
	var s Sample
	s.SetConn(c, w, nil)
	return e.AppendRarity(dst, e.of(&s, i))
}

func appendPort(dst []byte, c *conn.Conn) []byte {
	dst = strconv.AppendUint(dst, uint64(c.Resp.Port()), 10)
	return append(append(dst, '/'), c.Proto.String()...)
}

// AppendUses appends how often the originator used what a row uses: ", 2 of its
// 97". It allocates only what dst needs.
func (m *Memory) AppendUses(dst []byte) []byte {
	dst = AppendCount(append(dst, ", "...), float64(m.PortUses))
	dst = AppendCount(append(dst, " of its "...), float64(m.Uses))
	if m.Uses >= maxUses { // counted no further
		dst = append(dst, " or more"...)
	}
	return dst
}
