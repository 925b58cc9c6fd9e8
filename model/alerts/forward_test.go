package alerts

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// traffic are rows of some days: of several logs, of models that change, with
// hosts that are strange for a while, beacons, and connections that go on.
func traffic(n int) []Row {
	r := rand.New(rand.NewPCG(17, 3))
	ts := conn.Micros(1.7e15)
	rows := make([]Row, 0, n)
	bursts := map[int]int{}
	for len(rows) < n {
		ts += conn.Micros(r.IntN(8e6))
		if r.IntN(4000) == 0 {
			ts += conn.Micros(r.Int64N(int64(2 * hour)))
		}
		host := r.IntN(60)
		if r.IntN(300) == 0 {
			bursts[host] = 1 + r.IntN(200)
		}
		row := Row{TS: ts - conn.Micros(r.IntN(2e6)), Own: r.IntN(5) > 0, Cold: r.IntN(50) == 0, Model: "m1"}
		row.Log = []string{"", "", "", "dns", "ssl"}[r.IntN(5)]
		if len(rows) > n/2 {
			row.Model = "m2"
		}
		row.Score = math.Round((0.35+0.22*r.Float64())*1e4) / 1e4
		if bursts[host] > 0 && r.IntN(2) == 0 {
			bursts[host]--
			row.Score = math.Round((0.5+0.3*r.Float64())*1e4) / 1e4
		}
		row.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(host)}), uint16(r.IntN(60000)))
		row.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(200))}), uint16(1+r.IntN(3)))
		if !row.Own {
			row.Orig, row.Resp = row.Resp, row.Orig
		}
		if row.Log == "dns" {
			row.Name = uint64(r.IntN(20))
		}
		row.Calls = row.Log == "" && row.Own
		row.Open = row.Log == "" && r.IntN(40) == 0
		if row.End = row.TS; row.Open {
			row.End += conn.Micros(r.Int64N(int64(day)))
			row.Calls = false
		}
		rows = append(rows, row)
		if len(rows)%20 == 0 { // one host calls another one each minute or so
			beacon := Row{TS: ts, End: ts, Own: true, Calls: true, Model: row.Model, Score: 0.4}
			beacon.Orig = netip.MustParseAddrPort("10.0.1.1:1000")
			beacon.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(len(rows) / 5000)}), 443)
			rows = append(rows, beacon)
		}
	}
	return rows
}

// told is what a policy tells of a row, or of an incident.
func (r *Row) told() string {
	return fmt.Sprintf("%s %v %s → %s %.4f %s %v", r.Log, r.TS, r.Orig, r.Resp, r.Score, r.Model, r.Open)
}

func (i *Incident) tells() string {
	return fmt.Sprintf("incident %v %v %d %v %v %.4f %s %v %v %v %v %v %v %v", i.Host, i.Inbound, i.Count, i.Begun, i.Latest, i.Score, i.Log, i.Orig, i.Resp, i.OneOrig, i.OneResp, i.OneLog, i.Over, i.Period)
}

// vetoed are rows of which the site does not want to hear.
func vetoed(r *Row) bool { return r.Resp.Port() == 2 && r.Orig.Addr().As4()[3]%2 == 0 }

// alone is what one policy tells of the rows.
func alone(rows []Row, perDay float64) (told []string) {
	p := New(perDay)
	incident := func(i *Incident) { told = append(told, i.tells()) }
	for i := range rows {
		r := rows[i]
		p.Incidents(false, incident)
		if p.Unusual(&r) && !vetoed(&r) && p.Raise(&r) == Raise {
			told = append(told, r.told())
		}
	}
	p.Incidents(true, incident)
	return told
}

// site is a policy and sensors that forward their rows to it.
type site struct {
	policy  *Policy
	sensors []*Policy
	told    []string
	alerts  int
	bytes   int
	details int
}

func newSite(perDay float64, sensors int) *site {
	s := &site{policy: New(perDay)}
	for range sensors {
		f := New(perDay)
		f.Forward()
		s.sensors = append(s.sensors, f)
	}
	return s
}

