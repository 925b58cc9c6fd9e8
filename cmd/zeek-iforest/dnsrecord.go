package main

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
)

// dnsKind is dns.log.
var dnsKind = logKind{
	set: dnslog.Set,
	schema: &zeeklog.Schema{
		Log:      "dns",
		Columns:  append(slices.Clip(seenColumns), "proto", "rtt", "query", "qtype", "rcode", "answers", "TTLs"),
		Required: []string{"ts", "id.orig_h", "id.resp_h"},
		Telling:  []string{"query", "qtype", "rcode"},
	},
	header: []string{"query", "type", "answer"},
	rules:  evaluate.DNSColumns,
	drills: evaluate.DNSAttacks,
	open: func(hosts int) func() logRow {
		rows := dnslog.NewRows(hosts)
		return func() logRow { return &dnsRecord{dnslog.Record{Rows: rows}} }
	},
}

// The columns of its schema behind seenColumns.
const (
	dnsProto = iota + seenEnd
	dnsRTT
	dnsQuery
	dnsQType
	dnsRCode
	dnsAnswers
	dnsTTLs
)

// dnsRecord is a row of dns.log.
type dnsRecord struct{ dnslog.Record }

// dnsFields are the fields that can be unset, by their columns.
var dnsFields = [...]struct {
	column int
	bit    dnslog.Fields
}{{dnsRTT, dnslog.RTT}, {dnsQuery, dnslog.QueryName}, {dnsQType, dnslog.QType}, {dnsRCode, dnslog.RCode}, {dnsAnswers, dnslog.Answers}, {dnsTTLs, dnslog.TTLs}}

func (r *dnsRecord) take(fields []zeeklog.Field) error {
	q := &r.Query
	v := fieldValues{columns: dnsKind.schema.Columns, fields: fields}
	*q = dnslog.Query{Seen: v.seen()}
	for _, f := range dnsFields {
		if field := &fields[f.column]; field.Absent() {
			q.Absent |= f.bit
		} else if field.IsSet() {
			q.Set |= f.bit
		}
	}
	q.RTT = read(&v, dnsRTT, false, (*zeeklog.Field).Seconds)
	q.QType = read(&v, dnsQType, false, (*zeeklog.Field).Count)
	q.RCode = read(&v, dnsRCode, false, (*zeeklog.Field).Count)
	if q.Has(dnslog.QueryName) {
		q.Query = fields[dnsQuery].Text()
	}
	q.Set &^= dnslog.Answers | dnslog.TTLs // an empty vector is none
	v.elements(dnsAnswers, func(text string) error { q.AddAnswer(text); return nil })
	v.elements(dnsTTLs, func(text string) error {
		ttl, err := zeeklog.ParseSeconds(text)
		q.AddTTL(ttl)
		return err
	})
	return v.err
}

func (r *dnsRecord) alike() kind {
	q := &r.Query
	return kind{orig: q.Orig.Addr(), resp: q.Resp.Addr(), context: q.Context, service: dnslog.Domain(q.Query) + " " + q.TypeName()}
}

func (r *dnsRecord) cells() []string {
	q := &r.Query
	return []string{printable(q.Query), q.TypeName(), q.CodeName()}
}

// printable returns a text for a table: shortened, and \xNN for what is no letter
// there.
func printable(text string) string { return string(dnslog.AppendPrintable(nil, text)) }

var errUnset = errors.New("is unset")

// fieldValues reads the fields of a row; the first error stays.
type fieldValues struct {
	columns []string
	fields  []zeeklog.Field
	err     error
}

func (v *fieldValues) fail(i int, err error) {
	if err != nil && v.err == nil {
		v.err = &zeeklog.Error{Field: v.columns[i], Err: err}
	}
}

// read returns the value of the field i, zero where it has none.
func read[T any](v *fieldValues, i int, required bool, parse func(*zeeklog.Field) (T, error)) (value T) {
	f := &v.fields[i]
	if !f.IsSet() {
		if required {
			v.fail(i, errUnset)
		}
		return value
	}
	value, err := parse(f)
	v.fail(i, err)
	return value
}

// endpoint returns an address, which each row has, and its port.
func (v *fieldValues) endpoint(host, port int) netip.AddrPort {
	addr := read(v, host, true, (*zeeklog.Field).Addr)
	return netip.AddrPortFrom(addr, read(v, port, false, (*zeeklog.Field).Port))
}

// elements hands over those of a vector.
func (v *fieldValues) elements(i int, each func(string) error) {
	if !v.fields[i].IsSet() {
		return
	}
	err := v.fields[i].Elements(func(text string) { v.fail(i, each(text)) })
	v.fail(i, err)
}

// text returns the value of a string, or "" if it is unset.
func (v *fieldValues) text(i int) string {
	if !v.fields[i].IsSet() {
		return ""
	}
	return v.fields[i].Text()
}
