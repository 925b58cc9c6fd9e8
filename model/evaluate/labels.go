package evaluate

import (
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// Labels says which values of a label column mean an anomaly and which mean
// normal, upper and lower case alike, spaces around them aside. Rows with other
// values are left out: "Background" flows are unlabelled, and counting them as
// benign decides the result.
type Labels struct{ Anomalous, Normal []string }

// CommonLabels are the words of the labelled logs that one meets.
var CommonLabels = Labels{
	Anomalous: []string{"malicious", "attack", "anomaly", "anomalous", "1", "t", "true"},
	Normal:    []string{"benign", "normal", "0", "f", "false"},
}

// Label is what a row's label means.
type Label uint8

// The meanings.
const (
	LeftOut Label = iota
	Normal
	Anomalous
)

// Of returns the meaning of a value.
func (l Labels) Of(value string) Label {
	value = strings.TrimSpace(value)
	is := func(word string) bool { return strings.EqualFold(strings.TrimSpace(word), value) }
	switch {
	case slices.ContainsFunc(l.Anomalous, is):
		return Anomalous
	case slices.ContainsFunc(l.Normal, is):
		return Normal
	}
	return LeftOut
}

// Row is a labelled row: a connection or, of another log than conn.log, when it
// was and between whom.
type Row struct {
	Conn    conn.Conn
	Value   any    // of another log: the row, as its kind has it; else nil
	Name    uint64 // the same: what it is about beside its endpoints, as a code
	Anomaly bool
	Family  string // of an anomaly: which attack; "" if that is not known

	// Campaign is what belongs together of the attacks, "" of a normal row and
	// where it is not known.
	Campaign string
}

// absent returns the fields for which the log has no column, as its kind has them.
func (r *Row) absent() uint64 {
	switch v := r.Value.(type) {
	case *dnslog.Query:
		return uint64(v.Absent)
	case *httplog.Request:
		return uint64(v.Absent)
	case *ssllog.Handshake:
		return uint64(v.Absent)
	}
	return uint64(r.Conn.Absent)
}

// lack makes the row that of a log without columns for these fields.
func (r *Row) lack(fields uint64) {
	switch v := r.Value.(type) {
	case *dnslog.Query:
		v.Absent, v.Set = dnslog.Fields(fields), v.Set&^dnslog.Fields(fields)
	case *httplog.Request:
		v.Absent, v.Set = httplog.Fields(fields), v.Set&^httplog.Fields(fields)
	case *ssllog.Handshake:
		v.Absent, v.Set = ssllog.Fields(fields), v.Set&^ssllog.Fields(fields)
	default:
		r.Conn.Absent, r.Conn.Set = conn.Fields(fields), r.Conn.Set&^conn.Fields(fields)
	}
}
