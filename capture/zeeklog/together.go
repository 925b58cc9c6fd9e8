package zeeklog

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// Clock tells when the row at hand of a log was written, for logs that are read
// together: when its connection ended, else its ts. A log is not quite in this order,
// and its own counts: a row that is earlier than the one before it, or that cannot be
// read, has the time of that one.
type Clock struct{ at conn.Micros }

// Written returns that time.
func (c *Clock) Written() conn.Micros { return c.at }

// Conn sets it to that of a row of conn.log.
func (c *Clock) Conn(of *conn.Conn) { c.at = max(c.at, of.End()) }

// Fields sets it to that of a row of another log. ts is the first column of each schema.
func (c *Clock) Fields(fields []Field) {
	if ts, err := fields[0].Time(); err == nil {
		c.at = max(c.at, ts)
	}
}

// Together is one of several logs that are read together.
type Together interface {
	// Fill reads the next row where the one before was taken. It reports whether
	// there is one.
	Fill() (bool, error)
	// Written is when that row was written.
	Written() conn.Micros
}

// Earliest returns the log whose row at hand was written first, of equal ones the
// first; ok is false where no log has one.
func Earliest[L Together](logs []L) (first L, ok bool, err error) {
	for _, l := range logs {
		has, err := l.Fill()
		if err != nil {
			return first, false, err
		}
		if has && (!ok || l.Written() < first.Written()) {
			first, ok = l, true
		}
	}
	return first, ok, nil
}
