package capture

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// TestGTPElements: what Zeek's parser takes for the elements of a message that
// sets up a context (gtpv1-protocol.pac).
func TestGTPElements(t *testing.T) {
	for _, tt := range gtpElementCases() {
		require.Equal(t, tt.want, gtpElements(tt.b), tt.name)
	}
}

type gtpCase struct {
	name string
	b    []byte
	want bool
}

func gtpElementCases() []gtpCase {
	zeros := func(n int) []byte { return make([]byte, n) }
	pdp := concat(zeros(2), []byte{1}, zeros(1), []byte{2}, zeros(2), []byte{1}, zeros(1), zeros(17),
		[]byte{4}, zeros(4), []byte{0}, []byte{0}, []byte{3}, zeros(3), zeros(2))
	triplets := concat([]byte{0, 1<<6 | 2<<3}, zeros(8), zeros(2*28), zeros(2), []byte{1}, zeros(1), []byte{0, 3}, zeros(3))
	quintuplet := concat(zeros(16), []byte{2}, zeros(2), zeros(32), []byte{1}, zeros(1))
	return []gtpCase{
		{"none", nil, true},
		{"a cause and a charging id", []byte{1, 128, 127, 1, 2, 3, 4}, true},
		{"cut", []byte{127, 1, 2, 3}, false},
		{"unknown, without a length", []byte{6, 0}, false},
		{"unknown, with a length", []byte{200, 0, 2, 1, 1}, true},
		{"address", []byte{128, 0, 2, 0xf1, 0x21}, true},
		{"address shorter than its parts", []byte{128, 0, 1, 0xf1, 0x21}, false},
		{"quality of service", []byte{135, 0, 1, 0}, true},
		{"quality of service, empty", []byte{135, 0, 0, 0}, false},
		{"private, empty", []byte{255, 0, 0, 0, 0}, false},
		{"radio access, without identifier", []byte{140, 0, 1, 5}, true},
		{"radio access", []byte{140, 0, 6, 5, 1, 1, 1, 1, 9}, true},
		{"radio access, too short", []byte{140, 0, 3, 5, 1, 1, 1, 1, 9}, false},
		{"context, whatever its length", concat([]byte{130, 0, 0}, pdp), true},
		{"context, cut", concat([]byte{130, 0, byte(len(pdp))}, pdp[:len(pdp)-1]), false},
		{"mobility, triplets", concat([]byte{129, 0, 0}, triplets), true},
		{"mobility, quintuplets", concat([]byte{129, 0, 0}, []byte{0, 2<<6 | 1<<3}, zeros(32), zeros(2), quintuplet, zeros(2), []byte{0, 0, 0}), true},
		{"quintuplet", concat([]byte{136, 0, 0}, quintuplet), true},
		{"quintuplet, cut", concat([]byte{136, 0, 0}, quintuplet[:40]), false},
	}
}

// TestGTPElementsAgainstZeek: behind a message that does not parse, a packet
// carried by the same connection gives it no name.
func TestGTPElementsAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	w := newWire()
	inner := udp4(t)
	cases := gtpElementCases()
	for i, tt := range cases {
		message := func(kind byte, content []byte) string {
			return string(concat([]byte{0x30, kind}, be16(len(content)), []byte{0, 0, 0, 7}, content))
		}
		from, to := fmt.Sprintf("10.0.0.1:%d", 40000+i), "192.0.2.9:2123"
		w.udp(dgram{at: float64(i), from: from, to: to, data: message(gtpFirstPDPContext, tt.b)})
		w.udp(dgram{at: float64(i) + 0.5, from: from, to: to, data: message(gtpGPDU, inner)})
	}
	want := zeekRows(t, w)
	require.ElementsMatch(t, want, captureRows(t, w))
	named := map[string]bool{}
	for _, r := range want {
		named[r[2]] = r[serviceColumn] == "gtpv1"
	}
	for i, tt := range cases {
		require.Equal(t, tt.want, named[fmt.Sprint(40000+i)], tt.name)
	}
}
