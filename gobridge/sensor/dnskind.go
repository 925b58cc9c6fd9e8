package sensor

import (
	"fmt"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// dnsKind are rows of dns.log.
type dnsKind struct {
	dnslog.Record
	contexts names
	name     []byte // the latest's: Zeek's is gone when a reason is asked for
}

// dnsNameKept is how much of a name is kept: dnslog.MaxText bytes as they
// count, each as \xNN.
const dnsNameKept = 4 * dnslog.MaxText

func newDNSKind(hosts int) *dnsKind {
	return &dnsKind{Record: dnslog.Record{Rows: dnslog.NewRows(hosts)}, name: make([]byte, 0, dnsNameKept)}
}

// dnsFields are the fields of DNS::Info that a Query is made of.
var dnsFields = fieldsOf(
	Field{"rtt", Interval, false},
	Field{"query", String, false},
	Field{"qtype", Count, false},
	Field{"rcode", Count, false},
	Field{"answers", Strings, false},
	Field{"TTLs", Intervals, false},
)

func (k *dnsKind) Set() *feature.Set { return dnslog.Set }
func (k *dnsKind) Fields() []Field   { return dnsFields }

func (k *dnsKind) Read(v []Value) error {
	for _, i := range [...]int{0, 5} {
		if v[i].Set && !finite(v[i].Real) {
			return fmt.Errorf("%s is not a number: %v", dnsFields[i].Name, v[i].Real)
		}
	}
	q := &k.Query
	*q = dnslog.Query{Seen: seen(v, &k.contexts)}
	for i, f := range [...]dnslog.Fields{5: dnslog.RTT, 6: dnslog.QueryName, 7: dnslog.QType, 8: dnslog.RCode} {
		if v[i].Set {
			q.Set |= f
		}
	}
	if v[5].Set {
		q.RTT = conn.FromSeconds(v[5].Real)
	}
	if v[6].Set {
		text := v[6].Text
		k.name = append(k.name[:0], text[:min(len(text), dnsNameKept)]...)
		q.Query = unsafe.String(unsafe.SliceData(k.name), len(k.name)) // until the next row
	}
	if v[7].Set {
		q.QType = v[7].Number
	}
	if v[8].Set {
		q.RCode = v[8].Number
	}
	for _, text := range v[9].Texts {
		q.AddAnswer(text)
	}
	for _, ttl := range v[10].Reals {
		if !finite(ttl) {
			return fmt.Errorf("a TTL is not a number: %v", ttl)
		}
		q.AddTTL(conn.FromSeconds(ttl))
	}
	return nil
}

func (k *dnsKind) Novel(e *feature.Encoder, r *feature.Row) (what, name string) {
	if dnslog.KnowsType(e, r) {
		return "", ""
	}
	return "a query type", k.Query.TypeName()
}

func (k *dnsKind) Places() int { return k.Rows.Places() }

func (k *dnsKind) AppendState(dst []byte, from, n int) []byte {
	return k.Rows.AppendState(dst, from, n)
}

func (k *dnsKind) Restore(states [][]byte) (adopt func(), err error) {
	rows, err := dnslog.RestoreRows(k.Rows.Cap(), states...)
	return func() { k.Rows = rows }, err
}
