package feature

import (
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// The columns of conn.log's Vector.
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

// The codes of conn.log.
const (
	protoCode = iota
	ServiceCode
	stateCode
	portCode
)

// Bounds of the tables, so that neither a scan of all ports nor a log with
// made-up services grows a model.
const (
	MaxServices    = 1024
	MaxServiceName = 63 // bytes; a longer one counts as never seen
	MaxPorts       = 16384
)

// Conn is the set of conn.log.
//
// Cuts may split beyond the data what grows without end under attack, so that a
// scan of thousands is stranger than one of thirty, and an upload stranger than
// any before. A busy client's connections and responders are not among them,
// nor what it downloads: more of these says little (docs/features.md has the
// figures).
var Conn = NewSet(Set{
	Log:  "conn",
	Rows: "connections",
	Features: []Feature{
		duration:    {"duration", "duration", "s", Seconds, "tunnels and long sessions stay open; probes end at once", ""},
		origBytes:   {"orig_bytes", "orig_bytes", "B", Bytes, "an upload of gigabytes; the fixed size of a beacon or a brute-force attempt", ""},
		respBytes:   {"resp_bytes", "resp_bytes", "B", Bytes, "an unusually large or empty answer", ""},
		origPkts:    {"orig_pkts", "orig_pkts", "packets", Packets, "many small packets (a shell, a flood) against few large ones", ""},
		respPkts:    {"resp_pkts", "resp_pkts", "packets", Packets, "no answer at all, or one far longer than the question", ""},
		origIPBytes: {"orig_ip_bytes", "orig_ip_bytes", "B", Bytes, "also counts what carries no payload: bare SYNs, odd header lengths, ICMP", ""},
		respIPBytes: {"resp_ip_bytes", "resp_ip_bytes", "B", Bytes, "the same of the responder", ""},
		missedBytes: {"missed_bytes", "missed_bytes", "B", Bytes, "gaps: packet loss, asymmetric routes, evasion by overlapping segments", ""},

		protoRarity:   {"proto", "proto", "rarity", Rarity, "a transport that is rare on this network", ""},
		serviceRarity: {"service", "service", "rarity", Rarity, "a protocol, or a combination of them, that is rare here; none where one is usual", ""},
		stateRarity:   {"conn_state", "conn_state", "rarity", Rarity, "an ending that is rare here: rejected, half open, seen from one side", ""},
		portRarity:    {"resp_port", "proto, id.resp_p", "rarity", Rarity, "a server port that is rare here: back doors, scans, services in odd places", ""},

		connections:    {"connections", "id.orig_h, ts, duration", "in five minutes", Count, "floods, scans and brute force, and hosts that woke up", ""},
		failedShare:    {"failed share", "id.orig_h, ts, duration, conn_state", "of five minutes' connections", Share, "a client that guesses: most of what it tries fails", " of connections failed in five minutes"},
		responders:     {"responders", "id.orig_h, id.resp_h, ts, duration", "in five minutes", Count, "a scan across hosts, a worm, peer-to-peer", ""},
		responderPorts: {"responder ports", "id.orig_h, proto, id.resp_p, ts, duration", "in five minutes", Count, "a scan across ports", ""},
		failures:       {"failures", "id.orig_h, ts, duration, conn_state", "in five minutes", Count, "scans and guessing, by number where the share is diluted", ""},

		respFailures:   {"failures at the responder", "id.resp_h, ts, duration, conn_state", "in five minutes", Count, "a scan or a guess that many originators share", ""},
		pairBytes:      {"bytes to this service", "id.orig_h, id.resp_h, proto, id.resp_p, orig_ip_bytes", "B, halved each day", Bytes, "slow exfiltration: many small uploads", ""},
		pairSeconds:    {"time with this service", "id.orig_h, id.resp_h, proto, id.resp_p, duration", "s, halved each day", Span, "a tunnel in pieces", ""},
		originatorPort: {"resp_port for this originator", "id.orig_h, proto, id.resp_p", "rarity", Rarity, "a client that uses a port it never used, a scanner that changes ports", ""},
	},
	Codes: []Coded{
		protoCode:   {protoRarity, uint64(conn.NumProto), int(conn.NumProto), func(code uint64) string { return conn.Proto(code).String() }},
		ServiceCode: {serviceRarity, 0, MaxServices, nil},
		stateCode:   {stateRarity, uint64(conn.NumState), int(conn.NumState), func(code uint64) string { return conn.State(code).String() }},
		portCode:    {portRarity, uint64(conn.NumProto) << 16, MaxPorts, sayPort},
	},
	Beyond:    connBeyond,
	Constants: connConstants(),
})

const connBeyond = 1<<origBytes | 1<<responderPorts | 1<<failures | 1<<respFailures | 1<<pairBytes | 1<<pairSeconds

func sayPort(code uint64) string {
	return fmt.Sprintf("%d/%s", uint16(code), conn.Proto(code>>16))
}

func connConstants() string {
	return fmt.Sprintf("windows: %d minutes, exact below %d, %d levels of %d bits, full above %d, set back %d\n",
		minutes, recentKeys, markLevels, levelBits, levelFull, setBack) +
		fmt.Sprintf("memory: one-way connections do not fail; halved in %d steps of %d minutes, uses up to %d, cuts beyond the data %#x\n",
			decaySteps, decayMinutes, maxUses, uint64(connBeyond))
}
