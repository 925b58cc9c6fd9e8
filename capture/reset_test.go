package capture

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// TestResetEndsHTTPMessages: a RST of either side ends a reply under way, and
// what its server still sends is not looked at, while without the RST it is no
// reply line and takes the name away (src/analyzer/protocol/http/HTTP.cc,
// PacketWithRST).
func TestResetEndsHTTPMessages(t *testing.T) {
	require.Equal(t, "", httpWithReset(false).rows(t, Options{})[0].Service)
	require.Equal(t, "http", httpWithReset(true).rows(t, Options{})[0].Service)
}

func TestResetEndsHTTPMessagesInZeek(t *testing.T) {
	testenv.Zeek(t)
	for _, reset := range []bool{false, true} {
		w := httpWithReset(reset)
		require.Equal(t, zeekRows(t, w), captureRows(t, w), "reset: %v", reset)
	}
}

// httpWithReset is a reply whose server goes on with garbage, behind a RST of
// the client or without it.
func httpWithReset(reset bool) *wire {
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
	return w
}
