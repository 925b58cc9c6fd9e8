package feature

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// row makes a connection that begins at a second and lasts none.
func row(second int64, orig, resp string, port uint16, state conn.State) conn.Conn {
	return conn.Conn{
		TS: conn.Micros(second * 1e6), Proto: conn.TCP, State: state, Set: conn.Duration,
		Orig: netip.AddrPortFrom(netip.MustParseAddr(orig), 40000),
		Resp: netip.AddrPortFrom(netip.MustParseAddr(resp), port),
	}
}

// counted is a window without memory.
func counted(connections, failures, responders, ports uint32, cold bool) Window {
	return Window{Connections: connections, Failures: failures, Responders: responders, Ports: ports, Cold: cold}
}

// forgetful is the window alone, without memory.
func forgetful(w Window) Window {
	w.Memory = Memory{}
	return w
}

func TestObserveCountsFiveMinutes(t *testing.T) {
	h := NewHosts(10)
	h.opening, h.rows = 0, openingRows // as if the stream were old
	const t0 = 1000 * 60
	for _, tc := range []struct {
		name string
		c    conn.Conn
		want Window
	}{
		{"the first", row(t0, "10.0.0.1", "10.1.0.1", 80, conn.SF), counted(1, 0, 1, 1, false)},
		{"the same again", row(t0+1, "10.0.0.1", "10.1.0.1", 80, conn.SF), counted(2, 0, 1, 1, false)},
		{"a failure elsewhere", row(t0+60, "10.0.0.1", "10.1.0.2", 81, conn.S0), counted(3, 1, 2, 2, false)},
		{"another host", row(t0+60, "10.0.0.2", "10.1.0.2", 81, conn.REJ), counted(1, 1, 1, 1, false)},
		{"late: counts in the newest minute", row(t0+30, "10.0.0.1", "10.1.0.1", 81, conn.SF), counted(4, 1, 2, 2, false)},
		{"still all of them", row(t0+299, "10.0.0.1", "10.1.0.1", 80, conn.SF), counted(5, 1, 2, 2, false)},
		{"the first minute is forgotten", row(t0+300, "10.0.0.1", "10.1.0.1", 80, conn.SF), counted(4, 1, 2, 2, false)},
		{"the second minute too", row(t0+360, "10.0.0.1", "10.1.0.1", 80, conn.SF), counted(3, 0, 1, 1, false)},
		{"all but this", row(t0+5000, "10.0.0.1", "10.1.0.3", 82, conn.SF), counted(1, 0, 1, 1, false)},
		{"hours late: still the newest minute", row(t0, "10.0.0.1", "10.1.0.3", 82, conn.SF), counted(2, 0, 1, 1, false)},
		{"days late: the clock was set back", row(t0-86400, "10.0.0.1", "10.1.0.3", 82, conn.SF), counted(1, 0, 1, 1, true)},
		{"before 1970", row(-3600*24*365, "10.0.0.9", "10.1.0.3", 82, conn.SF), counted(1, 0, 1, 1, true)},
	} {
		require.Equal(t, tc.want, forgetful(h.Observe(&tc.c)), tc.name)
	}
}

func TestObserveUsesTheEnd(t *testing.T) {
	h := NewHosts(10)
	long := row(0, "10.0.0.1", "10.1.0.1", 80, conn.SF)
	long.Duration = 3600e6
	h.Observe(&long)
	c := row(3601, "10.0.0.1", "10.1.0.1", 80, conn.SF)
	require.Equal(t, uint32(2), h.Observe(&c).Connections)
	huge := row(0, "10.0.0.2", "10.1.0.1", 80, conn.SF)
	huge.TS, huge.Duration = 1<<63-1, 1<<63-1
	require.Equal(t, uint32(1), h.Observe(&huge).Connections)
}

// slowHosts is the plain twin: it keeps every row of a host.
type slowHosts struct{ rows map[netip.Addr][]slowRow }

type slowRow struct {
	minute  int64
	failed  bool
	resp    netip.Addr
	service [2]int
}

