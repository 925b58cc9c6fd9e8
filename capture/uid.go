package capture

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// uid is a connection's identity as Zeek gives it: 96 bits, "C" and base 62 in
// the log (src/UID.cc). Zeek draws them at random; here they are computed from
// the connection, so that a capture read again has the same ones.
type uid struct {
	hi uint64
	lo uint32
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// newUID makes the identity of the serial'th connection (or tunnel) of a
// capture, which begins at start.
func newUID(k *key, start conn.Micros, serial uint64) uid {
	a := mix(k.hi1^0x8ebc6af09c88c6e3, k.lo1^0x589965cc75374cc3)
	b := mix(k.hi2^0x1d8e4e27c47d124f, k.lo2^0xeb44accab455d165)
	ports := uint64(k.port1)<<32 | uint64(k.port2)<<8 | uint64(k.proto)
	c := mix(ports^a^0x9e3779b97f4a7c15, uint64(start)^b)
	d := mix(c^serial, 0xa0761d6478bd642f^b)
	return uid{hi: mix(c^0xe7037ed1a0b428db, d+serial), lo: uint32(mix(d^a, 0x8ebc6af09c88c6e3^c))}
}

// String returns the uid as conn.log has it.
func (u uid) String() string {
	var buf [20]byte
	i := len(buf)
	for _, v := range [2]uint64{uint64(u.lo), u.hi} {
		for {
			i--
			buf[i] = base62[v%62]
			if v /= 62; v == 0 {
				break
			}
		}
	}
	i--
	buf[i] = 'C'
	return string(buf[i:])
}
