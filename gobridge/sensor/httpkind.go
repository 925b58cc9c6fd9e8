package sensor

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
)

// httpKind are rows of http.log.
type httpKind struct {
	httplog.Record
	texts    kept
	methods  names // told as news
	contexts names
}

func newHTTPKind(hosts int) *httpKind {
	return &httpKind{Record: httplog.Record{Rows: httplog.NewRows(hosts)}}
}

// httpFields are the fields of HTTP::Info that a Request is made of.
var httpFields = fieldsOf(
	Field{"method", String, false},
	Field{"host", String, false},
	Field{"uri", String, false},
	Field{"user_agent", String, false},
	Field{"status_code", Count, false},
	Field{"request_body_len", Count, false},
	Field{"response_body_len", Count, false},
	Field{"orig_mime_types", Strings, false},
	Field{"resp_mime_types", Strings, false},
)

func (k *httpKind) Set() *feature.Set { return httplog.Set }
func (k *httpKind) Fields() []Field   { return httpFields }

func (k *httpKind) Read(v []Value) error {
	if !finite(v[0].Real) {
		return fmt.Errorf("ts is not a time: %v", v[0].Real)
	}
	k.texts.clear()
	text := func(i int) string { return k.texts.keep(&v[i]) }
	first := func(i int) string {
		if len(v[i].Texts) == 0 {
			return ""
		}
		return k.texts.keep(&Value{Set: v[i].Set, Text: v[i].Texts[0]})
	}
	k.Request = httplog.Request{
		Seen:           seen(v, &k.contexts),
		Method:         text(5),
		Host:           text(6),
		URI:            text(7),
		UserAgent:      text(8),
		StatusCode:     v[9].Number,
		RequestLength:  v[10].Number,
		ResponseLength: v[11].Number,
		RequestType:    first(12),
		ResponseType:   first(13),
	}
	for i, f := range [...]httplog.Fields{9: httplog.StatusCode, 10: httplog.RequestLength, 11: httplog.ResponseLength} {
		if v[i].Set {
			k.Request.Set |= f
		}
	}
	return nil
}

func (k *httpKind) Novel(e *feature.Encoder, r *feature.Row) (what, name string) {
	if e.Knows(httplog.MethodCode, r.Codes[httplog.MethodCode]) {
		return "", ""
	}
	return "a method", k.methods.of(k.Request.Method)
}

func (k *httpKind) Places() int { return k.Rows.Hosts.Places() }

func (k *httpKind) AppendState(dst []byte, from, n int) []byte {
	return k.Rows.Hosts.AppendState(dst, from, n)
}

func (k *httpKind) Restore(states [][]byte) (adopt func(), err error) {
	hosts, err := feature.RestoreHosts(k.Rows.Hosts.Cap(), states...)
	return func() { k.Rows.Hosts = hosts }, err
}
