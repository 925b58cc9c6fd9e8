package sensor

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// calmDay is what fifty hosts do that mostly succeed, some connections a second.
func calmDay(n int, begin float64) []Record {
	r := rand.New(rand.NewPCG(5, 6))
	out := make([]Record, n)
	for i := range out {
		host := r.IntN(50)
		service := r.IntN(3)
		out[i] = Record{
			TS: begin + float64(i)/4, Duration: r.ExpFloat64(),
			OrigBytes: r.Uint64N(2000), RespBytes: r.Uint64N(1e5), OrigPkts: 1 + r.Uint64N(20), RespPkts: 1 + r.Uint64N(40),
			OrigIPBytes: 60 + r.Uint64N(3000), RespIPBytes: 60 + r.Uint64N(1e5),
			Service: []string{"ssl", "http", "dns"}[service], State: []string{"SF", "SF", "SF", "RSTO"}[r.IntN(4)],
			OrigHost: netip.AddrFrom4([4]byte{10, 0, 0, byte(host)}).As16(),
			RespHost: netip.AddrFrom4([4]byte{192, 88, 99, byte(host/5*5 + r.IntN(8))}).As16(),
			OrigPort: uint16(1024 + r.IntN(60000)), RespPort: []uint16{443, 80, 53}[service],
			Proto: uint8(conn.TCP), IPProto: 6,
			Set: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.IPProto,
		}
		if r.IntN(8) == 0 { // nobody is there
			out[i].State, out[i].Service = "S0", ""
			out[i].Set = conn.IPProto
			out[i].OrigPkts, out[i].RespPkts, out[i].RespIPBytes, out[i].OrigIPBytes = 1, 0, 0, 60
		}
	}
	return out
}

// scan is of one host, which knocks at one port of others, one each so many seconds.
func scan(n int, begin, every float64) []Record {
	out := make([]Record, n)
	for i := range out {
		out[i] = Record{
			TS: begin + float64(i)*every, OrigPkts: 1, OrigIPBytes: 60, State: "S0",
			OrigHost: netip.AddrFrom4([4]byte{10, 0, 0, 7}).As16(),
			RespHost: netip.AddrFrom4([4]byte{192, 88, byte(i >> 8), byte(i)}).As16(),
			OrigPort: uint16(30000 + i), RespPort: 443, Proto: uint8(conn.TCP), IPProto: 6, Set: conn.IPProto,
		}
	}
	return out
}

// exchange does what scripts/windows.zeek does at the end of an interval.
func (c *cluster) exchange(t testing.TB) {
	t.Helper()
	for i, w := range c.workers {
		for {
			counts := w.AppendCounts(nil, feature.AllShards, feature.MaxEvidence)
			if len(counts) == 0 {
				break
			}
			if !c.lost() {
				require.NoError(t, c.manager.AddCounts(i, counts))
			}
		}
	}
	for totals := c.manager.AppendTotals(nil, feature.MaxEvidence); len(totals) > 0; totals = c.manager.AppendTotals(nil, feature.MaxEvidence) {
		for _, w := range c.workers {
			if !c.lost() {
				require.NoError(t, w.TakeTotals(totals))
			}
		}
	}
}

// A scan that is spread evenly over sixteen workers is stranger than all that is
// ordinary where they share what they count, and is not where they do not.
func TestScanOverSixteenWorkers(t *testing.T) {
	testenv.NoRace(t)
	day := calmDay(16_000, 1.7e9)
	attack := scan(48, day[len(day)-1].TS-400, 2)
	for _, shares := range []bool{true, false} {
		c := newCluster(t, Learning{Seed: 1, Warmup: 1000, Workers: 16}, 16)
		next := day[0].TS
		score := func(r *Record, worker int) float64 {
			if r.TS >= next {
				if next = r.TS + 5; shares {
					c.exchange(t)
				}
			}
			w := c.workers[worker]
			result, err := w.Score(r)
			if err != nil {
				require.Equal(t, NoModel, StatusOf(err))
			}
			for w.News() > 0 {
				if w.Event().Kind == Samples {
					c.send(t, w)
				}
			}
			return result.Score
		}
		r, n := rand.New(rand.NewPCG(7, 7)), 0
		scanned, ordinary := 0., 0.
		for i := range day {
			for ; n < len(attack) && attack[n].TS <= day[i].TS; n++ {
				scanned = max(scanned, score(&attack[n], n%16))
			}
			if s := score(&day[i], r.IntN(16)); n > 0 && day[i].OrigHost != attack[0].OrigHost {
				ordinary = max(ordinary, s)
			}
		}
		t.Logf("shared: %v; strangest of the scan %.4f, of what is ordinary %.4f", shares, scanned, ordinary)
		assert.Equal(t, shares, scanned > ordinary)
	}
}

func TestEvidenceThatIsRefused(t *testing.T) {
	s := New(100)
	require.Empty(t, s.AppendTotals(nil, feature.MaxEvidence), "it owns nothing")
	require.Equal(t, BadRecord, StatusOf(s.AddCounts(0, []byte("no counts"))))
	require.Equal(t, BadRecord, StatusOf(s.TakeTotals([]byte("no totals"))))
	dns, err := Open("dns", 100)
	require.NoError(t, err)
	require.Equal(t, NotDone, StatusOf(dns.TakeTotals(nil)))
	require.Empty(t, dns.AppendCounts(nil, feature.AllShards, feature.MaxEvidence))
}
