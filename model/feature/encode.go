package feature

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Check reports what of c no conn.log can hold and no vector can be made of:
// a code out of range or a negative duration. Such a connection must not be
// given to Hosts, Counter or Encoder.
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

// Encode writes the features of c, whose window is w, to v. It does not allocate.
func (e *Encoder) Encode(v *Vector, c *conn.Conn, w Window) {
	EncodeNumbers(v, c, w)
	state := stateCode(c, w)
	v[protoRarity] = e.proto(c.Proto, state)
	v[serviceRarity] = e.service(serviceName(c))
	v[stateRarity] = e.states[state]
	v[portRarity] = e.port(c.Proto, c.Resp.Port())
	if c.Absent != 0 {
		put(v, &e.usual, Absent(c.Absent))
	}
}

// EncodeNumbers writes the features that need no training, all but the four
// rarities. It does not allocate.
func EncodeNumbers(v *Vector, c *conn.Conn, w Window) {
	v[duration], v[origBytes], v[respBytes] = unset, unset, unset
	if w.OneWay { // one packet is all that is sent, and no answer comes
		v[duration], v[origBytes], v[respBytes] = logDuration(0), 0, 0
	}
	if c.Has(conn.Duration) {
		v[duration] = logDuration(c.Duration)
	}
	if c.Has(conn.OrigBytes) {
		v[origBytes] = logCount(c.OrigBytes)
	}
	if c.Has(conn.RespBytes) {
		v[respBytes] = logCount(c.RespBytes)
	}
	v[origPkts] = logCount(c.OrigPkts)
	v[respPkts] = logCount(c.RespPkts)
	v[origIPBytes] = logCount(c.OrigIPBytes)
	v[respIPBytes] = logCount(c.RespIPBytes)
	v[missedBytes] = logCount(c.MissedBytes)

	v[connections] = logCount(uint64(w.Connections))
	v[failedShare] = float32(float64(w.Failures) / float64(max(w.Connections, 1)))
	v[responders] = logCount(uint64(w.Responders))
	v[responderPorts] = logCount(uint64(w.Ports))
	v[failures] = logCount(uint64(w.Failures))
	encodeMemory(v, &w.Memory)
}

func encodeMemory(v *Vector, m *Memory) {
	v[respFailures] = logCount(uint64(m.RespFailures))
	v[pairBytes] = logCount(m.PairBytes)
	v[pairSeconds] = logCount(m.PairSeconds)
	v[originatorPort] = m.portRarity()
}

// portRarity is the rarity of the port among the originator's connections.
func (m *Memory) portRarity() float32 {
	return rarity(uint64(min(m.PortUses, m.Uses)), uint64(m.Uses))
}

// stateCode is conn_state, or unset where it says nothing.
func stateCode(c *conn.Conn, w Window) conn.State {
	if w.OneWay {
		return conn.NoState
	}
	return c.State
}

// serviceName is "" where the service is unset.
func serviceName(c *conn.Conn) string {
	if c.Has(conn.Service) {
		return c.Service
	}
	return ""
}
