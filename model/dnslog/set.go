package dnslog

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/domain"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// The columns of dns.log's Vector.
const (
	rtt = iota
	length
	longestLabel
	labels
	surprise
	qtypeRarity
	rcodeRarity
	domainRarity
	resolverRarity
	answers
	answerBytes
	leastTTL
	queries
	nxShare
	nxdomains
	domains
	names
	domainQueries
	newNames
	domainAnswers
)

// The codes of dns.log.
const (
	qtypeCode = iota
	rcodeCode
	domainCode
	resolverCode
)

const (
	numbers  = 1 << 16
	noAnswer = numbers // the code of an rcode that is unset
	noType   = numbers // the same of a qtype
)

// Set is the set of dns.log.
//
// Cuts may split beyond the data what a tunnel or an invented name makes large:
// no limit of the training rows is the end of it.
var Set = feature.NewSet(feature.Set{
	Log:  "dns",
	Rows: "queries",
	Features: []feature.Feature{
		rtt:          {Name: "rtt", Field: "rtt", Unit: "s", Kind: feature.Seconds, Why: "a resolver that takes another way, an answer made by hand; none at all"},
		length:       {Name: "length of the query", Field: "query", Unit: "characters", Kind: feature.Amount, Why: "data in names: tunnels use most of the 253 characters"},
		longestLabel: {Name: "longest label", Field: "query", Unit: "characters", Kind: feature.Amount, Why: "the same; encoded data fills labels up to 63 characters"},
		labels:       {Name: "labels", Field: "query", Unit: "labels", Kind: feature.Amount, Why: "names far deeper, or flatter, than is usual"},
		surprise:     {Name: "surprise of the query", Field: "query", Unit: "bits a character", Kind: feature.Surprise, Why: "encoded data, and names that a program made up"},

		qtypeRarity:    {Name: "qtype", Field: "qtype", Unit: "rarity", Kind: feature.Rarity, Why: "NULL, TXT or private types that tunnels ask for; ANY, AXFR"},
		rcodeRarity:    {Name: "rcode", Field: "rcode", Unit: "rarity", Kind: feature.Rarity, Why: "refusals and failures where answers are usual"},
		domainRarity:   {Name: "registered domain", Field: "query", Unit: "rarity", Kind: feature.Rarity, Why: "a domain that nobody here asks for"},
		resolverRarity: {Name: "resolver", Field: "id.resp_h", Unit: "rarity", Kind: feature.Rarity, Why: "a client that goes past the site's resolvers"},

		answers:     {Name: "answers", Field: "answers", Unit: "records", Kind: feature.Amount, Why: "fast flux: many addresses"},
		answerBytes: {Name: "length of the answers", Field: "answers", Unit: "B", Kind: feature.Bytes, Why: "data in answers: TXT records full of it"},
		leastTTL:    {Name: "least TTL", Field: "TTLs", Unit: "s", Kind: feature.Seconds, Why: "answers that nobody may keep"},

		queries:   {Name: "queries", Field: "id.orig_h, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a client that asks without end"},
		nxShare:   {Name: "NXDOMAIN share", Field: "id.orig_h, ts, rcode", Unit: "of five minutes' queries", Kind: feature.Share, Why: "a program that tries names which it made up", After: " of queries had no such name in five minutes"},
		nxdomains: {Name: "NXDOMAIN answers", Field: "id.orig_h, ts, rcode", Unit: "in five minutes", Kind: feature.Count, Why: "the same by number, where the share is diluted"},
		domains:   {Name: "registered domains", Field: "id.orig_h, ts, query", Unit: "in five minutes", Kind: feature.Count, Why: "made-up domains one after the other"},

		names:         {Name: "names below the domain", Field: "query, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a tunnel: each query is a name of its own"},
		domainQueries: {Name: "queries below the domain", Field: "query, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a domain that is asked much, by whomever"},
		newNames:      {Name: "new names below the domain", Field: "query", Unit: "B, halved each day", Kind: feature.Bytes, Why: "slow exfiltration: what was told to the domain in names that were never asked before"},
		domainAnswers: {Name: "answers of the domain", Field: "query, answers", Unit: "B, halved each day", Kind: feature.Bytes, Why: "a tunnel's way back"},
	},
	Codes: []feature.Coded{
		qtypeCode:    {Feature: qtypeRarity, Below: numbers + 1, Most: 256, Number: sayType},
		rcodeCode:    {Feature: rcodeRarity, Below: numbers + 1, Most: 256, Number: sayRCode},
		domainCode:   {Feature: domainRarity, Most: maxDomains},
		resolverCode: {Feature: resolverRarity, Most: maxResolvers, Number: sayResolver},
	},
	Text:      true,
	Beyond:    beyond,
	Constants: constants(),
})

