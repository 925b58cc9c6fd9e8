package httplog

import (
	"fmt"
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/domain"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// The columns of http.log's Vector.
const (
	method = iota
	hostDomain
	userAgent
	status
	responseType
	requestType
	port
	ownAgent
	isAddress
	uriLength
	uriDepth
	uriSurprise
	requestBytes
	responseBytes
	requests
	errorCount
	errorShare
	hosts
	uris
	hostErrors
	sent
)

// The codes of http.log.
const (
	MethodCode = iota
	domainCode
	agentCode
	statusCode
	responseTypeCode
	requestTypeCode
	portCode
)

// MaxText is how much of a text counts, in bytes.
const MaxText = 1024

const (
	maxCoded     = 255  // bytes; a longer text counts as never seen, of a user agent no more is looked at
	maxExtension = 5    // characters
	otherStatus  = 1000 // the code of a status_code from here on
	noStatus     = otherStatus + 1
)

// Set is the set of http.log.
var Set = feature.NewSet(feature.Set{
	Log:  "http",
	Rows: "requests",
	Features: []feature.Feature{
		method:       {Name: "method", Field: "method", Unit: "rarity", Kind: feature.Rarity, Why: "PUT, CONNECT, PROPFIND where nobody uses them; what is no method; none, where only an answer was seen"},
		hostDomain:   {Name: "domain of host", Field: "host", Unit: "rarity", Kind: feature.Rarity, Why: "a site that is rare here; no host where one is usual"},
		userAgent:    {Name: "user_agent", Field: "user_agent", Unit: "rarity", Kind: feature.Rarity, Why: "a scanner, a script, a loader: a program that is rare here, its version aside"},
		status:       {Name: "status_code", Field: "status_code", Unit: "rarity", Kind: feature.Rarity, Why: "an answer that is rare here, or none"},
		responseType: {Name: "resp_mime_types", Field: "resp_mime_types, uri", Unit: "rarity", Kind: feature.Rarity, Why: "a program behind the name of a picture; a kind of file that is rare here"},
		requestType:  {Name: "orig_mime_types", Field: "orig_mime_types", Unit: "rarity", Kind: feature.Rarity, Why: "an archive that goes out"},
		port:         {Name: "resp_port", Field: "id.resp_p", Unit: "rarity", Kind: feature.Rarity, Why: "HTTP on a port that is rare here"},
		ownAgent:     {Name: "user_agent for this originator", Field: "id.orig_h, user_agent", Unit: "rarity", Kind: feature.Rarity, Why: "a program that this client never used"},
		isAddress:    {Name: "host is an address", Field: "host", Unit: "0 or 1", Kind: feature.Amount, Why: "a server without a name"},

		uriLength:   {Name: "length of the uri", Field: "uri", Unit: "characters", Kind: feature.Amount, Why: "data in the request line, overlong input"},
		uriDepth:    {Name: "depth of the uri", Field: "uri", Unit: "slashes", Kind: feature.Amount, Why: "a way up the directories, paths unlike this site's"},
		uriSurprise: {Name: "surprise of the uri", Field: "uri", Unit: "bits a character", Kind: feature.Surprise, Why: "encoded data, and what an injection is made of, at the end of the uri"},

		requestBytes:  {Name: "request_body_len", Field: "request_body_len", Unit: "B", Kind: feature.Bytes, Why: "an upload"},
		responseBytes: {Name: "response_body_len", Field: "response_body_len", Unit: "B", Kind: feature.Bytes, Why: "an unusually large, or empty, answer"},

		requests:   {Name: "requests", Field: "id.orig_h, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a client that asks without end"},
		errorCount: {Name: "errors", Field: "id.orig_h, status_code, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a scanner that tries what is not there, a guess of passwords"},
		errorShare: {Name: "error share", Field: "id.orig_h, status_code, ts", Unit: "of five minutes' requests", Kind: feature.Share, Why: "the same, slowly", After: " of requests were errors in five minutes"},
		hosts:      {Name: "hosts", Field: "id.orig_h, host, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a scan across servers, fallback addresses tried one after the other"},
		uris:       {Name: "uris", Field: "id.orig_h, host, uri, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a scan of a server, a crawl"},
		hostErrors: {Name: "errors at the host", Field: "host, status_code, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a scan that many originators share"},
		sent:       {Name: "sent to the host", Field: "id.orig_h, host, request_body_len, uri", Unit: "B, halved each day", Kind: feature.Bytes, Why: "exfiltration, at once or in pieces, by POST or in uris"},
	},
	Codes: []feature.Coded{
		MethodCode:       {Feature: method, Most: 256},
		domainCode:       {Feature: hostDomain, Most: 8192},
		agentCode:        {Feature: userAgent, Most: 2048},
		statusCode:       {Feature: status, Below: noStatus + 1, Most: 256, Number: sayStatus},
		responseTypeCode: {Feature: responseType, Most: 1024},
		requestTypeCode:  {Feature: requestType, Most: 256},
		portCode:         {Feature: port, Below: 1 << 16, Most: 4096, Number: func(code uint64) string { return strconv.FormatUint(code, 10) }},
	},
	Text:      true,
	Beyond:    beyond,
	Constants: constants(),
})

// beyond are the features that grow without end under attack.
const beyond = 1<<uriLength | 1<<requestBytes | 1<<errorCount | 1<<hosts | 1<<uris | 1<<hostErrors | 1<<sent

func constants() string {
	return fmt.Sprintf("texts: \\xNN is a byte, the first %d bytes count, over %d bytes are never seen\n", MaxText, maxCoded) +
		fmt.Sprintf("host: small letters, without port, domain by %s; user agent: a number is 0, %d bytes; extension: up to %d letters and digits\n", domain.List(), maxCoded, maxExtension) +
		fmt.Sprintf("surprise of the last %d characters; errors: 400 to 599; sent: bodies and uris; cuts beyond the data %#x\n", feature.TextSize-1, uint64(beyond))
}

func sayStatus(code uint64) string {
	switch {
	case code == noStatus:
		return "no answer"
	case code >= otherStatus:
		return strconv.Itoa(otherStatus) + " or more"
	}
	return strconv.FormatUint(code, 10)
}
