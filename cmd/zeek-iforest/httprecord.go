package main

import (
	"slices"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
)

// httpKind is http.log. Columns that sip.log has too do not tell it, and of what
// does a JSON row that lacks all the rest has its tags, if none.
var httpKind = logKind{
	set: httplog.Set,
	schema: &zeeklog.Schema{
		Log: "http",
		Columns: append(slices.Clip(seenColumns),
			"method", "host", "uri", "user_agent",
			"status_code", "request_body_len", "response_body_len", "orig_mime_types", "resp_mime_types", "tags",
		),
		Required: seenRequired,
		Telling:  []string{"host", "orig_mime_types", "resp_mime_types", "tags"},
	},
	header: []string{"request", "host", "status"},
	rules:  evaluate.HTTPColumns,
	drills: evaluate.HTTPAttacks,
	open: func(hosts int) func() logRow {
		rows := httplog.NewRows(hosts)
		return func() logRow { return &httpRecord{httplog.Record{Rows: rows}} }
	},
}

// The columns of its schema behind seenColumns.
const (
	httpMethod = iota + seenEnd
	httpHost
	httpURI
	httpUserAgent
	httpStatus
	httpRequestLength
	httpResponseLength
	httpRequestTypes
	httpResponseTypes
)

// httpRecord is a row of http.log.
type httpRecord struct{ httplog.Record }

// httpFields are the fields without whose columns features say nothing.
var httpFields = [...]struct {
	column int
	bit    httplog.Fields
}{
	{httpMethod, httplog.Method}, {httpHost, httplog.Host}, {httpURI, httplog.URI}, {httpUserAgent, httplog.UserAgent},
	{httpStatus, httplog.StatusCode}, {httpRequestLength, httplog.RequestLength}, {httpResponseLength, httplog.ResponseLength},
	{httpRequestTypes, httplog.RequestType}, {httpResponseTypes, httplog.ResponseType},
}

func (r *httpRecord) take(fields []zeeklog.Field) error {
	v := fieldValues{columns: httpKind.schema.Columns, fields: fields}
	q := &r.Request
	*q = httplog.Request{
		Seen:           v.seen(),
		Method:         v.text(httpMethod),
		Host:           v.text(httpHost),
		URI:            v.text(httpURI),
		UserAgent:      v.text(httpUserAgent),
		StatusCode:     read(&v, httpStatus, false, (*zeeklog.Field).Count),
		RequestLength:  read(&v, httpRequestLength, false, (*zeeklog.Field).Count),
		ResponseLength: read(&v, httpResponseLength, false, (*zeeklog.Field).Count),
		RequestType:    v.first(httpRequestTypes),
		ResponseType:   v.first(httpResponseTypes),
	}
	for _, f := range httpFields {
		if field := &fields[f.column]; field.Absent() {
			q.Absent |= f.bit
		} else if field.IsSet() {
			q.Set |= f.bit
		}
	}
	return v.err
}

// first returns the first element of a vector, or "" if there is none.
func (v *fieldValues) first(i int) (text string) {
	n := 0
	v.elements(i, func(element string) error {
		if n++; n == 1 {
			text = element
		}
		return nil
	})
	return text
}

func (r *httpRecord) alike() kind {
	q := &r.Request
	return kind{orig: q.Orig.Addr(), resp: q.Resp.Addr(), context: q.Context, service: q.Site() + " " + q.Method}
}

func (r *httpRecord) cells() []string {
	q := &r.Request
	request := append(feature.AppendPrintable(nil, q.Method), ' ')
	return []string{string(feature.AppendPrintable(request, q.URI)), string(feature.AppendPrintable(nil, q.Host)), q.StatusName()}
}