const (
	maxDomains   = 16384
	maxResolvers = 1024
	maxDomain    = 255 // bytes; a longer one counts as never seen

	beyond = 1<<length | 1<<answerBytes | 1<<nxdomains | 1<<domains | 1<<names | 1<<newNames | 1<<domainAnswers
)

func constants() string {
	return fmt.Sprintf("text: %d bytes, \\xNN is one, small letters; %d answers; domains of up to %d bytes by %s\n", MaxText, MaxAnswers, maxDomain, domain.List()) +
		fmt.Sprintf("a row without a name says so by its domain alone; windows and memory: as conn.log's, by originator and by domain; a name is new where it is not remembered, cuts beyond the data %#x\n", uint64(beyond))
}

// madeFrom are the features that need a field, by its bit: bit i for Features[i].
var madeFrom = [...]uint32{
	1 << rtt,
	1<<length | 1<<longestLabel | 1<<labels | 1<<surprise | 1<<domainRarity | 1<<domains | 1<<names | 1<<domainQueries | 1<<newNames | 1<<domainAnswers,
	1 << qtypeRarity,
	1<<rcodeRarity | 1<<nxShare | 1<<nxdomains,
	1<<answers | 1<<answerBytes | 1<<domainAnswers,
	1 << leastTTL,
}

// Without returns the features that say nothing where those fields are absent, bit i
// for Set.Features[i].
func Without(fields Fields) (features uint32) {
	for ; fields != 0; fields &= fields - 1 {
		features |= madeFrom[bits.TrailingZeros8(uint8(fields))]
	}
	return features
}

// types are the names of the qtypes that are met most, as Zeek has them.
var types = map[uint64]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 10: "NULL", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 24: "SIG", 25: "KEY", 28: "AAAA",
	29: "LOC", 32: "NB", 33: "SRV", 35: "NAPTR", 39: "DNAME", 41: "OPT", 43: "DS", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3",
	52: "TLSA", 64: "SVCB", 65: "HTTPS", 99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY", 257: "CAA",
}

func sayType(code uint64) string { return string(appendType(nil, code)) }

func appendType(dst []byte, code uint64) []byte {
	if code >= noType {
		return append(dst, "none"...)
	}
	if name, ok := types[code]; ok {
		return append(dst, name...)
	}
	return strconv.AppendUint(append(dst, "type "...), code, 10)
}

var rcodes = [...]string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"}

func sayRCode(code uint64) string { return string(appendRCode(nil, code)) }

func appendRCode(dst []byte, code uint64) []byte {
	switch {
	case code > noAnswer:
		return append(dst, "not known"...)
	case code == noAnswer:
		return append(dst, "no answer"...)
	case code < uint64(len(rcodes)):
		return append(dst, rcodes[code]...)
	}
	return strconv.AppendUint(append(dst, "rcode "...), code, 10)
}

// resolver returns the code of a resolver: of IPv4 its address, of others a hash.
func resolver(h conn.Host) uint64 {
	if a := h.Addr.Unmap(); a.Is4() && h.Context == "" {
		b := a.As4()
		return uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
	}
	return (feature.HashHost(h) | 1<<63) &^ 2 // not a NoCode
}

func sayResolver(code uint64) string {
	if code < 1<<32 {
		return netip.AddrFrom4([4]byte{byte(code >> 24), byte(code >> 16), byte(code >> 8), byte(code)}).String()
	}
	return fmt.Sprintf("an IPv6 address, %016x", code)
}
