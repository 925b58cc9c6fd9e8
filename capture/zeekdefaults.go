package capture

import "github.com/zeek-iforest/zeek-iforest/model/conn"

const (
	second = conn.Micros(1e6)
	minute = 60 * second
	hour   = 60 * minute
)

// Timeouts (scripts/base/init-bare.zeek; interactiveTimeout is of
// scripts/base/protocols/conn/inactivity.zeek). Those of ICMP and of unknown
// transports are UDP's.
const (
	tcpInactivityTimeout = 5 * minute
	udpInactivityTimeout = minute
	interactiveTimeout   = hour

	tcpSYNTimeout             = 5 * second
	tcpSessionTimer           = 6 * second
	tcpConnectionLinger       = 5 * second
	tcpAttemptDelay           = 5 * second
	tcpCloseDelay             = 5 * second
	dnsSessionTimeout         = 10 * second
	fragTimeout               = 5 * minute
	tunnelIPTunnelTimeout     = 24 * hour
	weirdSamplingDuration     = 10 * minute
	maxTimerExpires       int = 300 // timers run at one packet
)

// Limits of TCP's reassembly (scripts/base/init-bare.zeek), in bytes.
const (
	tcpMaxInitialWindow                = 16384
	tcpMaxAboveHoleWithoutAnyAcks      = 16384
	tcpExcessiveDataWithoutFurtherAcks = 10 << 20
)

// Limits of decoding: Tunnel::max_depth, Tunnel::max_changes_per_connection,
// PacketAnalyzer::max_depth.
const (
	tunnelMaxDepth         = 4
	tunnelMaxChanges       = 5
	packetAnalyzerMaxDepth = 25
)

// Responder ports of UDP whose datagrams go to a tunnel's decoder
// (scripts/base/packet-protocols).
const (
	grePort     = 4754
	vxlanPort   = 4789
	genevePort  = 6081
	ayiyaPort   = 5072
	teredoPort  = 3544
	gtpUserPort = 2152
	gtpCtrlPort = 2123
)

// portSet is a set of ports, a bit for each.
type portSet [1 << 16 / 64]uint64

func newPortSet(ports ...uint16) *portSet {
	var s portSet
	for _, p := range ports {
		s[p/64] |= 1 << (p % 64)
	}
	return &s
}

func (s *portSet) has(port uint16) bool { return s[port/64]>>(port%64)&1 != 0 }

// likely_server_ports, as the default scripts of all protocols extend it: the
// end with such a port is taken for the responder.
var (
	likelyServerPortsTCP = newPortSet(21, 22, 25, 53, 79, 80, 81, 88, 135, 139,
		143, 389, 443, 445, 502, 563, 585, 587, 614, 631, 636, 989, 990, 992,
		993, 995, 1080, 1883, 2811, 3128, 3268, 3389, 5222, 5223, 5269, 5432,
		6379, 6666, 6667, 6668, 6669, 8000, 8080, 8888, 20000)
	likelyServerPortsUDP = newPortSet(53, 67, 88, 123, 137, 161, 162, 389, 443,
		514, 1812, 2123, 2152, 3389, 3544, 4789, 5060, 5072, 5353, 5355, 6081,
		20000)
)
