package capture

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// statusInterval is connection_status_update_interval of scripts/long.zeek.
// Looks are taken when Zeek's own timer of that name falls due, which it has
// for each connection then (src/session/Session.cc).
const statusInterval = 10 * minute

// out is a row to read: of a connection that was removed or, where look is not
// 0, of one that goes on.
type out struct {
	c       *connection
	look    conn.Micros // the age that it has passed
	service string      // as its packets up to then have shown
	clock   float64
}

// watch arms a new connection's status timer, if somebody looks.
func (t *table) watch(c *connection) {
	if len(t.options.Looks) > 0 {
		t.timers.arm(c, statusTimer, t.clock+statusInterval.Seconds())
	}
}

// look looks at a connection if it has passed another of the ages. The packet
// at which the timer fell due is part of what is seen of it, but for the
// service: Zeek's event stands in line before that packet's.
func (t *table) look(c *connection) {
	if age := conn.Passed(t.options.Looks, conn.FromSeconds(t.clock-c.start.Seconds())); age > c.looked {
		c.looked = age
		o := out{c: c, look: age, clock: t.clock}
		if c.detector != nil {
			o.service = c.detector.Name()
		}
		t.out = append(t.out, o)
	}
	t.timers.arm(c, statusTimer, t.clock+statusInterval.Seconds())
}

// fillLook writes a connection that goes on as a row. Its duration is its age,
// also where nothing has come for long.
func (t *table) fillLook(o *out, row *conn.Conn) {
	t.fill(o.c, row)
	row.Look = o.look
	row.Service, row.Set = o.service, row.Set&^conn.Service|conn.Duration
	if o.service != "" {
		row.Set |= conn.Service
	}
	row.Duration = conn.FromSeconds(o.clock - o.c.start.Seconds())
}
