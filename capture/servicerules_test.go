package capture

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// serviceRules are rules on which the state of the connection decides about its
// services. want are these, row by row.
func serviceRules() []rule {
	on := func(port string, segs []seg) []seg {
		for i := range segs {
			if segs[i].from == "" {
				segs[i].from, segs[i].to = client, "192.0.2.9:"+port
			}
		}
		return segs
	}
	startup := "\x00\x00\x00\x11\x00\x03\x00\x00user\x00me\x00\x00"
	teredo := "\x60\x00\x00\x00\x00\x00\x3b\x40" + "\x20\x01\x00\x00" + strings.Repeat("\x01", 12) + strings.Repeat("\x02", 16)
	const a, b = "10.0.0.1:40000", "192.0.2.9:3544"
	ftp := handshake(
		seg{at: 0.3, flags: "PA", seq: 1001, ack: 5001, data: "USER me\r\nEPSV\r\n"},
		// The answer to EPSV comes before what precedes it.
		seg{at: 0.4, flags: "<PA", seq: 5031, ack: 1017, data: "229 Entering Extended Passive Mode (|||2345|)\r\n"},
		seg{at: 0.5, flags: "S", seq: 1, from: "10.0.0.1:40001", to: "192.0.2.9:2345"},
		seg{at: 0.6, flags: "<SA", seq: 9, ack: 2, from: "10.0.0.1:40001", to: "192.0.2.9:2345"},
		seg{at: 0.7, flags: "<PA", seq: 5001, ack: 1017, data: "220 ready\r\n331 and who is it\r\n"},
		seg{at: 0.8, flags: "A", seq: 2, ack: 10, data: x(9), from: "10.0.0.1:40001", to: "192.0.2.9:2345"},
		seg{at: 0.9, flags: "S", seq: 1, from: "10.0.0.1:40002", to: "192.0.2.9:2345"},
	)
	return []rule{
		{name: "a parser of Spicy's that has ended does not hear of gaps", tcp: on("5432", handshake(
			seg{at: 0.3, flags: "PA", seq: 1001, ack: 5001, data: startup},
			seg{at: 0.4, flags: "<PA", seq: 5001, ack: 1018, data: "R\x00\x00\x00\x08\x00\x00\x00\x00"},
			seg{at: 0.5, flags: "R", seq: 1018},
			seg{at: 0.6, flags: "<A", seq: 5010, ack: 1050},
			seg{at: 0.7, flags: "PA", seq: 1050, ack: 5010, data: "!!!!!!!!!!"},
		)), want: []string{"postgresql"}},
		{name: "nor does LDAP's", tcp: on("389", handshake(
			seg{at: 0.3, flags: "PA", seq: 1001, ack: 5001, data: "\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"},
			seg{at: 0.4, flags: "R", seq: 1015},
			seg{at: 0.5, flags: "PA", seq: 1015, ack: 5001, data: "!!!!!!!!!!"},
		)), want: []string{"ldap_tcp"}},
		{name: "a connection that began before it was announced", tcp: on("21", ftp), want: []string{"ftp-data", "ftp", "-"}},
		{name: "Teredo's state outlives its connection by a packet", udp: []dgram{
			{from: a, to: b, data: teredo}, {at: 1, from: b, to: a, data: teredo},
			{at: 100, from: a, to: b, data: teredo}, {at: 101, from: a, to: b, data: teredo},
			{at: 200, from: a, to: b, data: teredo},
		}, want: []string{"teredo", "teredo", "-"}},
	}
}

func TestServiceRules(t *testing.T) {
	for _, r := range serviceRules() {
		t.Run(r.name, func(t *testing.T) {
			var got []string
			for _, row := range r.capture().rows(t, Options{}) {
				got = append(got, map[bool]string{true: "-", false: row.Service}[row.Service == ""])
			}
			require.Equal(t, r.want, got)
		})
	}
}

// TestServiceRulesAgainstZeek holds them to a Zeek on the PATH.
func TestServiceRulesAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	for _, r := range serviceRules() {
		t.Run(r.name, func(t *testing.T) {
			w := r.capture()
			require.Equal(t, zeekRows(t, w), captureRows(t, w))
		})
	}
}
