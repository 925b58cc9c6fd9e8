package capture

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// rule is one rule of conn.log on packets that show it. The rows are what the
// real Zeek writes (TestRulesAgainstZeek holds them to that).
type rule struct {
	name string
	tcp  []seg
	udp  []dgram
	icmp []message
	want []string // rows as brief has them
}

func (r *rule) capture() *wire {
	w := newWire()
	for _, s := range r.tcp {
		w.tcp(s)
	}
	for _, d := range r.udp {
		w.udp(d)
	}
	for _, m := range r.icmp {
		w.icmp(m)
	}
	return w
}

// handshake begins a connection whose sides count from 1000 and 5000.
func handshake(rest ...seg) []seg {
	return append([]seg{
		{at: 0, flags: "S", seq: 1000},
		{at: 0.1, flags: "<SA", seq: 5000, ack: 1001},
		{at: 0.2, flags: "A", seq: 1001, ack: 5001},
	}, rest...)
}

// x is data of n bytes.
func x(n int) string { return strings.Repeat("x", n) }

func rules() []rule {
	var all []rule
	all = append(all, handshakeRules()...)
	all = append(all, historyRules()...)
	all = append(all, closeRules()...)
	all = append(all, sizeRules()...)
	all = append(all, timerRules()...)
	all = append(all, datagramRules()...)
	return all
}

func TestRules(t *testing.T) {
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			require.Equal(t, r.want, briefs(r.capture().rows(t, Options{})))
		})
	}
}

// TestRulesAgainstZeek compares all columns but service with those of a Zeek on
// the PATH.
func TestRulesAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			w := r.capture()
			require.Equal(t, withoutService(zeekRows(t, w)), withoutService(captureRows(t, w)))
		})
	}
}

