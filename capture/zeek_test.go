package capture

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// zeekRows runs the real Zeek on a capture, with a seed so that it drains in
// the order of keys.
func zeekRows(t *testing.T, w *wire, args ...string) []textRow {
	zeek := testenv.Zeek(t)
	dir := t.TempDir()
	var seed strings.Builder
	for i := range 21 {
		fmt.Fprintln(&seed, 1000+i)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "seed"), []byte(seed.String()), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.pcap"), w.buf.Bytes(), 0o600))
	cmd := exec.Command(zeek, append([]string{"-G", "seed", "-r", "x.pcap"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return readExpected(t, filepath.Join(dir, "conn.log"))
}

// TestRandomTrafficAgainstZeek compares with the real Zeek on traffic that no
// program would send. RANDOM_SEED=n tries other packets.
func TestRandomTrafficAgainstZeek(t *testing.T) {
	testenv.Zeek(t)
	seed, err := strconv.ParseUint(os.Getenv("RANDOM_SEED"), 10, 64)
	if err != nil {
		seed = 1
	}
	show, _ := strconv.Atoi(os.Getenv("PARITY_SHOW"))
	for _, tt := range []struct {
		name string
		flow func(*rand.Rand, int) []timedPacket
	}{{"tcp", randomTCP}, {"udp", randomUDP}, {"icmp", randomICMP}, {"storm", randomStorm}} {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			var packets []timedPacket
			for i := range 1500 {
				packets = append(packets, tt.flow(random, i)...)
			}
			slices.SortStableFunc(packets, func(a, b timedPacket) int {
				return int((a.sort - b.sort) * 1e6)
			})
			w := newWire()
			for _, p := range packets {
				p.write(w)
			}
			want := withoutService(zeekRows(t, w))
			got := withoutService(captureRows(t, w))
			d := compareRows(want, got)
			for _, e := range d.examples[:min(len(d.examples), max(show, 5))] {
				t.Log(e)
			}
			require.Equal(t, len(want), d.equal, "equal rows of %d; %v", len(want), d.fields)
			require.Equal(t, len(want), len(got))
			for i := range want {
				require.Equal(t, want[i], got[i], "row %d", i)
			}
		})
	}
}

func captureRows(t *testing.T, w *wire) []textRow {
	rows := w.rows(t, Options{})
	var text []textRow
	var uids []string
	for i := range rows {
		text, uids = append(text, textOf(&rows[i])), append(uids, rows[i].UID)
	}
	resolveParents(text, uids)
	return text
}

func withoutService(rows []textRow) []textRow {
	for i := range rows {
		rows[i][serviceColumn] = "-"
	}
	return rows
}

type timedPacket struct {
	sort  float64 // its place in the capture: mostly its time
	write func(*wire)
}

// gap is a time between two packets, now and then one that some timer notices.
func gap(r *rand.Rand) float64 {
	switch n := r.IntN(100); {
	case n < 80:
		return float64(r.IntN(500000)) / 1e6
	case n < 94:
		return 4 + float64(r.IntN(3_000_000))/1e6
	case n < 98:
		return 50 + float64(r.IntN(20_000_000))/1e6
	case n < 99:
		return 290 + float64(r.IntN(20_000_000))/1e6
	}
	return 0
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomTCP is one conversation: mostly plausible, with every kind of mistake.
func randomTCP(r *rand.Rand, n int) []timedPacket {
	type half struct{ isn, next uint32 }
	ends := [2]half{}
	for i := range ends {
		isn := pick(r, r.Uint32(), 0xffffff00, 0, 1000)
		ends[i] = half{isn, isn}
	}
	addr := pick(r, "10.0.0.1", "8.8.8.8", "192.0.2.77", "2001:db8::5", "::1")
	other := pick(r, "10.9.9.9", "9.9.9.9", "127.0.0.1")
	if strings.Contains(addr, ":") {
		other = pick(r, "fe80::1", "2600::1", "::1")
	}
	from := fmt.Sprintf("%s:%d", bracket(addr), 10000+n)
	to := fmt.Sprintf("%s:%d", bracket(other), pick(r, 5000, 5000, 4242, 22, 513, 993, 8888, 61000))
	at := float64(n) * 1.7
	var out []timedPacket
	sloppy := r.IntN(3) // 0: a good conversation
	count := 2 + r.IntN(14)
	for i := range count {
		side := r.IntN(2)
		flags := pick(r, "A", "A", "PA", "PA", "PA", "FA", "RA", "R", "F", "S", "SA")
		if i < 3 && r.IntN(10) < 7 {
			side = i % 2
			flags = [...]string{"S", "SA", "A"}[i]
		}
		if sloppy == 0 && i >= 3 {
			flags = pick(r, "A", "PA", "PA", "PA", "FA", "A")
		}
		if sloppy == 2 && r.IntN(12) == 0 {
			flags = pick(r, "", "SF", "SR", "FR", "SFRA", "P", "SFA", "SPA", "U")
		}
		size := 0
		if strings.Contains(flags, "P") || r.IntN(15) == 0 {
			size = pick(r, 1, 2, 10, 100, 1400, 1400, 9000)
		}
		me, you := &ends[side], &ends[1-side]
		s := seg{at: at, seq: me.next, ack: you.next, data: strings.Repeat("x", size), from: from, to: to}
		if side == 1 {
			flags = "<" + flags
		}
		s.flags = flags
		if strings.Contains(flags, "S") {
			s.seq = me.isn
		}
		if sloppy > 0 && r.IntN(6) == 0 {
			s.seq += pick(r, 1, ^uint32(0), 100, 1400, ^uint32(1399), 1<<21, 1<<31, 40000, r.Uint32())
		}
		if sloppy > 0 && r.IntN(6) == 0 {
			s.ack += pick(r, 1, ^uint32(0), 100, 1400, ^uint32(1399), 1<<21, 1<<31, 40000, r.Uint32())
		}
		if r.IntN(40) == 0 {
			s.ack = 0
		}
		s.bad, s.window0 = r.IntN(40) == 0, r.IntN(30) == 0
		end := s.seq + uint32(size)
		if strings.ContainsAny(flags, "SF") {
			end++
		}
		if !s.bad && r.IntN(12) > 0 && !strings.Contains(flags, "R") { // else the next one overlaps it or it is lost
			me.next = end
		}
		lost := sloppy > 0 && r.IntN(12) == 0
		place := at
		if sloppy > 0 && r.IntN(20) == 0 {
			place += 0.3 // captured late
		}
		if !lost {
			out = append(out, timedPacket{place, func(w *wire) { w.tcp(s) }})
		}
		at += gap(r)
	}
	return out
}

// randomStorm is part of a storm of connections whose timers fall due all at
// once, more than Zeek runs at one packet, and of the packets that come then.
func randomStorm(r *rand.Rand, n int) []timedPacket {
	at := float64(n%3) / 100
	from, to := fmt.Sprintf("10.0.0.1:%d", 10000+n), pick(r, "192.0.2.9:5000", "192.0.2.9:53", "9.9.9.9:4242")
	var out []timedPacket
	add := func(at float64) {
		if n%2 == 0 {
			out = append(out, timedPacket{at, func(w *wire) { w.tcp(seg{at: at, flags: "S", seq: 7, from: from, to: to}) }})
		} else {
			out = append(out, timedPacket{at, func(w *wire) { w.udp(dgram{at: at, from: from, to: to, data: "x"}) }})
		}
	}
	add(at)
	if n%40 == 0 {
		add(pick(r, 5, 5.5, 8, 12, 30, 61, 64) + float64(r.IntN(1000))/1e5)
	}
	return out
}

func bracket(addr string) string {
	if strings.Contains(addr, ":") {
		return "[" + addr + "]"
	}
	return addr
}

func randomUDP(r *rand.Rand, n int) []timedPacket {
	from := fmt.Sprintf("10.0.0.1:%d", pick(r, 10000+n, 10000+n, 10000+n, 53, 123, 5060))
	to := fmt.Sprintf("%s:%d", pick(r, "192.0.2.9", "255.255.255.255", "224.0.0.251", "9.9.9.9"),
		pick(r, 5000, 20000+n, 161, 53, 5353, 137))
	at := float64(n) * 1.7
	var out []timedPacket
	for range 1 + r.IntN(8) {
		d := dgram{at: at, from: from, to: to, data: strings.Repeat("x", pick(r, 0, 0, 1, 3, 50, 1000))}
		if r.IntN(2) == 0 {
			d.from, d.to = d.to, d.from
		}
		d.bad = r.IntN(20) == 0
		place := at
		if r.IntN(20) == 0 {
			place += 0.3
		}
		out = append(out, timedPacket{place, func(w *wire) { w.udp(d) }})
		at += gap(r)
	}
	return out
}

func randomICMP(r *rand.Rand, n int) []timedPacket {
	four := r.IntN(2) == 0
	from, to := fmt.Sprintf("10.0.%d.1", n%256), "192.0.2.9"
	types := []uint8{0, 3, 8, 8, 11, 13, 14, 10, 9, 17, 18, 40}
	if !four {
		from, to = fmt.Sprintf("2001:db8::%x", n%256), "fe80::1"
		types = []uint8{1, 3, 128, 129, 130, 131, 133, 134, 135, 136, 143, 144, 145, 200}
	}
	at := float64(n) * 1.7
	var out []timedPacket
	for range 1 + r.IntN(4) {
		at += 1e-6 // no two connections begin at the same instant
		m := message{at: at, from: from, to: to, typ: pick(r, types...), code: uint8(r.IntN(3)), data: strings.Repeat("x", r.IntN(60)), bad: r.IntN(20) == 0}
		if r.IntN(2) == 0 {
			m.from, m.to = m.to, m.from
		}
		out = append(out, timedPacket{at, func(w *wire) { w.icmp(m) }})
		at += gap(r)
	}
	return out
}
