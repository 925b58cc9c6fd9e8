package httplog

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// Request is a row of http.log: a request, an answer, or both.
type Request struct {
	conn.Seen

	Method    string
	Host      string // as the header says it
	URI       string
	UserAgent string

	StatusCode     uint64
	RequestLength  uint64 // request_body_len
	ResponseLength uint64 // response_body_len
	RequestType    string // the first of orig_mime_types
	ResponseType   string // the first of resp_mime_types

	Set    Fields // of those that need it, the ones with a value
	Absent Fields // those for which the log has no column
}

// Fields are fields of a Request, as bits.
type Fields uint16

// The fields.
const (
	Method Fields = 1 << iota
	Host
	URI
	UserAgent
	StatusCode     // in Set
	RequestLength  // in Set
	ResponseLength // in Set
	RequestType
	ResponseType
)

// FieldNames are the columns of Fields, by their bits.
var FieldNames = [...]string{
	"method", "host", "uri", "user_agent",
	"status_code", "request_body_len", "response_body_len", "orig_mime_types", "resp_mime_types",
}

// Has reports whether the field has a value.
func (q *Request) Has(f Fields) bool { return q.Set&f != 0 }

// Failed reports whether the answer is an error, 400 to 599.
func (q *Request) Failed() bool {
	return q.Has(StatusCode) && q.StatusCode >= 400 && q.StatusCode < 600
}
