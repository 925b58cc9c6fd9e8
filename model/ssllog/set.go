package ssllog

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// The columns of ssl.log's Vector.
const (
	cipher = iota
	nextProtocol
	history
	lastAlert
	domain
	port
	fingerprint
	issuer
	nameLength
	nameSurprise
	matches
	problems
	resumed
	established
	handshakes
	names
	failures
)

// The codes of ssl.log.
const (
	CipherCode = iota
	nextProtocolCode
	historyCode
	lastAlertCode
	domainCode
	portCode
	fingerprintCode
	issuerCode
)

// MaxText is how much of a text counts, in bytes.
const MaxText = 1024

// maxCoded is the length from which on a text counts as never seen.
const maxCoded = 255

// Set is the set of ssl.log.
var Set = feature.NewSet(feature.Set{
	Log:  "ssl",
	Rows: "handshakes",
	Features: []feature.Feature{
		cipher:       {Name: "version and cipher", Field: "version, cipher", Unit: "rarity", Kind: feature.Rarity, Why: "what an old or a self-made library speaks; none where the handshake ended early"},
		nextProtocol: {Name: "next_protocol", Field: "next_protocol", Unit: "rarity", Kind: feature.Rarity, Why: "none where browsers have one; a protocol that is rare here"},
		history:      {Name: "ssl_history", Field: "ssl_history", Unit: "rarity", Kind: feature.Rarity, Why: "the order of messages tells libraries apart, and the probes of a scanner"},
		lastAlert:    {Name: "last_alert", Field: "last_alert", Unit: "rarity", Kind: feature.Rarity, Why: "a refusal that is rare here"},
		domain:       {Name: "domain of server_name", Field: "server_name", Unit: "rarity", Kind: feature.Rarity, Why: "a domain that is rare here; no name where one is usual"},
		port:         {Name: "resp_port", Field: "id.resp_p", Unit: "rarity", Kind: feature.Rarity, Why: "TLS on a port that is rare here"},
		fingerprint:  {Name: "client fingerprint", Field: "ja4, ja3", Unit: "rarity", Kind: feature.Rarity, Why: "a client program that is rare here, where a package has put JA4 or JA3"},
		issuer:       {Name: "issuer", Field: "cert_chain_fps, certificate.issuer", Unit: "rarity", Kind: feature.Rarity, Why: "a certificate of an organization that signs few here, or of nobody else"},

		nameLength:   {Name: "length of server_name", Field: "server_name", Unit: "characters", Kind: feature.Amount, Why: "none at all, or one that carries data"},
		nameSurprise: {Name: "surprise of server_name", Field: "server_name", Unit: "bits a character", Kind: feature.Surprise, Why: "a name that was made by a program"},
		matches:      {Name: "sni_matches_cert", Field: "sni_matches_cert", Unit: "0 or 1", Kind: feature.Amount, Why: "a certificate of another name"},
		problems:     {Name: "certificate problems", Field: "cert_chain_fps, certificate.subject, certificate.issuer, certificate.not_valid_before, certificate.not_valid_after, validation_status, ts", Unit: "of three", Kind: feature.Amount, Why: "self-issued, out of its time, or not found valid"},
		resumed:      {Name: "resumed", Field: "resumed", Unit: "0 or 1", Kind: feature.Amount, Why: "a client that never resumes, or does where nobody else does"},
		established:  {Name: "established", Field: "established", Unit: "0 or 1", Kind: feature.Amount, Why: "a handshake that came to nothing"},

		handshakes: {Name: "handshakes", Field: "id.orig_h, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a client that calls more often than others"},
		names:      {Name: "server names", Field: "id.orig_h, server_name, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a scan by name, or a client that tries one domain after the other"},
		failures:   {Name: "failures", Field: "id.orig_h, established, ts", Unit: "in five minutes", Kind: feature.Count, Why: "a scan, or a client that is refused again and again"},
	},
	Codes: []feature.Coded{
		CipherCode:       {Feature: cipher, Most: 1024},
		nextProtocolCode: {Feature: nextProtocol, Most: 256},
		historyCode:      {Feature: history, Most: 1024},
		lastAlertCode:    {Feature: lastAlert, Most: 64},
		domainCode:       {Feature: domain, Most: 8192},
		portCode:         {Feature: port, Below: 1 << 16, Most: 4096, Number: func(code uint64) string { return fmt.Sprint(code) }},
		fingerprintCode:  {Feature: fingerprint, Most: 2048},
		issuerCode:       {Feature: issuer, Most: 1024},
	},
	Text:      true,
	Beyond:    beyond,
	Constants: constants(),
})

// beyond are the features that grow without end under attack, and those in which
// a site's own certificates may all be alike: who signed them, and that nothing
// is wrong with them.
const beyond = 1<<nameLength | 1<<failures | 1<<issuer | 1<<problems

func constants() string {
	return fmt.Sprintf("texts: \\xNN is a byte, the first %d bytes count, over %d bytes are never seen\n", MaxText, maxCoded) +
		"issuer: its organization, all of it where it has none\n" +
		"a certificate that is not known: issuer and problems say nothing\n" +
		"domain: two labels, three below a second level of up to three letters in a country; small letters\n" +
		fmt.Sprintf("cuts beyond the data %#x\n", uint64(beyond))
}