func (s *site) see(sensor int, r Row) {
	p := s.sensors[sensor]
	p.Incidents(false, nil)
	switch p.Unusual(&r) {
	case true:
		if !vetoed(&r) {
			p.Ask(func() Detail {
				s.details++
				return Detail{UID: "C1", Proto: conn.TCP, Score: r.Score, Rank: 7, Reason: r.told()}
			})
		}
	default:
		if p.Meets() && vetoed(&r) {
			p.Withhold()
		}
	}
}

// send lets a sensor send so many messages.
func (s *site) send(t *testing.T, sensor, messages int) {
	t.Helper()
	for range messages {
		m := s.sensors[sensor].Candidates()
		if m == nil {
			return
		}
		s.bytes += len(m)
		require.NoError(t, s.policy.Decide(sensor, m, func(c *Candidate) {
			s.alerts++
			s.told = append(s.told, c.Row.told())
			if c.Detail.Reason != "" {
				require.Equal(t, c.Row.told(), c.Detail.Reason)
			}
		}, s.incident))
	}
}

func (s *site) incident(i *Incident) { s.told = append(s.told, i.tells()) }

// Where one sensor sees all, the policy that it forwards its rows to tells what
// the sensor would have told by itself, whenever messages go.
func TestForwardedRowsRaiseTheSameAlerts(t *testing.T) {
	rows := traffic(60_000)
	for _, perDay := range []float64{0.5, 5, 20, 200} {
		want := alone(rows, perDay)
		require.NotEmpty(t, want)
		r := rand.New(rand.NewPCG(1, 2))
		s := newSite(perDay, 1)
		for i := range rows {
			if s.see(0, rows[i]); r.IntN(100) == 0 {
				s.send(t, 0, 1)
			}
		}
		s.send(t, 0, maxWaiting)
		s.policy.Incidents(true, s.incident)
		for i := range min(len(want), len(s.told)) {
			require.Equal(t, want[i], s.told[i], "line %d of %v a day", i, perDay)
		}
		require.Len(t, s.told, len(want))
		require.Zero(t, s.sensors[0].Lost)
		t.Logf("%v a day: %d alerts, %d lines, %d details, %.1f bytes a row", perDay, s.alerts, len(want), s.details, float64(s.bytes)/float64(len(rows)))
	}
}

// Several sensors have no more lines together than one, but for one each that an
// incident's end takes.
func TestSensorsShareTheBudget(t *testing.T) {
	rows := traffic(60_000)
	const perDay = 20
	s := newSite(perDay, 4)
	days := float64(rows[len(rows)-1].TS-rows[0].TS) / float64(day)
	for i := range rows {
		s.see(int(rows[i].Orig.Port())%4, rows[i])
		for n := range s.sensors {
			if (i+37*n)%200 == 0 {
				s.send(t, n, 2)
			}
		}
	}
	want := 0
	for _, line := range alone(rows, perDay) {
		if line[:8] != "incident" {
			want++
		}
	}
	t.Logf("%.1f days: %d alerts, one sensor %d", days, s.alerts, want)
	require.LessOrEqual(t, float64(s.alerts), perDay*(days+1))
	require.Greater(t, s.alerts, want/2)
}

// What cannot be sent waits, so much of it; the clock of a sensor that is behind
// does not turn back that of all.
func TestManagerAway(t *testing.T) {
	rows := traffic(60_000)
	s := newSite(20, 2)
	for i := range rows {
		s.see(0, rows[i])
	}
	require.LessOrEqual(t, len(s.sensors[0].out.waiting), maxWaiting)
	s.send(t, 0, maxWaiting)
	require.NotEmpty(t, s.told)
	now := s.policy.now
	require.Less(t, s.sensors[0].now-now, minute)
	for i := range 1000 {
		s.see(1, rows[i])
	}
	s.send(t, 1, maxWaiting)
	require.Equal(t, now, s.policy.now)
}

