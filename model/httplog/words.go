package httplog

import (
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Append appends the feature i of a request whose window is w in the reader's
// words: "sqlmap/1.7, never seen", "application/x-dosexec behind .png, 1 in 900
// requests". It allocates only what dst needs.
func Append(dst []byte, e *feature.Encoder, i int, q *Request, w *feature.Window) []byte {
	if q.Absent != 0 && absent(q.Absent)>>i&1 != 0 {
		return append(dst, "no column"...)
	}
	switch i {
	case method:
		return e.AppendRarity(feature.AppendPrintable(dst, q.Method), e.Rarity(MethodCode, methodOf(q, new(buffer), nil)))
	case hostDomain:
		host := hostOf(q, new(buffer))
		return e.AppendRarity(feature.AppendPrintable(dst, registered(host)), e.Rarity(domainCode, domainOf(host, nil)))
	case userAgent:
		return e.AppendRarity(feature.AppendPrintable(dst, q.UserAgent), e.Rarity(agentCode, agentOf(q, new(buffer), nil)))
	case status:
		return e.AppendRarity(append(dst, sayStatus(statusOf(q))...), e.Rarity(statusCode, statusOf(q)))
	case responseType:
		uri := uriOf(q, new(buffer))
		dst = feature.AppendPrintable(dst, q.ResponseType)
		if ext := extensionOf(uri); ext != "" {
			dst = append(append(dst, " behind ."...), ext...)
		}
		return e.AppendRarity(dst, e.Rarity(responseTypeCode, responseTypeOf(q, uri, new(buffer), nil)))
	case requestType:
		return e.AppendRarity(feature.AppendPrintable(dst, q.RequestType), e.Rarity(requestTypeCode, requestTypeOf(q, new(buffer), nil)))
	case port:
		p := uint64(q.Resp.Port())
		return e.AppendRarity(strconv.AppendUint(dst, p, 10), e.Rarity(portCode, p))
	case ownAgent:
		return append(w.AppendUses(feature.AppendPrintable(dst, q.UserAgent)), " requests"...)
	case isAddress:
		if hostIsAddress(hostOf(q, new(buffer))) {
			return append(dst, "1"...)
		}
		return append(dst, "0"...)
	case uriLength, uriDepth, uriSurprise:
		return appendURIValue(dst, e, i, uriOf(q, new(buffer)))
	case requestBytes:
		return appendLength(dst, q.Has(RequestLength), q.RequestLength)
	case responseBytes:
		return appendLength(dst, q.Has(ResponseLength), q.ResponseLength)
	case requests:
		return feature.AppendCount(dst, float64(w.Connections))
	case errorCount:
		return feature.AppendCount(dst, float64(w.Failures))
	case errorShare:
		return feature.AppendPercent(dst, float64(w.Failures)/float64(max(w.Connections, 1)))
	case hosts:
		return feature.AppendDistinct(dst, w.Responders)
	case uris:
		return feature.AppendDistinct(dst, w.Ports)
	case hostErrors:
		return feature.AppendCount(dst, float64(w.RespFailures))
	default: // sent
		return feature.AppendBytes(dst, float64(w.PairBytes))
	}
}

func uriOf(q *Request, buf *buffer) string { return view(appendText(buf[:0], q.URI)) }

func appendURIValue(dst []byte, e *feature.Encoder, i int, uri string) []byte {
	switch {
	case uri == "":
		return append(dst, "unset"...)
	case i == uriLength:
		return feature.AppendCount(dst, float64(len(uri)))
	case i == uriDepth:
		return feature.AppendCount(dst, float64(depthOf(uri)))
	}
	return e.Set().AppendEncoded(dst, i, e.Surprise(endOf(uri)))
}

func appendLength(dst []byte, set bool, n uint64) []byte {
	if !set {
		return append(dst, "unset"...)
	}
	return feature.AppendBytes(dst, float64(n))
}

// Site returns the registered domain of the request's host, or its address, or "" if
// it has none. It stays.
func (q *Request) Site() string { return strings.Clone(registered(hostOf(q, new(buffer)))) }

// StatusName returns the answer's status in words: "404", "no answer".
func (q *Request) StatusName() string { return sayStatus(statusOf(q)) }
