package dnslog

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"strings"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/domain"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Rows makes rows of queries, and remembers what one query alone does not tell:
// of its originator, and of its registered domain, by whomever it is asked. It
// is not safe for concurrent use: the order of rows is data.
type Rows struct {
	originators, domains *feature.Hosts
	texts, whole         *feature.Texts // of domains and of names
	name                 []byte         // the latest, as it counts
	event                feature.Event
}

// NewRows returns a Rows for that many originators and as many domains. Memory
// is reserved as by two feature.Hosts.
func NewRows(hosts int) *Rows {
	r := newRows()
	r.originators, r.domains = feature.NewHosts(hosts), feature.NewHosts(hosts)
	return r
}

func newRows() *Rows {
	return &Rows{texts: feature.NewTexts(), whole: feature.NewTexts(), name: make([]byte, 0, MaxText)}
}

// Cap returns how many originators fit, and how many domains.
func (r *Rows) Cap() int { return r.originators.Cap() }

// Window says what is known beside the query, the query included.
type Window struct {
	Originator feature.Window // Failures are NXDOMAIN answers, Responders domains
	Domain     feature.Window // Responders are names below it; PairBytes those of new names, PairSeconds the bytes of its answers
	domain     uint64         // codes
	resolver   uint64
}

// Name returns the query's registered domain as a code, or 0 if there is none.
func (w *Window) Name() uint64 {
	if w.domain == feature.NoCode {
		return 0
	}
	return w.domain
}

// Observe counts the query, for which Check finds no fault, and writes to row
// what it is. It does not allocate.
func (r *Rows) Observe(row *feature.Row, q *Query) Window {
	return r.set(row, q, (*feature.Hosts).ObserveEvent)
}

// Peek does the same and counts nothing.
func (r *Rows) Peek(row *feature.Row, q *Query) Window {
	return r.set(row, q, (*feature.Hosts).PeekEvent)
}

func (r *Rows) set(row *feature.Row, q *Query, count func(*feature.Hosts, *feature.Event) feature.Window) (w Window) {
	r.name = appendText(r.name[:0], q.Query)
	name := unsafe.String(unsafe.SliceData(r.name), len(r.name)) // until the next query
	name = strings.TrimSuffix(name, ".")
	registered := name[domain.Registered(name):]
	whole := r.whole.Code(name)
	if w.domain = feature.LongCode; len(registered) <= maxDomain {
		w.domain = r.texts.Code(registered)
	}
	if q.Absent&QueryName != 0 {
		w.domain = feature.NoCode
	}
	w.resolver = resolver(q.RespHost())

	orig := feature.HashHost(q.OrigHost())
	e := &r.event
	*e = feature.Event{
		Host: feature.HostKey(q.OrigHost()), End: q.TS, Failed: q.NXDomain(),
		Peer: feature.KeyOf(w.domain), Port: feature.KeyOf(whole),
		Target: feature.Hash(w.domain), Pair: feature.Hash(orig, w.domain), Use: feature.Hash(whole),
	}
	w.Originator = count(r.originators, e)

	below := len(name) - len(registered)
	e.Host = domainHost(w.domain)
	e.Peer, e.Port = feature.KeyOf(whole), feature.KeyOf(orig)
	e.Pair, e.Use = feature.Hash(w.domain), feature.Hash(w.domain, orig)
	if w.Originator.PortUses == 1 { // the name is new
		e.Bytes = float32(below)
	}
	e.Seconds = float32(q.AnswerBytes)
	w.Domain = count(r.domains, e)

	r.fill(row, q, &w, name)
	row.Host, row.Chance = uint32(orig)|1, feature.Hash(orig, uint64(q.TS), whole)
	return w
}

// ofName are the features that say nothing of a row without a name, as answers
// without a question have: that there is none its domain says, once.
const ofName = 1<<length | 1<<longestLabel | 1<<labels | 1<<surprise

