package sensor

import (
	"fmt"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Kind is what a Sensor has to know of a log: the record of its rows, how they
// are read, and what is remembered of them. Its methods do not allocate, but for
// what is rare.
type Kind interface {
	stream.Record
	// Set is what the rows become.
	Set() *feature.Set
	// Fields are those of Zeek's record that Read takes, in this order.
	Fields() []Field
	// Read takes a row over, as many values as Fields. It keeps no text.
	Read(values []Value) error
	// Novel is what of the row the model has never met, where many such rows say
	// that the traffic has changed: "a service" and its name; "" for nothing.
	Novel(e *feature.Encoder, r *feature.Row) (what, name string)

	// Memory is what Observe counted; Restore reads what it appended, which adopt
	// then takes into use.
	learn.Memory
	Restore(states [][]byte) (adopt func(), err error)
}

// Field is a field of a record of Zeek's.
type Field struct {
	Name     string // "ts", "id.orig_h"
	Type     Type
	Required bool // a row without it cannot be scored
}

// Type is how Zeek holds a field: enum iforest_type of gobridge/iforest_abi.h.
type Type uint32

// The types.
const (
	Time      Type = iota // Value.Real, seconds since the epoch
	Interval              // Value.Real, seconds
	Double                // Value.Real
	Count                 // Value.Number
	Port                  // Value.Number, without the transport
	Bool                  // Value.Number, 0 or 1
	Enum                  // Value.Number, of the enum
	String                // Value.Text
	Addr                  // Value.Address, IPv4 as ::ffff:a.b.c.d
	Strings               // Value.Texts: a vector of strings
	Intervals             // Value.Reals: a vector of intervals
	Context               // Value.Text: of a record, see conn.AppendContext
	Types
)

// MaxElements is how many elements of a vector are looked at: as many as Zeek
// logs from 8.1 on.
const MaxElements = dnslog.MaxAnswers

// Value is the value of a field. Text, Texts and Reals may point into memory that
// is Zeek's; of these two there are at most MaxElements.
type Value struct {
	Set     bool
	Real    float64
	Number  uint64
	Text    string
	Address [16]byte
	Texts   []string
	Reals   []float64
}

// MaxFields bounds the fields of a Kind, and the uid.
const MaxFields = 64

// maxUID is how much of a uid is kept: Zeek's have 18 bytes.
const maxUID = 64

// KindOf makes the kind of rows of a log, with memory for so many hosts.
func KindOf(log string, hosts int) (Kind, error) {
	switch log {
	case feature.Conn.Log:
		return newConnKind(hosts), nil
	case dnslog.Set.Log:
		return newDNSKind(hosts), nil
	case httplog.Set.Log:
		return newHTTPKind(hosts), nil
	case ssllog.Set.Log:
		return newSSLKind(hosts), nil
	}
	return nil, &Error{NotDone, fmt.Errorf("rows of %s.log cannot be scored by this library", log)}
}

// connKind are rows of conn.log.
type connKind struct {
	stream.Conn
	names  names
	conn   conn.Conn // the latest
	record Record    // of Read
}

func newConnKind(hosts int) *connKind {
	k := &connKind{Conn: *stream.NewConns(feature.NewHosts(hosts))}
	k.Of(&k.conn)
	return k
}

func (k *connKind) Set() *feature.Set { return feature.Conn }
func (k *connKind) Fields() []Field   { return connFields }

func (k *connKind) Read(values []Value) error {
	k.record.set(values)
	return k.take(&k.record)
}

// take takes over the connection of a record.
func (k *connKind) take(r *Record) error { return r.fill(&k.conn, &k.names) }

func (k *connKind) Novel(e *feature.Encoder, r *feature.Row) (what, name string) {
	if e.Knows(feature.ServiceCode, r.Codes[feature.ServiceCode]) {
		return "", ""
	}
	return "a service", k.conn.Service
}

func (k *connKind) Places() int { return k.Hosts.Places() }

func (k *connKind) AppendState(dst []byte, from, n int) []byte {
	return k.Hosts.AppendState(dst, from, n)
}

func (k *connKind) Restore(states [][]byte) (adopt func(), err error) {
	hosts, err := feature.RestoreHosts(k.Hosts.Cap(), states...)
	return func() { k.Hosts = hosts }, err
}

// open makes the sensor of a kind.
func open(k Kind) *Sensor {
	s := &Sensor{
		kind:   k,
		fields: append(slices.Clone(k.Fields()), uidField),
		shared: &shared{Policy: alerts.New(0)},
		reason: make([]byte, 0, 1024),
		uid:    make([]byte, 0, maxUID),
	}
	s.incident = func(i *alerts.Incident) { s.tell(Event{Kind: Incident, Incident: *i}) }
	s.details = s.detail
	return s
}