func handshakeRules() []rule {
	return []rule{
		{name: "whole connection", tcp: handshake(
			seg{at: 0.3, flags: "PA", seq: 1001, ack: 5001, data: x(10)},
			seg{at: 0.4, flags: "<PA", seq: 5001, ack: 1011, data: x(20)},
			seg{at: 0.5, flags: "FA", seq: 1011, ack: 5021},
			seg{at: 0.6, flags: "<FA", seq: 5021, ack: 1012},
			seg{at: 0.7, flags: "A", seq: 1012, ack: 5022},
		), want: []string{"SF ShADdFf 10/20 0.6"}},
		{name: "no answer", tcp: []seg{{flags: "S", seq: 1}}, want: []string{"S0 S -"}},
		{name: "refused", tcp: []seg{{flags: "S", seq: 1}, {at: 0.1, flags: "<RA", ack: 2}}, want: []string{"REJ Sr 0/0 0.1"}},
		{name: "no acknowledgement of the SYN-ACK", tcp: handshake()[:2], want: []string{"S1 Sh 0/0 0.1"}},
		{name: "client's half", tcp: []seg{
			{flags: "S", seq: 1000}, {at: 0.1, flags: "A", seq: 1001, ack: 5001},
			{at: 0.2, flags: "PA", seq: 1001, ack: 5001, data: x(3)},
		}, want: []string{"S0 SAD 3/0 0.2"}},
		{name: "client's half, closed", tcp: []seg{
			{flags: "S", seq: 1000}, {at: 0.1, flags: "A", seq: 1001, ack: 5001},
			{at: 0.2, flags: "PA", seq: 1001, ack: 5001, data: x(3)}, {at: 0.3, flags: "FA", seq: 1004, ack: 5001},
		}, want: []string{"SH SADF 3/0 0.3"}},
		{name: "mid-stream", tcp: []seg{
			{flags: "PA", seq: 1000, ack: 5000, data: x(5)}, {at: 0.1, flags: "<PA", seq: 5000, ack: 1005, data: x(6)},
		}, want: []string{"OTH Dd 5/6 0.1"}},
		{name: "mid-stream from a likely server port", tcp: []seg{
			{flags: "<PA", seq: 1000, ack: 5000, data: x(5), from: "10.0.0.1:40000", to: "192.0.2.9:993"},
		}, want: []string{"OTH ^d -"}},
		{name: "SYN-ACK first stays a scan until something answers", tcp: []seg{
			{flags: "<SA", seq: 5000, ack: 1001}, {at: 0.1, flags: "R", seq: 1001},
		}, want: []string{"REJ Hr 0/0 0.1"}},
		{name: "SYN-ACK first, then an acknowledgement: roles change", tcp: []seg{
			{flags: "<SA", seq: 5000, ack: 1001}, {at: 0.1, flags: "A", seq: 1001, ack: 5001},
			{at: 0.2, flags: "PA", seq: 1001, ack: 5001, data: x(3)},
		}, want: []string{"OTH ^hAD 3/0 0.2"}},
		{name: "SYN-ACK from a likely server port: only the SYN is missing", tcp: []seg{
			{flags: "<SA", seq: 5000, ack: 1001, from: "10.0.0.1:40000", to: "192.0.2.9:993"},
			{at: 0.1, flags: "A", seq: 1001, ack: 5001, from: "10.0.0.1:40000", to: "192.0.2.9:993"},
		}, want: []string{"S1 ^hA 0/0 0.1"}},
		{name: "SYN-ACK captured before the SYN", tcp: []seg{
			{flags: "<SA", seq: 5000, ack: 1001}, {at: 0.1, flags: "S", seq: 1000},
			{at: 0.2, flags: "A", seq: 1001, ack: 5001}, {at: 0.3, flags: "<PA", seq: 5001, ack: 1001, data: x(4)},
		}, want: []string{"S1 Hs^Ad 0/4 0.3"}},
		{name: "SYN of another connection after a SYN-ACK", tcp: []seg{
			{flags: "<SA", seq: 5000, ack: 1001}, {at: 0.1, flags: "S", seq: 9000},
		}, want: []string{"OTH H -", "S0 S -"}},
		{name: "acknowledgement before the SYN-ACK", tcp: []seg{
			{flags: "S", seq: 1000}, {at: 0.1, flags: "<A", seq: 5000, ack: 1001}, {at: 0.2, flags: "<SA", seq: 5000, ack: 1001},
		}, want: []string{"S1 Sah 0/0 0.2"}},
		{name: "simultaneous SYNs of one number", tcp: []seg{
			{flags: "S", seq: 1000}, {at: 0.1, flags: "<S", seq: 1000}, {at: 0.2, flags: "PA", seq: 1001, ack: 1001, data: x(3)},
		}, want: []string{"S1 SsD 3/0 0.2"}},
		{name: "simultaneous SYNs of two numbers", tcp: []seg{
			{flags: "S", seq: 1000}, {at: 0.1, flags: "<S", seq: 5000}, {at: 0.2, flags: "SA", seq: 1000, ack: 5001},
		}, want: []string{"S0 S -", "S1 Sh 0/0 0.1"}},
		{name: "SYN after mid-stream data", tcp: []seg{
			{flags: "PA", seq: 999, ack: 5001, data: x(1)}, {at: 0.1, flags: "S", seq: 998},
			{at: 0.2, flags: "<SA", seq: 5000, ack: 999}, {at: 0.3, flags: "A", seq: 999, ack: 5001},
		}, want: []string{"S1 DShA 0/0 0.3"}},
		{name: "SYN with a new number is a new connection", tcp: handshake(
			seg{at: 0.3, flags: "S", seq: 9000}, seg{at: 0.4, flags: "<SA", seq: 7000, ack: 9001},
		), want: []string{"S1 ShA 0/0 0.2", "S1 Sh 0/0 0.1"}},
		{name: "so is one with a bad checksum", tcp: handshake(seg{at: 0.3, flags: "S", seq: 9000, bad: true}),
			want: []string{"S1 ShA 0/0 0.2", "OTH C -"}},
		{name: "SYN after a close is a new connection, whatever its number", tcp: handshake(
			seg{at: 0.3, flags: "FA", seq: 1001, ack: 5001}, seg{at: 0.4, flags: "S", seq: 1000},
		), want: []string{"S2 ShAF 0/0 0.3", "S0 S -"}},
		{name: "both ports likely: the lower one is the server's", tcp: []seg{
			{flags: "PA", seq: 1, data: x(1), from: "10.0.0.1:22", to: "192.0.2.9:443"},
			{flags: "PA", seq: 1, data: x(1), from: "10.0.0.1:443", to: "192.0.2.8:22"},
		}, want: []string{"OTH D -", "OTH ^d -"}},
	}
}