// fill writes the numbers.
func (r *Rows) fill(row *feature.Row, q *Query, w *Window, name string) {
	*row = feature.Row{TS: q.TS, Cold: w.Originator.Cold || w.Domain.Cold}
	row.Absent = Without(q.Absent)
	v := &row.Vector
	v[rtt], v[length], v[longestLabel], v[labels] = feature.Unset, feature.Unset, feature.Unset, feature.Unset
	v[answers], v[answerBytes], v[leastTTL] = feature.Unset, feature.Unset, feature.Unset
	if q.Has(RTT) {
		v[rtt] = feature.LogSeconds(q.RTT)
	}
	longest, n := labelsOf(name)
	if q.Has(QueryName) {
		v[length], v[longestLabel], v[labels] = feature.LogCount(uint64(len(name))), feature.LogCount(uint64(longest)), feature.LogCount(uint64(n))
		row.Text.Set(name)
	} else {
		row.Absent |= ofName
	}
	if q.Has(Answers) {
		v[answers], v[answerBytes] = feature.LogCount(uint64(q.Answers)), feature.LogCount(uint64(q.AnswerBytes))
	}
	if q.Has(TTLs) {
		v[leastTTL] = feature.LogSeconds(q.LeastTTL)
	}
	o, d := &w.Originator, &w.Domain
	v[queries] = feature.LogCount(uint64(o.Connections))
	v[nxShare] = float32(float64(o.Failures) / float64(max(o.Connections, 1)))
	v[nxdomains] = feature.LogCount(uint64(o.Failures))
	v[domains] = feature.LogCount(uint64(o.Responders))
	v[names] = feature.LogCount(uint64(d.Responders))
	v[domainQueries] = feature.LogCount(uint64(d.Connections))
	v[newNames] = feature.LogCount(d.PairBytes)
	v[domainAnswers] = feature.LogCount(d.PairSeconds)
	row.Codes = [feature.MaxCodes]uint64{qtypeCode: qtypeOf(q), rcodeCode: rcodeOf(q), domainCode: w.domain, resolverCode: w.resolver}
	row.Cell = cell(q, len(name), n)
}

func qtypeOf(q *Query) uint64 {
	switch {
	case q.Absent&QType != 0:
		return feature.NoCode
	case !q.Has(QType):
		return noType
	}
	return q.QType
}

func rcodeOf(q *Query) uint64 {
	switch {
	case q.Absent&RCode != 0:
		return feature.NoCode
	case !q.Has(RCode):
		return noAnswer
	}
	return q.RCode
}

// cell tells kinds of query apart: by qtype, rcode and port, and by the
// magnitudes of the name and of the answers. Of the labels only the first few
// count.
func cell(q *Query, name, labels int) uint64 {
	const most = 6
	return feature.Hash(qtypeOf(q), rcodeOf(q), uint64(q.Resp.Port()), uint64(bits.Len(uint(name))), uint64(min(labels, most)),
		uint64(bits.Len32(q.Answers)), uint64(bits.Len32(q.AnswerBytes)))
}

// labelsOf returns the length of the longest label, and how many there are.
func labelsOf(name string) (longest, n int) {
	for more := name != ""; more; n++ {
		var label string
		label, name, more = strings.Cut(name, ".")
		longest = max(longest, len(label))
	}
	return longest, n
}

// domainHost returns the key of a domain among hosts.
func domainHost(code uint64) (key [16]byte) {
	binary.BigEndian.PutUint64(key[:8], code)
	binary.BigEndian.PutUint64(key[8:], feature.Hash(code))
	return key
}

// Places returns the number of places that AppendState has to pass.
func (r *Rows) Places() int { return max(r.originators.Places(), r.domains.Places()) }

// AppendState appends the state of the places from to from+n−1, as that of
// feature.Hosts: of the originators, its length before it, then of the domains.
func (r *Rows) AppendState(dst []byte, from, n int) []byte {
	at := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = r.originators.AppendState(dst, from, n)
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return r.domains.AppendState(dst, from, n)
}

var errState = errors.New("state of names and originators is damaged")

// RestoreRows makes a Rows for that many originators, and domains, of states
// that AppendState appended.
func RestoreRows(hosts int, states ...[]byte) (*Rows, error) {
	var originators, domains [][]byte
	for _, s := range states {
		if len(s) < 4 {
			return nil, errState
		}
		n := binary.LittleEndian.Uint32(s)
		if s = s[4:]; uint64(n) > uint64(len(s)) {
			return nil, errState
		}
		originators, domains = append(originators, s[:n]), append(domains, s[n:])
	}
	r := newRows()
	var err error
	if r.originators, err = feature.RestoreHosts(hosts, originators...); err != nil {
		return nil, err
	}
	if r.domains, err = feature.RestoreHosts(hosts, domains...); err != nil {
		return nil, err
	}
	return r, nil
}