func (s *slowHosts) observe(c *conn.Conn) Window {
	if s.rows == nil {
		s.rows = map[netip.Addr][]slowRow{}
	}
	addr := c.Orig.Addr()
	rows := s.rows[addr]
	at := minuteOf(endOf(c))
	if len(rows) > 0 {
		at = max(at, rows[len(rows)-1].minute)
	}
	rows = append(rows, slowRow{at, c.State.Failed() && !oneWay(c), c.Resp.Addr(), [2]int{int(c.Proto), int(c.Resp.Port())}})
	s.rows[addr] = rows
	w := Window{}
	resps, ports := map[netip.Addr]bool{}, map[[2]int]bool{}
	for _, r := range rows {
		if r.minute > at-minutes {
			w.Connections++
			if r.failed {
				w.Failures++
			}
			resps[r.resp], ports[r.service] = true, true
		}
	}
	w.Responders, w.Ports = uint32(len(resps)), uint32(len(ports))
	return w
}

// traffic makes rows of a few hosts, some late, some scanning.
func traffic(seed uint64, n int) []conn.Conn {
	r := rand.New(rand.NewPCG(seed, 0))
	rows := make([]conn.Conn, n)
	second := int64(1e9)
	for i := range rows {
		second += r.Int64N(8)
		if r.IntN(500) == 0 {
			second += r.Int64N(900)
		}
		host := r.IntN(8)
		peers := 1 << (2 * host) // hosts from shy to scanning
		c := row(second, fmt.Sprintf("10.0.0.%d", host), "10.1.0.0", uint16(r.IntN(peers)), conn.State(r.IntN(int(conn.NumState))))
		c.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, 0, byte(r.IntN(peers)), byte(r.IntN(256) % peers)}), c.Resp.Port())
		if r.IntN(13) == 0 {
			c.TS -= conn.Micros(r.Int64N(400e6))
		}
		c.Duration = conn.Micros(r.Int64N(30e6))
		rows[i] = c
	}
	return rows
}

func TestObserveAgreesWithThePlainTwin(t *testing.T) {
	h, slow := NewHosts(100), &slowHosts{}
	for i, c := range traffic(1, 20000) {
		got, want := forgetful(h.Observe(&c)), slow.observe(&c)
		if want.Responders >= recentKeys {
			require.GreaterOrEqual(t, got.Responders, uint32(recentKeys))
			got.Responders = want.Responders
		}
		if want.Ports >= recentKeys {
			require.GreaterOrEqual(t, got.Ports, uint32(recentKeys))
			got.Ports = want.Ports
		}
		got.Cold, got.OneWay = false, false
		require.Equal(t, want, got, "row %d", i)
	}
}

// Whatever row a log begins with, rows that are not marked as cold have the
// same windows as in the whole log. What is remembered for longer is another
// matter: TestRestoredHostsGoOn.
func TestSlicesAreExactWhereNotCold(t *testing.T) {
	rows := traffic(2, 20000)
	whole := make([]Window, len(rows))
	h := NewHosts(100)
	for i := range rows {
		whole[i] = h.Observe(&rows[i])
	}
	for start := 0; start < len(rows); start += 997 {
		h, warm := NewHosts(100), 0
		for i := start; i < min(start+3000, len(rows)); i++ {
			if w := h.Observe(&rows[i]); !w.Cold {
				warm++
				require.Equal(t, forgetful(whole[i].withoutCold()), forgetful(w), "row %d of the slice from %d", i, start)
			}
		}
		if start+3000 < len(rows) {
			require.Greater(t, warm, 2500)
		}
	}
}

func (w Window) withoutCold() Window { w.Cold = false; return w }

// Other hosts' rows do not matter: a host alone has the same windows.
func TestHostsDoNotMatterToEachOther(t *testing.T) {
	rows := traffic(3, 20000)
	h := NewHosts(100)
	alone := map[netip.Addr]*Hosts{}
	for i := range rows {
		a := rows[i].Orig.Addr()
		if alone[a] == nil {
			alone[a] = NewHosts(1)
		}
		require.Equal(t, forgetful(h.Observe(&rows[i]).withoutCold()), forgetful(alone[a].Observe(&rows[i]).withoutCold()))
	}
}

// The hash of the table is seeded anew for each table; nothing else is, also
// when hosts are forgotten all the time.
func TestEvictionIsDeterministic(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 0))
	a, b := NewHosts(50), NewHosts(50)
	for i := range 50000 {
		c := row(int64(i)/10, fmt.Sprintf("10.0.0.%d", min(r.IntN(256), r.IntN(256))), "10.1.0.1", uint16(i), conn.S0)
		require.Equal(t, a.Observe(&c), b.Observe(&c))
		require.LessOrEqual(t, a.Len(), 50)
	}
}

