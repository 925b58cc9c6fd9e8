package stream

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Conn is a row of conn.log.
type Conn struct {
	*conn.Conn
	Hosts  *feature.Hosts // are counted in; nil: nothing is, and Window stays
	Texts  *feature.Texts // may be nil; not for several goroutines
	Window feature.Window // after Observe or Peek
}

// NewConns returns the record of connections that are counted in hosts. Its
// connection is set before each row.
func NewConns(hosts *feature.Hosts) *Conn {
	return &Conn{Hosts: hosts, Texts: feature.NewTexts()}
}

// Of returns the record with that connection.
func (c *Conn) Of(of *conn.Conn) *Conn {
	c.Conn = of
	return c
}

// Check is feature.Check.
func (c *Conn) Check() error { return feature.Check(c.Conn) }

// Observe counts the connection in its originator's window, or peeks at that
// where it goes on.
func (c *Conn) Observe() {
	if c.Hosts != nil {
		c.Window = c.Hosts.Next(c.Conn)
	}
}

// Peek looks at that window.
func (c *Conn) Peek() {
	if c.Hosts != nil {
		c.Window = c.Hosts.Peek(c.Conn)
	}
}

// Encode writes what the connection is in its window.
func (c *Conn) Encode(r *feature.Row) { r.SetConn(c.Conn, c.Window, c.Texts) }

// AppendValue is feature.AppendConn.
func (c *Conn) AppendValue(dst []byte, e *feature.Encoder, i int) []byte {
	return e.AppendConn(dst, i, c.Conn, c.Window)
}

// Subject returns the connection.
func (c *Conn) Subject() *conn.Conn { return c.Conn }
