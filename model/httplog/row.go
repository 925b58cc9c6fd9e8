package httplog

import (
	"math/bits"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/domain"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Rows makes rows of requests, in the order of the log, and remembers what their
// originators did. It is not safe for concurrent use.
type Rows struct {
	Hosts *feature.Hosts // by originator
	texts *feature.Texts
	host  buffer
	uri   buffer
	text  buffer
	event feature.Event
}

// buffer holds a text as it counts, an extension before it.
type buffer [MaxText + maxExtension + 1]byte

// NewRows returns Rows with memory for so many originators.
func NewRows(hosts int) *Rows {
	return &Rows{Hosts: feature.NewHosts(hosts), texts: feature.NewTexts()}
}

// Observe counts the request and writes to r what it is. It does not allocate.
func (s *Rows) Observe(q *Request, r *feature.Row) feature.Window {
	return s.set(q, r, (*feature.Hosts).ObserveEvent)
}

// Peek does the same and counts nothing.
func (s *Rows) Peek(q *Request, r *feature.Row) feature.Window {
	return s.set(q, r, (*feature.Hosts).PeekEvent)
}

// parts are what of a request is looked at more than once. The texts are those
// of buffers.
type parts struct {
	host, uri string // as they count
	agent     uint64 // code
	orig, to  uint64 // hashes of the originator and of the host
}

func (s *Rows) set(q *Request, r *feature.Row, count func(*feature.Hosts, *feature.Event) feature.Window) feature.Window {
	p := parts{
		host:  hostOf(q, &s.host),
		uri:   view(appendText(s.uri[:0], q.URI)),
		agent: agentOf(q, &s.text, s.texts),
		orig:  feature.HashHost(q.OrigHost()),
	}
	if p.to = feature.HashText(p.host); p.host == "" {
		p.to = feature.HashHost(q.RespHost())
	}
	s.event = feature.Event{
		Host: feature.HostKey(q.OrigHost()), End: q.TS, Failed: q.Failed(),
		Peer: feature.KeyOf(p.to), Port: feature.KeyOf(feature.Hash(p.to, feature.HashText(p.uri))),
		Target: feature.Hash(p.to), Pair: feature.Hash(p.orig, p.to), Use: feature.Hash(p.orig, p.agent),
		Bytes: float32(q.RequestLength) + float32(len(p.uri)),
	}
	w := count(s.Hosts, &s.event)
	s.fill(r, q, &p, &w)
	return w
}

// view returns a text whose bytes are somebody's.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// fill makes the row of a request.
func (s *Rows) fill(r *feature.Row, q *Request, p *parts, w *feature.Window) {
	*r = feature.Row{TS: q.TS, Cold: w.Cold}
	c := &r.Codes
	c[MethodCode] = methodOf(q, &s.text, s.texts)
	c[domainCode] = domainOf(p.host, s.texts)
	c[agentCode] = p.agent
	c[statusCode] = statusOf(q)
	c[responseTypeCode] = responseTypeOf(q, p.uri, &s.text, s.texts)
	c[requestTypeCode] = requestTypeOf(q, &s.text, s.texts)
	c[portCode] = uint64(q.Resp.Port())

	v := &r.Vector
	v[ownAgent] = w.UseRarity()
	if hostIsAddress(p.host) {
		v[isAddress] = feature.LogCount(1)
	}
	v[uriLength], v[uriDepth] = feature.Unset, feature.Unset
	if p.uri != "" {
		v[uriLength], v[uriDepth] = feature.LogCount(uint64(len(p.uri))), feature.LogCount(uint64(depthOf(p.uri)))
	}
	r.Text.Set(endOf(p.uri))
	v[requestBytes], v[responseBytes] = feature.Unset, feature.Unset
	if q.Has(RequestLength) {
		v[requestBytes] = feature.LogCount(q.RequestLength)
	}
	if q.Has(ResponseLength) {
		v[responseBytes] = feature.LogCount(q.ResponseLength)
	}
	v[requests] = feature.LogCount(uint64(w.Connections))
	v[errorCount] = feature.LogCount(uint64(w.Failures))
	v[errorShare] = float32(float64(w.Failures) / float64(max(w.Connections, 1)))
	v[hosts] = feature.LogCount(uint64(w.Responders))
	v[uris] = feature.LogCount(uint64(w.Ports))
	v[hostErrors] = feature.LogCount(uint64(w.RespFailures))
	v[sent] = feature.LogCount(w.PairBytes)

	if q.Absent != 0 {
		r.Absent = absent(q.Absent)
	}
	r.Host = uint32(p.orig>>32) | 1
	r.Chance = feature.Hash(p.orig, uint64(q.TS), uint64(q.Orig.Port())<<16|uint64(q.Resp.Port()))
	r.Cell = cell(q, r, p.uri, view(appendText(s.text[:0], q.ResponseType)))
}

// cell returns the kind of request: how it was asked, what came back, and the
// magnitudes of the uri and of both bodies. Hosts and user agents do not count: a
// client's many hosts are one kind.
func cell(q *Request, r *feature.Row, uri, mime string) uint64 {
	return feature.Hash(r.Codes[MethodCode], r.Codes[statusCode], feature.HashText(mime),
		uint64(bits.Len(uint(len(uri))))<<16|uint64(bits.Len64(q.RequestLength))<<8|uint64(bits.Len64(q.ResponseLength)/2))
}

func hostOf(q *Request, buf *buffer) string { return view(appendHost(buf[:0], q.Host)) }

// domainOf returns the code of a host: of its registered domain, or of its address.
func domainOf(host string, texts *feature.Texts) uint64 { return codeOf(registered(host), texts) }

func registered(host string) string {
	if hostIsAddress(host) {
		return host
	}
	return host[domain.Registered(host):]
}

func agentOf(q *Request, buf *buffer, texts *feature.Texts) uint64 {
	return codeOf(view(appendAgent(buf[:0], q.UserAgent)), texts)
}

func methodOf(q *Request, buf *buffer, texts *feature.Texts) uint64 {
	return codeOf(view(appendText(buf[:0], q.Method)), texts)
}

func requestTypeOf(q *Request, buf *buffer, texts *feature.Texts) uint64 {
	return codeOf(view(appendText(buf[:0], q.RequestType)), texts)
}

// responseTypeOf returns the code of a type and of the extension behind which it came.
func responseTypeOf(q *Request, uri string, buf *buffer, texts *feature.Texts) uint64 {
	b := append(buf[:0], extensionOf(uri)...)
	feature.Lower(b)
	b = append(b, ' ')
	return codeOf(view(feature.AppendText(b, q.ResponseType, MaxText)), texts)
}

func statusOf(q *Request) uint64 {
	switch {
	case q.Absent&StatusCode != 0:
		return feature.NoCode
	case !q.Has(StatusCode):
		return noStatus
	}
	return min(q.StatusCode, otherStatus)
}

// codeOf returns the code of a text as it counts.
func codeOf(text string, texts *feature.Texts) uint64 {
	if len(text) > maxCoded {
		return feature.LongCode
	}
	return texts.Code(text)
}

// madeFrom are the features that need a field, in the order of FieldNames.
var madeFrom = [...]uint32{
	1 << method,
	1<<hostDomain | 1<<isAddress,
	1<<uriLength | 1<<uriDepth | 1<<uriSurprise | 1<<uris | 1<<responseType,
	1<<userAgent | 1<<ownAgent,
	1<<status | 1<<errorCount | 1<<errorShare | 1<<hostErrors,
	1<<requestBytes | 1<<sent, 1 << responseBytes, 1 << requestType, 1 << responseType,
}

// absent returns the features that say nothing where those fields have no column.
func absent(fields Fields) (features uint32) {
	for ; fields != 0; fields &= fields - 1 {
		features |= madeFrom[bits.TrailingZeros16(uint16(fields))]
	}
	return features
}
