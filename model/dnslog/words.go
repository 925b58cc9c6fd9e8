package dnslog

import (
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/domain"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Append appends the feature i of a query in the reader's words: "63", "TXT, 1 in
// 200 queries", "pirate.sea, never seen".
func Append(dst []byte, e *feature.Encoder, i int, q *Query, w *Window) []byte {
	if q.Absent != 0 && Without(q.Absent)>>i&1 != 0 {
		return append(dst, "no column"...)
	}
	switch i {
	case rtt:
		if !q.Has(RTT) {
			return append(dst, "unset"...)
		}
		return feature.AppendSeconds(dst, q.RTT.Seconds())
	case length, longestLabel, labels, surprise:
		return appendNameValue(dst, e, i, q)
	case qtypeRarity:
		return e.AppendRarity(appendType(dst, qtypeOf(q)), e.Rarity(qtypeCode, qtypeOf(q)))
	case rcodeRarity:
		return e.AppendRarity(appendRCode(dst, rcodeOf(q)), e.Rarity(rcodeCode, rcodeOf(q)))
	case domainRarity:
		return e.AppendRarity(AppendPrintable(dst, Domain(q.Query)), e.Rarity(domainCode, w.domain))
	case resolverRarity:
		return e.AppendRarity(q.Resp.Addr().AppendTo(dst), e.Rarity(resolverCode, w.resolver))
	case answers, answerBytes:
		switch {
		case !q.Has(Answers):
			return append(dst, "unset"...)
		case i == answers:
			return feature.AppendCount(dst, float64(q.Answers))
		}
		return feature.AppendBytes(dst, float64(q.AnswerBytes))
	case leastTTL:
		if !q.Has(TTLs) {
			return append(dst, "unset"...)
		}
		return feature.AppendSeconds(dst, q.LeastTTL.Seconds())
	case queries:
		return feature.AppendCount(dst, float64(w.Originator.Connections))
	case nxShare:
		return feature.AppendPercent(dst, float64(w.Originator.Failures)/float64(max(w.Originator.Connections, 1)))
	case nxdomains:
		return feature.AppendCount(dst, float64(w.Originator.Failures))
	case domains:
		return feature.AppendDistinct(dst, w.Originator.Responders)
	case names:
		return feature.AppendDistinct(dst, w.Domain.Responders)
	case domainQueries:
		return feature.AppendCount(dst, float64(w.Domain.Connections))
	case newNames:
		return feature.AppendBytes(dst, float64(w.Domain.PairBytes))
	default: // domainAnswers
		return feature.AppendBytes(dst, float64(w.Domain.PairSeconds))
	}
}

func appendNameValue(dst []byte, e *feature.Encoder, i int, q *Query) []byte {
	if !q.Has(QueryName) {
		return append(dst, "unset"...)
	}
	var memory [MaxText]byte
	name := strings.TrimSuffix(string(appendText(memory[:0], q.Query)), ".")
	longest, n := labelsOf(name)
	switch i {
	case length:
		return feature.AppendCount(dst, float64(len(name)))
	case longestLabel:
		return feature.AppendCount(dst, float64(longest))
	case labels:
		return feature.AppendCount(dst, float64(n))
	}
	return e.Set().AppendEncoded(dst, i, e.Surprise(name))
}

// Domain returns the registered domain of a name, as it counts.
func Domain(query string) string {
	name := strings.TrimSuffix(string(appendText(nil, query)), ".")
	return name[domain.Registered(name):]
}

// AppendPrintable appends a name, shortened, with \xNN for what is not
// printable; "unset" for none.
func AppendPrintable(dst []byte, name string) []byte {
	const most = 60
	if name == "" {
		return append(dst, "unset"...)
	}
	for i, end := 0, len(dst)+most; i < len(name); i++ {
		if len(dst) >= end {
			return append(dst, "…"...)
		}
		if c := name[i]; c > ' ' && c < 0x7f {
			dst = append(dst, c)
		} else {
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// KnowsType reports whether the model has met the type of a row's query.
func KnowsType(e *feature.Encoder, r *feature.Row) bool {
	return e.Knows(qtypeCode, r.Codes[qtypeCode])
}

// TypeName returns the query's type in words, "TXT".
func (q *Query) TypeName() string { return sayType(qtypeOf(q)) }

// CodeName returns the answer's code in words, "NXDOMAIN", or "no answer".
func (q *Query) CodeName() string { return sayRCode(rcodeOf(q)) }