// In a flood what is not stranger is counted where it is not sent.
func TestFloodIsCounted(t *testing.T) {
	s := newSite(20, 1)
	row := Row{TS: 1e15, End: 1e15, Orig: netip.MustParseAddrPort("10.0.0.1:1"), Resp: netip.MustParseAddrPort("192.0.2.1:1"), Own: true, Score: 0.4}
	for range 1000 {
		row.TS += 1e6
		s.see(0, row)
	}
	s.send(t, 0, maxWaiting)
	const flood = 300_000
	row.Score = 0.7
	for range flood {
		row.TS += 100
		s.see(0, row)
	}
	require.LessOrEqual(t, len(s.sensors[0].out.waiting), crowded)
	s.send(t, 0, maxWaiting)
	row.TS += 1e6
	s.see(0, row)
	s.send(t, 0, maxWaiting)
	s.policy.Incidents(true, s.incident)
	require.Zero(t, s.sensors[0].Lost)
	require.Contains(t, s.told[len(s.told)-1], fmt.Sprintf("incident 10.0.0.1 false %d ", flood), "beside the alert and with the last")
	t.Logf("%d bytes", s.bytes)
}

// A message that is damaged changes nothing.
func FuzzDecide(f *testing.F) {
	s := newSite(20, 1)
	for _, r := range traffic(3000) {
		s.see(0, r)
	}
	f.Add(s.sensors[0].Candidates())
	f.Add([]byte{candidatesVersion, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2})
	f.Fuzz(func(t *testing.T, message []byte) {
		p := New(20)
		p.Decide(0, message, func(*Candidate) {}, func(*Incident) {})
		p.Decide(1, message, func(*Candidate) {}, func(*Incident) {})
		p.Incidents(true, func(*Incident) {})
	})
}

// Of a beacon each of several sensors sees calls at no pace.
func TestBeaconOverSensors(t *testing.T) {
	s := newSite(20, 3)
	r := rand.New(rand.NewPCG(4, 4))
	row := Row{TS: 1e15, Orig: netip.MustParseAddrPort("10.0.0.1:1"), Resp: netip.MustParseAddrPort("192.0.2.1:443"), Own: true, Calls: true, Score: 0.4, Model: "m"}
	for range 3 * (openingRows + 30) {
		row.TS += 60e6
		row.End = row.TS
		n := r.IntN(3)
		s.see(n, row)
		s.send(t, n, 1)
	}
	s.policy.Incidents(true, s.incident)
	require.Len(t, s.told, 1)
	require.Contains(t, s.told[0], "10.0.0.1:1 192.0.2.1:443 true true true true 6")
}

// Rows are forwarded without garbage, for the collector is off.
func TestForwardingDoesNotAllocate(t *testing.T) {
	rows := traffic(20_000)
	s := newSite(20, 1)
	p := s.sensors[0]
	detail := func() Detail { return Detail{UID: "C1", Reason: "because"} }
	pass := func() {
		for i := range rows {
			r := rows[i]
			p.Incidents(false, nil)
			if p.Unusual(&r) {
				p.Ask(detail)
			}
			if i%500 == 0 {
				p.Candidates()
			}
		}
	}
	pass()
	require.Zero(t, testing.AllocsPerRun(1, pass))
}

// BenchmarkForward is what a row costs a policy that decides, and one that forwards.
func BenchmarkForward(b *testing.B) {
	rows := traffic(20_000)
	for _, forwards := range []bool{false, true} {
		b.Run(fmt.Sprint(forwards), func(b *testing.B) {
			p := New(20)
			if forwards {
				p.Forward()
			}
			detail := func() Detail { return Detail{UID: "C1", Reason: "because"} }
			incident := func(*Incident) {}
			b.ReportAllocs()
			for i := range b.N {
				r := rows[i%len(rows)]
				p.Incidents(false, incident)
				if p.Unusual(&r) {
					if forwards {
						p.Ask(detail)
					} else {
						p.Raise(&r)
					}
				}
				if i%1000 == 0 {
					p.Candidates()
				}
			}
		})
	}
}
