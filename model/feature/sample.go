package feature

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// Sample is what a learner keeps of a connection: the numbers of its vector
// that need no training, and the codes by which its rarities are looked up when
// the tables are frozen. It holds no address.
type Sample struct {
	Vector  Vector // rarities are zero until Finish
	Port    uint16
	Service uint16 // the Counter's code
	Proto   conn.Proto
	State   conn.State
}

// Set keeps a connection, its window and the Counter's code of its service. It
// does not allocate.
func (s *Sample) Set(c *conn.Conn, w Window, service uint16) {
	EncodeNumbers(&s.Vector, c, w)
	s.Vector[protoRarity], s.Vector[serviceRarity], s.Vector[stateRarity], s.Vector[portRarity] = 0, 0, 0, 0
	s.Port, s.Service, s.Proto, s.State = c.Resp.Port(), service, c.Proto, stateCode(c, w)
	if c.Absent != 0 {
		put(&s.Vector, &nothing, Absent(c.Absent))
	}
}

// Finish writes the vector of a sample under the tables of e: what e.Encode
// gives for the same connection. It does not allocate.
func (k *Counter) Finish(v *Vector, s *Sample, e *Encoder) {
	*v = s.Vector
	v[protoRarity] = e.proto(s.Proto, s.State)
	v[stateRarity] = e.states[s.State]
	v[portRarity] = e.port(s.Proto, s.Port)
	if v[serviceRarity] != Nothing {
		v[serviceRarity] = k.serviceRarity(s.Service, e)
	}
	for i, x := range v {
		if x == Nothing {
			v[i] = e.usual[i]
		}
	}
}

func (k *Counter) serviceRarity(code uint16, e *Encoder) float32 {
	if int(code) < len(k.services) { // not otherService
		name := &k.services[code]
		if r, ok := e.services[string(name.name[:name.size])]; ok {
			return r
		}
	}
	return e.unseen
}
