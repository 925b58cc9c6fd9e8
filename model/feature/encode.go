package feature

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Check reports what of c no conn.log can hold and no vector can be made of:
// a code out of range or a negative duration. Such a connection must not be
// given to Hosts, Row or Sample.
func Check(c *conn.Conn) error {
	switch {
	case c.Proto >= conn.NumProto:
		return fmt.Errorf("proto has the unknown code %d", c.Proto)
	case c.State >= conn.NumState:
		return fmt.Errorf("conn_state has the unknown code %d", c.State)
	case c.Duration < 0:
		return fmt.Errorf("duration is negative: %f s", c.Duration.Seconds())
	}
	return nil
}

// SetConn makes the row of a connection whose window is w. It does not allocate.
func (r *Row) SetConn(c *conn.Conn, w Window, t *Texts) {
	r.Sample.SetConn(c, w, t)
	r.TS, r.Cold = c.TS, w.Cold
	r.Host, r.Chance = connKeys(c)
	r.Cell = connCell(c, r.Codes[ServiceCode])
}

// SetConn makes the sample of a connection whose window is w: what scoring
// needs of it. It does not allocate.
func (s *Sample) SetConn(c *conn.Conn, w Window, t *Texts) {
	v := &s.Vector
	v[duration], v[origBytes], v[respBytes] = Unset, Unset, Unset
	if w.OneWay { // one packet is all that is sent, and no answer comes
		v[duration], v[origBytes], v[respBytes] = LogSeconds(0), 0, 0
	}
	if c.Has(conn.Duration) {
		v[duration] = LogSeconds(c.Duration)
	}
	if c.Has(conn.OrigBytes) {
		v[origBytes] = LogCount(c.OrigBytes)
	}
	if c.Has(conn.RespBytes) {
		v[respBytes] = LogCount(c.RespBytes)
	}
	v[origPkts] = LogCount(c.OrigPkts)
	v[respPkts] = LogCount(c.RespPkts)
	v[origIPBytes] = LogCount(c.OrigIPBytes)
	v[respIPBytes] = LogCount(c.RespIPBytes)
	v[missedBytes] = LogCount(c.MissedBytes)
	v[protoRarity], v[serviceRarity], v[stateRarity], v[portRarity] = 0, 0, 0, 0

	v[connections] = LogCount(uint64(w.Connections))
	v[failedShare] = float32(float64(w.Failures) / float64(max(w.Connections, 1)))
	v[responders] = LogCount(uint64(w.Responders))
	v[responderPorts] = LogCount(uint64(w.Ports))
	v[failures] = LogCount(uint64(w.Failures))
	v[respFailures] = LogCount(uint64(w.RespFailures))
	v[pairBytes] = LogCount(w.PairBytes)
	v[pairSeconds] = LogCount(w.PairSeconds)
	v[originatorPort] = w.UseRarity()

	s.Codes[protoCode], s.Codes[stateCode] = uint64(c.Proto), uint64(c.State)
	s.Codes[ServiceCode] = serviceCode(c, t)
	s.Codes[portCode] = uint64(c.Proto)<<16 | uint64(c.Resp.Port())
	s.Silent = 0
	if c.State == conn.NoState {
		s.Codes[stateCode] = NoCode
	}
	if w.OneWay || c.State == conn.NoState {
		// Where no answer belongs to the connection, neither the state nor the
		// transport says anything: that neighbours are discovered by ICMP is no news.
		s.Silent = 1<<protoCode | 1<<stateCode
	}
	if w.Open && c.State == conn.S1 {
		// What will become of it is not known yet. In conn.log, where S1 is how
		// Zeek lost sight of a connection, it may be rare.
		s.Silent |= 1 << stateCode
	}
	if s.Absent = 0; c.Absent != 0 {
		s.Absent = Absent(c.Absent)
	}
}

// UseRarity returns how rare the use is among the originator's rows: of conn.log the
// port among its connections.
func (m *Memory) UseRarity() float32 {
	return rarity(uint64(min(m.PortUses, m.Uses)), uint64(m.Uses))
}

func serviceCode(c *conn.Conn, t *Texts) uint64 {
	switch {
	case c.Absent&conn.Service != 0:
		return NoCode
	case !c.Has(conn.Service):
		return 0 // of ""
	case len(c.Service) > MaxServiceName:
		return LongCode
	}
	return t.Code(c.Service)
}

// connCell tells kinds of connection apart: local_orig, proto, service,
// conn_state and the magnitudes of the bytes in both directions. Of attempts
// that came to nothing the bytes do not count: they say how often a SYN was
// sent again, and would make a scan many kinds.
func connCell(c *conn.Conn, service uint64) uint64 {
	if service == NoCode { // as an unset one
		service = 0
	}
	var key uint64
	if !c.State.Failed() {
		key = uint64(bits.Len64(c.OrigIPBytes))<<7 | uint64(bits.Len64(c.RespIPBytes))
	}
	key = key<<4 | uint64(c.State)
	key = key<<2 | uint64(c.Proto)
	key <<= 2
	switch {
	case !c.Has(conn.LocalOrig):
	case c.LocalOrig:
		key |= 1
	default:
		key |= 2
	}
	return mix(key ^ mix(service))
}

// connKeys returns a hash of the originator's address, not zero, and a number that
// depends on when the connection began and on its endpoints alone, so that what
// comes at every other connection is not left out for it. Who finds addresses
// with the same hash makes himself fewer, which does not help him.
func connKeys(c *conn.Conn) (host uint32, chance uint64) {
	h := originatorHash(c.OrigHost())
	ports := uint64(c.Orig.Port())<<16 | uint64(c.Resp.Port())
	return uint32(h>>32) | 1, mix(h ^ mix(uint64(c.TS)^mix(ports)))
}

// OriginatorHash returns the Row.Host of the connections that a host originates.
func OriginatorHash(h conn.Host) uint32 { return uint32(originatorHash(h)>>32) | 1 }

func originatorHash(h conn.Host) uint64 {
	a := HostKey(h)
	return (binary.BigEndian.Uint64(a[:8])*0x9e3779b97f4a7c15 ^ binary.BigEndian.Uint64(a[8:])) * 0x94d049bb133111eb
}
