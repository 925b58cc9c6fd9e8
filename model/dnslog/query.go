package dnslog

import (
	"errors"
	"math"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Query is a row of dns.log: a query and its answer.
type Query struct {
	conn.Seen
	RTT   conn.Micros
	Query string // as it is logged
	QType uint64
	RCode uint64

	Answers     uint32 // at most MaxAnswers
	AnswerBytes uint32 // of the answers that count, of each the first MaxText
	LeastTTL    conn.Micros

	Set    Fields // those with a value
	Absent Fields // those for which the log has no column
}

// Fields are fields of a Query that may be unset, as bits.
type Fields uint8

// The fields.
const (
	RTT Fields = 1 << iota
	QueryName
	QType
	RCode
	Answers
	TTLs
)

// FieldNames are the columns of Fields, by their bits.
var FieldNames = [...]string{"rtt", "query", "qtype", "rcode", "answers", "TTLs"}

// Bounds of what counts.
const (
	MaxText    = 1024
	MaxAnswers = 100
)

// Has reports whether the field has a value.
func (q *Query) Has(f Fields) bool { return q.Set&f != 0 }

// NXDomain reports whether the answer says that there is no such name.
func (q *Query) NXDomain() bool { return q.Has(RCode) && q.RCode == nxdomain }

const nxdomain = 3

// AddAnswer adds one of the answers.
func (q *Query) AddAnswer(text string) {
	q.Set |= Answers
	if q.Answers < MaxAnswers {
		q.Answers++
		q.AnswerBytes += textLength(text)
	}
}

// AddTTL adds one of the TTLs, which stand in the order of the answers.
func (q *Query) AddTTL(ttl conn.Micros) {
	if !q.Has(TTLs) || ttl < q.LeastTTL {
		q.LeastTTL = ttl
	}
	q.Set |= TTLs
}

// Check reports what of q no dns.log can hold and no row can be made of.
func (q *Query) Check() error {
	switch {
	case q.Has(RTT) && q.RTT < 0:
		return errors.New("rtt is negative")
	case q.Has(TTLs) && q.LeastTTL < 0:
		return errors.New("a TTL is negative")
	case q.Has(QType) && q.QType > math.MaxUint16:
		return errors.New("qtype is no type of DNS: 0 to 65535")
	case q.Has(RCode) && q.RCode > math.MaxUint16:
		return errors.New("rcode is no code of DNS: 0 to 65535")
	}
	return nil
}
