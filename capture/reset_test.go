package capture

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestResetEndsHTTPMessages: a RST of either side ends a reply under way, and
// what its server still sends is not looked at, while without the RST it is no
// reply line and takes the name away (src/analyzer/protocol/http/HTTP.cc,
// PacketWithRST).
func TestResetEndsHTTPMessages(t *testing.T) {
	for _, reset := range []bool{false, true} {
		const request, reply = "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12"
		packets := handshake(
			seg{at: 1, flags: "PA", seq: 1001, ack: 5001, data: request},
			seg{at: 2, flags: "<PA", seq: 5001, ack: 1001 + uint32(len(request)), data: reply},
		)
		if reset {
			packets = append(packets, seg{at: 3, flags: "R", seq: 1001 + uint32(len(request))})
		}
		packets = append(packets, seg{at: 4, flags: "<PA", seq: 5001 + uint32(len(reply)), ack: 1001 + uint32(len(request)), data: "345garbage\r\n"})
		w := newWire()
		for _, s := range packets {
			s.from, s.to = client, "192.0.2.9:80"
			w.tcp(s)
		}
		want := map[bool]string{false: "", true: "http"}[reset]
		require.Equal(t, want, w.rows(t, Options{})[0].Service, "reset: %v", reset)
	}
}
