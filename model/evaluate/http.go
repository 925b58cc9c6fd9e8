package evaluate

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/httplog"
)

func request(r *Row) *httplog.Request { return r.Value.(*httplog.Request) }

func requestNumber(name string, value func(*httplog.Request) float64) Column {
	return Column{Name: name, Number: func(r *Row) float64 { return value(request(r)) }}
}

func requestWord(name string, value func(*httplog.Request) string) Column {
	return Column{Name: name, Word: func(r *Row) string { return unsetOr(value(request(r)) != "", value(request(r))) }}
}

// HTTPColumns are the columns of http.log that rules look at.
var HTTPColumns = []Column{
	requestNumber("request_body_len", func(q *httplog.Request) float64 { return float64(q.RequestLength) }),
	requestNumber("response_body_len", func(q *httplog.Request) float64 { return float64(q.ResponseLength) }),
	requestNumber("length of uri", func(q *httplog.Request) float64 { return float64(len(q.URI)) }),
	requestNumber("length of user_agent", func(q *httplog.Request) float64 { return float64(len(q.UserAgent)) }),
	OrigPort,
	RespPort,
	requestWord("method", func(q *httplog.Request) string { return q.Method }),
	requestWord("host", func(q *httplog.Request) string { return q.Host }),
	requestWord("user_agent", func(q *httplog.Request) string { return q.UserAgent }),
	Column{Name: "status_code", Word: func(r *Row) string {
		return unsetOr(request(r).Has(httplog.StatusCode), fmt.Sprint(request(r).StatusCode))
	}},
	requestWord("orig_mime_types", func(q *httplog.Request) string { return q.RequestType }),
	requestWord("resp_mime_types", func(q *httplog.Request) string { return q.ResponseType }),
	Service,
}