func historyRules() []rule {
	many := func(n int, s seg) []seg {
		var out []seg
		for i := range n {
			s.at = 0.3 + float64(i)/1000
			out = append(out, s)
		}
		return out
	}
	return []rule{
		{name: "letters of retransmissions at 1, 10, 100", tcp: handshake(append(
			[]seg{{at: 0.25, flags: "PA", seq: 1001, ack: 5001, data: x(10)}},
			many(120, seg{flags: "PA", seq: 1001, ack: 5001, data: x(10)})...)...),
			want: []string{"S1 ShADTTT 10/0 0.419"}},
		{name: "letters of bad checksums at 1, 10, 100", tcp: handshake(many(105, seg{flags: "<PA", seq: 5001, ack: 1001, data: x(10), bad: true})...),
			want: []string{"S1 ShAccc 0/0 0.2"}},
		{name: "zero windows", tcp: handshake(many(12, seg{flags: "A", seq: 1001, ack: 5001, window0: true})...),
			want: []string{"S1 ShAWW 0/0 0.311"}},
		{name: "a zero window counts on a SYN, not on a RST", tcp: []seg{
			{flags: "S", seq: 1, window0: true}, {at: 0.1, flags: "<RA", ack: 2, window0: true},
		}, want: []string{"REJ SWr 0/0 0.1"}},
		{name: "FIN again at another end", tcp: handshake(
			seg{at: 0.3, flags: "FA", seq: 1001, ack: 5001}, seg{at: 0.4, flags: "FA", seq: 1001, ack: 5001},
			seg{at: 0.5, flags: "FA", seq: 1005, ack: 5001},
		), want: []string{"S2 ShAFF 4/0 0.5"}},
		{name: "RST again at another number", tcp: handshake(
			seg{at: 0.3, flags: "R", seq: 1001}, seg{at: 0.4, flags: "R", seq: 1001}, seg{at: 0.5, flags: "R", seq: 1002},
		), want: []string{"RSTO ShARR 0/0 0.5"}},
		{name: "SYN again", tcp: []seg{{flags: "S", seq: 1}, {at: 1, flags: "S", seq: 1}, {at: 3, flags: "S", seq: 1}},
			want: []string{"S0 S 0/0 3"}},
		{name: "data in a SYN is a retransmission at once", tcp: []seg{{flags: "S", seq: 1, data: x(7)}, {at: 0.1, flags: "<SA", seq: 5000, ack: 9}},
			want: []string{"S1 STh 7/0 0.1"}},
		{name: "data in a FIN is no D", tcp: handshake(seg{at: 0.3, flags: "FPA", seq: 1001, ack: 5001, data: x(7)}),
			want: []string{"S2 ShAF 7/0 0.3"}},
		{name: "SYN and FIN", tcp: []seg{{flags: "SF", seq: 1}}, want: []string{"SH Q -"}},
		{name: "SYN and RST", tcp: []seg{{flags: "SR", seq: 1}}, want: []string{"OTH Q -"}},
		{name: "FIN and RST", tcp: []seg{{flags: "FR", seq: 1}}, want: []string{"OTH I -"}},
		{name: "no flags", tcp: []seg{{flags: "", seq: 1}}, want: []string{"OTH - -"}},
		{name: "a lone RST", tcp: []seg{{flags: "R", seq: 1}}, want: []string{"OTH R -"}},
		{name: "a lone RST from a likely server port", tcp: []seg{{flags: "<R", seq: 1, from: "10.0.0.1:40000", to: "192.0.2.9:993"}},
			want: []string{"RSTRH ^r -"}},
		{name: "RST after an unanswered SYN", tcp: []seg{{flags: "S", seq: 1}, {at: 0.1, flags: "R", seq: 2}},
			want: []string{"RSTOS0 SR 0/0 0.1"}},
	}
}

