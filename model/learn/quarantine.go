package learn

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
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
func (q *quarantine) see(r *feature.Row, begun conn.Micros) bool {
	if q.hosts[0] == 0 {
		q.first = r.TS
	}
	q.last = r.TS
	n := 0
	for n < len(q.hosts) && q.hosts[n] != 0 && q.hosts[n] != r.Host {
		n++
	}
	if n < len(q.hosts) {
		q.hosts[n] = r.Host
	}
	age, since := r.TS-q.first, q.first-begun
	return -day < since && since < quarantineOpens ||
		age >= quarantineFew && q.hosts[quarantineHosts-1] != 0 || age >= quarantineOne
}
