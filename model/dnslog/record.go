package dnslog

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Record is a row of dns.log on its way through a stream (model/stream). Records
// share what their Rows remember.
type Record struct {
	Query Query // set before each row

	Rows    *Rows
	window  Window
	row     feature.Row
	subject conn.Conn
}

// Check is Query.Check.
func (r *Record) Check() error { return r.Query.Check() }

// Observe counts the query.
func (r *Record) Observe() { r.window = r.Rows.Observe(&r.row, &r.Query) }

// Peek counts nothing.
func (r *Record) Peek() { r.window = r.Rows.Peek(&r.row, &r.Query) }

// Encode gives what the query is.
func (r *Record) Encode(to *feature.Row) { *to = r.row }

// AppendValue is Append.
func (r *Record) AppendValue(dst []byte, e *feature.Encoder, i int) []byte {
	return Append(dst, e, i, &r.Query, &r.window)
}

// Subject returns the query as a connection.
func (r *Record) Subject() *conn.Conn {
	r.subject = r.Query.Conn(conn.UDP)
	return &r.subject
}

// About is dns.log and the query's registered domain.
func (r *Record) About() (log string, name uint64) { return Set.Log, r.window.Name() }

// Cold reports whether queries that the row was counted with may be missing.
func (r *Record) Cold() bool { return r.row.Cold }

// Lacks returns the features for which the log has no column, bit i for Set.Features[i].
func (r *Record) Lacks() uint32 { return Without(r.Query.Absent) }
