package feature

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// N is the number of features.
const N = 21

// Vector holds the features of one connection in the order of Schema. Its
// entries are always finite.
type Vector [N]float32

// Kind is how a feature is encoded and printed.
type Kind uint8

// The kinds of feature.
const (
	Seconds  Kind = iota // ln(x + 0.0001)
	Bytes                // ln(x + 1)
	Packets              // ln(x + 1)
	Rarity               // −ln((n + 0.5)/(N + 1)), n of N training rows with the same value
	Count                // ln(x + 1), from the originator's window
	Share                // x, from 0 to 1, from the originator's window
	Span                 // ln(x + 1) of seconds
	numKinds = iota
)

// encodings are part of the schema's identity: whoever changes how a number is
// made changes its words here.
var encodings = [numKinds]string{
	Seconds: "ln(x+0.0001) of microseconds/1e6, unset -12",
	Bytes:   "ln(x+1), unset -12",
	Packets: "ln(x+1)",
	Rarity:  "-ln((n+0.5)/(N+1))",
	Count:   "ln(x+1)",
	Share:   "x",
	Span:    "ln(x+1) of seconds",
}

// Encoding says how a number of the kind is made.
func (k Kind) Encoding() string { return encodings[k] }

// Feature describes one column of a Vector.
type Feature struct {
	Name  string // as anomaly_reason says it
	Field string // the fields of conn.log that it is made from
	Unit  string
	Kind  Kind
	Why   string // what it is there to find
}

// The columns of a Vector.
const (
	duration = iota
	origBytes
	respBytes
	origPkts
	respPkts
	origIPBytes
	respIPBytes
	missedBytes
	protoRarity
	serviceRarity
	stateRarity
	portRarity
	connections
	failedShare
	responders
	responderPorts
	failures
	respFailures
	pairBytes
	pairSeconds
	originatorPort
)

// Schema lists the features in the order of a Vector.
var Schema = [N]Feature{
	duration:    {"duration", "duration", "s", Seconds, "tunnels and long sessions stay open; probes end at once"},
	origBytes:   {"orig_bytes", "orig_bytes", "B", Bytes, "an upload of gigabytes; the fixed size of a beacon or a brute-force attempt"},
	respBytes:   {"resp_bytes", "resp_bytes", "B", Bytes, "an unusually large or empty answer"},
	origPkts:    {"orig_pkts", "orig_pkts", "packets", Packets, "many small packets (a shell, a flood) against few large ones"},
	respPkts:    {"resp_pkts", "resp_pkts", "packets", Packets, "no answer at all, or one far longer than the question"},
	origIPBytes: {"orig_ip_bytes", "orig_ip_bytes", "B", Bytes, "also counts what carries no payload: bare SYNs, odd header lengths, ICMP"},
	respIPBytes: {"resp_ip_bytes", "resp_ip_bytes", "B", Bytes, "the same of the responder"},
	missedBytes: {"missed_bytes", "missed_bytes", "B", Bytes, "gaps: packet loss, asymmetric routes, evasion by overlapping segments"},

	protoRarity:   {"proto", "proto", "rarity", Rarity, "a transport that is rare on this network"},
	serviceRarity: {"service", "service", "rarity", Rarity, "a protocol, or a combination of them, that is rare here; none where one is usual"},
	stateRarity:   {"conn_state", "conn_state", "rarity", Rarity, "an ending that is rare here: rejected, half open, seen from one side"},
	portRarity:    {"resp_port", "proto, id.resp_p", "rarity", Rarity, "a server port that is rare here: back doors, scans, services in odd places"},

	connections:    {"connections", "id.orig_h, ts, duration", "in five minutes", Count, "floods, scans and brute force, and hosts that woke up"},
	failedShare:    {"failed share", "id.orig_h, ts, duration, conn_state", "of five minutes' connections", Share, "a client that guesses: most of what it tries fails"},
	responders:     {"responders", "id.orig_h, id.resp_h, ts, duration", "in five minutes", Count, "a scan across hosts, a worm, peer-to-peer"},
	responderPorts: {"responder ports", "id.orig_h, proto, id.resp_p, ts, duration", "in five minutes", Count, "a scan across ports"},
	failures:       {"failures", "id.orig_h, ts, duration, conn_state", "in five minutes", Count, "scans and guessing, by number where the share is diluted"},

	respFailures:   {"failures at the responder", "id.resp_h, ts, duration, conn_state", "in five minutes", Count, "a scan or a guess that many originators share"},
	pairBytes:      {"bytes to this service", "id.orig_h, id.resp_h, proto, id.resp_p, orig_ip_bytes", "B, halved each day", Bytes, "slow exfiltration: many small uploads"},
	pairSeconds:    {"time with this service", "id.orig_h, id.resp_h, proto, id.resp_p, duration", "s, halved each day", Span, "a tunnel in pieces"},
	originatorPort: {"resp_port for this originator", "id.orig_h, proto, id.resp_p", "rarity", Rarity, "a client that uses a port it never used, a scanner that changes ports"},
}

// Beyond are the features that cuts may split beyond the data, bit i for
// Schema[i]: what grows without end under attack, so that a scan of thousands
// is stranger than one of thirty, and an upload stranger than any before. A
// busy client's connections and responders are not among them, nor what it
// downloads: more of these says little (docs/features.md has the figures).
const Beyond uint64 = 1<<origBytes | 1<<responderPorts | 1<<failures | 1<<respFailures | 1<<pairBytes | 1<<pairSeconds

// SchemaID identifies what the numbers of a Vector mean: a hash of the list
// above and of the constants that shape the windows. A model of another schema
// is refused.
var SchemaID = schemaID()

func schemaID() string {
	var b strings.Builder
	for _, f := range Schema {
		fmt.Fprintf(&b, "%s|%s|%s|%s\n", f.Name, f.Field, f.Unit, encodings[f.Kind])
	}
	fmt.Fprintf(&b, "windows: %d minutes, exact below %d, %d levels of %d bits, full above %d, set back %d\n",
		minutes, recentKeys, markLevels, levelBits, levelFull, setBack)
	fmt.Fprintf(&b, "memory: one-way connections do not fail; halved in %d steps of %d minutes, uses up to %d, cuts beyond the data %#x\n", decaySteps, decayMinutes, maxUses, Beyond)
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}
