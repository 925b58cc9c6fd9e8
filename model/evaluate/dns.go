package evaluate

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
)

func query(r *Row) *dnslog.Query { return r.Value.(*dnslog.Query) }

func queryNumber(name string, field dnslog.Fields, value func(*dnslog.Query) float64) Column {
	return Column{Name: name, Number: func(r *Row) float64 {
		if q := query(r); q.Has(field) {
			return value(q)
		}
		return -1
	}}
}

func queryWord(name string, value func(*dnslog.Query) string) Column {
	return Column{Name: name, Word: func(r *Row) string { return value(query(r)) }}
}

// DNSColumns are the columns of dns.log that rules look at, and the lengths of
// its texts: "a long name is a tunnel" is the rule that a score has to beat.
var DNSColumns = []Column{
	queryNumber("rtt", dnslog.RTT, func(q *dnslog.Query) float64 { return float64(q.RTT) }),
	queryNumber("length of query", dnslog.QueryName, func(q *dnslog.Query) float64 { return float64(len(q.Query)) }),
	queryNumber("answers", dnslog.Answers, func(q *dnslog.Query) float64 { return float64(q.Answers) }),
	queryNumber("length of answers", dnslog.Answers, func(q *dnslog.Query) float64 { return float64(q.AnswerBytes) }),
	queryNumber("TTLs", dnslog.TTLs, func(q *dnslog.Query) float64 { return float64(q.LeastTTL) }),
	OrigPort,
	RespPort,
	queryWord("qtype", func(q *dnslog.Query) string { return unsetOr(q.Has(dnslog.QType), fmt.Sprint(q.QType)) }),
	queryWord("rcode", func(q *dnslog.Query) string { return unsetOr(q.Has(dnslog.RCode), fmt.Sprint(q.RCode)) }),
	Service,
}