func closeRules() []rule {
	return []rule{
		{name: "the last acknowledgement does not lengthen", tcp: handshake(
			seg{at: 0.3, flags: "FA", seq: 1001, ack: 5001}, seg{at: 0.4, flags: "<FA", seq: 5001, ack: 1002},
			seg{at: 2, flags: "A", seq: 1002, ack: 5002},
		), want: []string{"SF ShAFf 0/0 0.4"}},
		{name: "it does while data waits for its acknowledgement", tcp: handshake(
			seg{at: 0.3, flags: "<PA", seq: 5001, ack: 1001, data: x(5)},
			seg{at: 0.4, flags: "FA", seq: 1001, ack: 5001}, seg{at: 0.5, flags: "<FA", seq: 5006, ack: 1002},
			seg{at: 2, flags: "A", seq: 1002, ack: 5007},
		), want: []string{"SF ShAdFf 0/5 2"}},
		{name: "a byte in the place of an acknowledged FIN is new data", tcp: handshake(
			seg{at: 0.3, flags: "FA", seq: 1001, ack: 5001}, seg{at: 0.4, flags: "<A", seq: 5001, ack: 1002},
			seg{at: 0.5, flags: "PA", seq: 1001, ack: 5001, data: x(1)},
			seg{at: 0.6, flags: "<FA", seq: 5001, ack: 1002}, seg{at: 2, flags: "A", seq: 1002, ack: 5002},
		), want: []string{"SF ShAFaDTf 0/0 2"}},
		{name: "only one side closes", tcp: handshake(seg{at: 0.3, flags: "<FA", seq: 5001, ack: 1001}),
			want: []string{"S3 ShAf 0/0 0.3"}},
		{name: "reset by the originator", tcp: handshake(seg{at: 0.3, flags: "RA", seq: 1001, ack: 5001}),
			want: []string{"RSTO ShAR 0/0 0.3"}},
		{name: "reset by the responder", tcp: handshake(seg{at: 0.3, flags: "<RA", seq: 5001, ack: 1001}),
			want: []string{"RSTR ShAr 0/0 0.3"}},
		{name: "FIN, RST for late data, the peer's FIN: a normal end", tcp: handshake(
			seg{at: 0.3, flags: "FA", seq: 1001, ack: 5001}, seg{at: 0.4, flags: "<PA", seq: 5001, ack: 1002, data: x(4)},
			seg{at: 0.5, flags: "R", seq: 1002}, seg{at: 0.6, flags: "<FA", seq: 5005, ack: 1002},
		), want: []string{"SF ShAFdRf 0/4 0.6"}},
		{name: "RST after both FINs changes nothing", tcp: handshake(
			seg{at: 0.3, flags: "FA", seq: 1001, ack: 5001}, seg{at: 0.4, flags: "<FA", seq: 5001, ack: 1002},
			seg{at: 0.5, flags: "R", seq: 1002},
		), want: []string{"SF ShAFfR 0/0 0.4"}},
		{name: "packets after a reset", tcp: handshake(
			seg{at: 0.3, flags: "PA", seq: 1001, ack: 5001, data: x(3)}, seg{at: 0.4, flags: "R", seq: 1004},
			seg{at: 0.5, flags: "<PA", seq: 5001, ack: 1004, data: x(4)}, seg{at: 0.6, flags: "<FA", seq: 5005, ack: 1004},
		), want: []string{"RSTO ShADRdf 3/4 0.6"}},
		{name: "removed five seconds after the close", tcp: handshake(
			seg{at: 0.3, flags: "R", seq: 1001}, seg{at: 6, flags: "R", seq: 1001},
		), want: []string{"RSTO ShAR 0/0 0.3", "OTH R -"}},
		{name: "mid-stream, closed by both", tcp: []seg{
			{flags: "FA", seq: 1000, ack: 5000}, {at: 0.1, flags: "<FA", seq: 5000, ack: 1001},
		}, want: []string{"SF Ff 0/0 0.1"}},
	}
}

