package feature

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// N is the number of features of schema 1.
const N = 17

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
}

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
}

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
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}