// The host that was observed longest ago goes, and rows whose window may have
// lost something by that say so.
func TestForgottenHostIsCold(t *testing.T) {
	h := NewHosts(2)
	h.rows = openingRows
	h.opening = 0
	observe := func(second int64, orig string) Window {
		c := row(second, orig, "10.1.0.1", 80, conn.SF)
		return forgetful(h.Observe(&c))
	}
	require.Equal(t, counted(1, 0, 1, 1, false), observe(6000, "10.0.0.1"))
	require.Equal(t, counted(1, 0, 1, 1, false), observe(6001, "10.0.0.2"))
	require.Equal(t, counted(2, 0, 1, 1, false), observe(6002, "10.0.0.1"))
	require.Equal(t, counted(1, 0, 1, 1, true), observe(6003, "10.0.0.3"), ".2 is forgotten, .3 might have been")
	require.Equal(t, counted(3, 0, 1, 1, false), observe(6004, "10.0.0.1"))
	require.Equal(t, counted(1, 0, 1, 1, true), observe(6005, "10.0.0.2"))
	require.Equal(t, counted(1, 0, 1, 1, false), observe(6400, "10.0.0.3"), "what was lost is over")
}

// The marks are those of the keys of the five minutes, whether they were there
// when there were 24 keys or came later, in one minute or in several.
func TestDistinctCountsByMarks(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 24))
		var d distinct
		var m marks
		var now int64 = minutes
		seen := map[uint32]int64{} // the minute in which a key was seen last
		for range 400 {
			if r.IntN(20) == 0 {
				passed := 1 + r.Int64N(2+5*r.Int64N(2))
				now += passed
				d.advance(passed, ring(now), &m)
			}
			key := r.Uint32N(60) * (1 + r.Uint32N(2)*1000)
			seen[key] = now
			d.add(key, mix(uint64(key)), ring(now), &m)

			var marked marks
			live := uint32(0)
			for key, minute := range seen {
				if minute > now-minutes {
					level := min(bits.LeadingZeros64(mix(uint64(key)))/2, markLevels-1)
					marked.set(0, uint8(level*levelBits+int(mix(uint64(key))%levelBits)))
					live++
				}
			}
			if live >= recentKeys {
				live = max(recentKeys, marked.estimate())
			}
			require.Equal(t, live, d.count(&m))
		}
	}
}

func TestDistinctEstimate(t *testing.T) {
	for _, n := range []int{24, 50, 100, 212, 1000, 5000, 20000, 65535} {
		const runs = 200
		var sum, square float64
		for run := range runs {
			var d distinct
			var m marks
			for i := range n {
				key := uint32(run<<20 | i)
				d.add(key, mix(uint64(key)), 0, &m)
			}
			e := float64(d.count(&m))/float64(n) - 1
			sum += e
			square += e * e
		}
		mean, rms := sum/runs, square/runs
		t.Logf("%6d keys: mean error %+.3f, root mean square %.3f", n, mean, sqrt(rms))
		require.InDelta(t, 0, mean, 0.06, n)
		require.Less(t, rms, 0.19*0.19, n)
	}
}

func sqrt(x float64) float64 { return Exp(Log(x) / 2) }

// One host among a million others: memory stays, and so does the time per row.
func TestAMillionHosts(t *testing.T) {
	h := NewHosts(1000)
	c := row(0, "10.0.0.1", "10.1.0.1", 80, conn.S0)
	for i := range uint32(1_000_000) {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], i)
		c.TS = conn.Micros(i) * 1000
		c.Orig = netip.AddrPortFrom(netip.AddrFrom4(a), 1)
		h.Observe(&c)
	}
	require.Equal(t, 1000, h.Len())
}

func TestObserveDoesNotAllocate(t *testing.T) {
	h := NewHosts(4)
	rows := traffic(5, 1000)
	i := 0
	require.Zero(t, testing.AllocsPerRun(5000, func() {
		h.Observe(&rows[i%len(rows)])
		i++
	}))
}

func BenchmarkObserve(b *testing.B) {
	for _, hosts := range []uint32{8, 1000, 65536, 1_000_000} {
		b.Run(fmt.Sprintf("hosts=%d", hosts), func(b *testing.B) {
			h := NewHosts(1 << 16)
			rows := traffic(6, 1<<14)
			r := rand.New(rand.NewPCG(1, 1))
			i := 0
			for b.Loop() {
				c := &rows[i%len(rows)]
				var a [4]byte
				binary.BigEndian.PutUint32(a[:], r.Uint32N(hosts))
				c.Orig = netip.AddrPortFrom(netip.AddrFrom4(a), 1)
				h.Observe(c)
				i++
			}
		})
	}
}