func sizeRules() []rule {
	var hole []seg
	for i := range 40 {
		hole = append(hole, seg{at: 0.3 + float64(i)/100, flags: "PA", seq: 2001 + 1000*uint32(i), ack: 5001, data: x(1000)})
	}
	return []rule{
		{name: "data that only its acknowledgement shows", tcp: handshake(
			seg{at: 0.3, flags: "<A", seq: 5001, ack: 1501},
		), want: []string{"S1 ShAaG 500/0 0.3"}},
		{name: "a hole that is acknowledged", tcp: handshake(
			seg{at: 0.3, flags: "PA", seq: 1001, ack: 5001, data: x(10)}, seg{at: 0.4, flags: "PA", seq: 1111, ack: 5001, data: x(10)},
			seg{at: 0.5, flags: "<A", seq: 5001, ack: 1121},
		), want: []string{"S1 ShADaG 120/0 0.5"}},
		{name: "a hole that is filled late", tcp: handshake(
			seg{at: 0.3, flags: "PA", seq: 1011, ack: 5001, data: x(10)}, seg{at: 0.4, flags: "PA", seq: 1001, ack: 5001, data: x(10)},
			seg{at: 0.5, flags: "<A", seq: 5001, ack: 1021},
		), want: []string{"S1 ShADTa 20/0 0.5"}},
		{name: "a hole in a connection that was reset is none", tcp: handshake(
			seg{at: 0.3, flags: "PA", seq: 1011, ack: 5001, data: x(10)}, seg{at: 0.4, flags: "<RA", seq: 5001, ack: 1021},
		), want: []string{"RSTR ShADr 20/0 0.4"}},
		{name: "a large hole without any acknowledgement is given up", tcp: handshake(append(hole,
			seg{at: 2, flags: "<A", seq: 5001, ack: 42001})...),
			want: []string{"S1 ShADa 41000/0 2"}},
		{name: "wrapped numbers", tcp: []seg{
			{flags: "S", seq: 0xffffff00}, {at: 0.1, flags: "<SA", seq: 0xfffffff8, ack: 0xffffff01},
			{at: 0.2, flags: "PA", seq: 0xffffff01, ack: 0xfffffff9, data: x(1000)}, {at: 0.3, flags: "<PA", seq: 0xfffffff9, ack: 745, data: x(9)},
		}, want: []string{"S1 ShDd 1000/9 0.3"}},
		{name: "the wrap of a SYN with the last number is not counted", tcp: []seg{
			{flags: "S", seq: 1000}, {at: 0.1, flags: "<SA", seq: 0xffffffff, ack: 1001},
			{at: 0.3, flags: "<PA", seq: 0, ack: 1001, data: x(9)},
		}, want: []string{"S1 Shd 0/0 0.3"}},
		{name: "a FIN before the SYN's number is a wrap", tcp: []seg{
			{flags: "S", seq: 100000}, {at: 0.1, flags: "FA", seq: 99500},
		}, want: []string{"SH SF 4294966795/0 0.1"}},
		{name: "a jump of half the numbers is old data", tcp: handshake(
			seg{at: 0.3, flags: "PA", seq: 1001 + 1<<31, ack: 5001, data: x(10)},
		), want: []string{"S1 ShADT 0/0 0.3"}},
	}
}

func timerRules() []rule {
	return []rule{
		{name: "an attempt ends after five seconds, SYNs again or not", tcp: []seg{
			{flags: "S", seq: 1}, {at: 1, flags: "S", seq: 1}, {at: 3, flags: "S", seq: 1}, {at: 7, flags: "S", seq: 1}, {at: 15, flags: "S", seq: 1},
		}, want: []string{"S0 S 0/0 3", "S0 S -", "S0 S -"}},
		{name: "an answer after that is another connection", tcp: []seg{
			{flags: "S", seq: 1000}, {at: 6, flags: "<SA", seq: 5000, ack: 1001}, {at: 6.1, flags: "A", seq: 1001, ack: 5001},
		}, want: []string{"S0 S -", "OTH ^hA 0/0 0.1"}},
		{name: "nothing but bad checksums: five seconds", tcp: []seg{
			{flags: "A", seq: 1, bad: true}, {at: 3, flags: "A", seq: 1, bad: true}, {at: 8, flags: "A", seq: 1, bad: true}, {at: 20, flags: "A", seq: 1, bad: true},
		}, want: []string{"OTH C -", "OTH C -", "OTH C -"}},
		{name: "300 s of silence", tcp: handshake(
			seg{at: 250, flags: "PA", seq: 1001, ack: 5001, data: x(3)}, seg{at: 560, flags: "PA", seq: 1004, ack: 5001, data: x(3)},
		), want: []string{"S1 ShAD 3/0 250", "OTH D -"}},
		{name: "an hour on an interactive port", tcp: func() []seg {
			s := handshake(seg{at: 3000, flags: "PA", seq: 1001, ack: 5001, data: x(3)}, seg{at: 6700, flags: "PA", seq: 1004, ack: 5001, data: x(3)})
			for i := range s {
				s[i].from, s[i].to = "10.0.0.1:40000", "192.0.2.9:513"
			}
			return s
		}(), want: []string{"S1 ShAD 3/0 3000", "OTH D -"}},
		{name: "60 s before a handshake", tcp: []seg{
			{flags: "<SA", seq: 5000, ack: 1}, {at: 55, flags: "<SA", seq: 5000, ack: 1}, {at: 120, flags: "<SA", seq: 5000, ack: 1},
		}, want: []string{"OTH H -", "OTH H -", "OTH H -"}},
	}
}

