package learn

import (
	"encoding/binary"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

const day = conn.Micros(86400e6)

// A sensor that learns by itself would learn an attack, given time. So a new
// kind of connection shapes no model until it is a day old and three
// originators have made it, or a week old: what the whole network, or the
// whole Internet, does day after day is normal here; what one source does, at
// whatever volume, is not, before somebody has had a week to look at it. On
// the first day everything is admitted, else there would be no model; there
// the cells alone keep the volume of an attack from counting.
const (
	quarantineOpens = day // after the first row
	quarantineFew   = day // by three originators or more
	quarantineOne   = 7 * day
	quarantineHosts = 3
)

// forgottenAfter is how long a kind of connection shapes models after it was
// last seen.
const forgottenAfter = 30 * day

// quarantine is when, and by whom, a kind of connection was seen.
type quarantine struct {
	first, last conn.Micros
	hosts       [quarantineHosts]uint32 // hashes of originators; 0 is none
}

// see notes a row of the kind and reports whether the kind is admitted. begun
// is when the stream began.
func (q *quarantine) see(c *conn.Conn, begun conn.Micros) bool {
	if q.hosts[0] == 0 {
		q.first = c.TS
	}
	q.last = c.TS
	host := hostHash(c)
	n := 0
	for n < len(q.hosts) && q.hosts[n] != 0 && q.hosts[n] != host {
		n++
	}
	if n < len(q.hosts) {
		q.hosts[n] = host
	}
	age, since := c.TS-q.first, q.first-begun
	return -day < since && since < quarantineOpens ||
		age >= quarantineFew && q.hosts[quarantineHosts-1] != 0 || age >= quarantineOne
}

// hostHash is not zero. Who finds addresses with the same hash makes himself
// fewer, which does not help him.
func hostHash(c *conn.Conn) uint32 {
	a := c.Orig.Addr().As16()
	h := binary.BigEndian.Uint64(a[:8])*0x9e3779b97f4a7c15 ^ binary.BigEndian.Uint64(a[8:])
	h *= 0x94d049bb133111eb
	return uint32(h>>32) | 1
}
