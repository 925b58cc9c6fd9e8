package httplog

import (
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Record is a row of http.log on its way through a stream (model/stream). Records
// share what their Rows remember.
type Record struct {
	Request Request // set before each row

	Rows    *Rows
	window  feature.Window
	row     feature.Row
	subject conn.Conn
}

// Check finds no fault: any row can be scored.
func (r *Record) Check() error { return nil }

// Observe counts the request.
func (r *Record) Observe() { r.window = r.Rows.Observe(&r.Request, &r.row) }

// Peek counts nothing.
func (r *Record) Peek() { r.window = r.Rows.Peek(&r.Request, &r.row) }

// Encode gives what the request is.
func (r *Record) Encode(to *feature.Row) { *to = r.row }

// AppendValue is Append.
func (r *Record) AppendValue(dst []byte, e *feature.Encoder, i int) []byte {
	return Append(dst, e, i, &r.Request, &r.window)
}

// Subject returns the request as a connection.
func (r *Record) Subject() *conn.Conn {
	r.subject = r.Request.Conn(conn.TCP)
	return &r.subject
}

// About is http.log and nothing beside the endpoints.
func (r *Record) About() (log string, name uint64) { return Set.Log, 0 }

// Cold reports whether requests that the row was counted with may be missing.
func (r *Record) Cold() bool { return r.row.Cold }

// Lacks returns the features for which the log has no column, bit i for Set.Features[i].
func (r *Record) Lacks() uint32 { return r.row.Absent }