func datagramRules() []rule {
	const a, b = "10.0.0.1:40000", "192.0.2.9:5000"
	return []rule{
		{name: "UDP both ways", udp: []dgram{{from: a, to: b, data: x(3)}, {at: 1, from: b, to: a, data: x(4)}},
			want: []string{"SF Dd 3/4 1"}},
		{name: "UDP without answer", udp: []dgram{{from: a, to: b, data: x(3)}, {at: 1, from: a, to: b}},
			want: []string{"S0 D 3/0 1"}},
		{name: "UDP from a likely server port", udp: []dgram{{from: "192.0.2.9:161", to: a, data: x(3)}, {at: 1, from: "192.0.2.9:161", to: a}},
			want: []string{"SHR ^d 0/3 1"}},
		{name: "no flip towards a broadcast", udp: []dgram{{from: "192.0.2.9:67", to: "255.255.255.255:68", data: x(3)}},
			want: []string{"S0 D -"}},
		{name: "UDP with bad checksums only", udp: []dgram{{from: a, to: b, bad: true}, {at: 1, from: b, to: a, bad: true}},
			want: []string{"OTH Cc -"}},
		{name: "UDP length field below its header", udp: []dgram{{from: a, to: b, data: x(9), length: 4}, {at: 1, from: a, to: b, data: x(2)}},
			want: []string{"S0 D 2/0 1"}},
		{name: "UDP ends after 60 s of silence", udp: []dgram{{from: a, to: b}, {at: 59, from: a, to: b}, {at: 120, from: a, to: b}},
			want: []string{"S0 D 0/0 59", "S0 D -"}},
		{name: "DNS ends after ten", udp: []dgram{{from: a, to: "192.0.2.9:53"}, {at: 8, from: a, to: "192.0.2.9:53"}, {at: 12, from: a, to: "192.0.2.9:53"}, {at: 21, from: a, to: "192.0.2.9:53"}, {at: 35, from: a, to: "192.0.2.9:53"}},
			want: []string{"S0 D 0/0 21", "S0 D -"}},
		{name: "echo", icmp: []message{{from: "10.0.0.1", to: "192.0.2.9", typ: 8, data: x(56)}, {at: 0.1, from: "192.0.2.9", to: "10.0.0.1", typ: 0, data: x(56)}},
			want: []string{"OTH - 56/56 0.1"}},
		{name: "unreachable has no answer", icmp: []message{{from: "10.0.0.1", to: "192.0.2.9", typ: 3, code: 1, data: x(28)}, {at: 0.1, from: "192.0.2.9", to: "10.0.0.1", typ: 3, code: 1, data: x(28)}},
			want: []string{"OTH - -", "OTH - -"}},
		{name: "ICMP with a bad checksum", icmp: []message{{from: "10.0.0.1", to: "192.0.2.9", typ: 8, bad: true}, {at: 0.1, from: "10.0.0.1", to: "192.0.2.9", typ: 8}},
			want: []string{"OTH - 0/0 0.1"}},
	}
}
