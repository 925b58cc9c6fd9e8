package learn_test

import (
	"hash/fnv"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// balance is how a load balancer chooses a worker for a connection.
type balance string

const (
	byOriginator balance = "originator"          // as taps of different networks do, on the whole
	byAddresses  balance = "addresses"           // 2-tuple
	byEndpoints  balance = "addresses and ports" // 4-tuple, 5-tuple
)

func (b balance) worker(c *conn.Conn, workers int) int {
	return int(b.hash(c) >> 11 % uint64(workers))
}

func (b balance) hash(c *conn.Conn) uint64 {
	h := fnv.New64a()
	for _, e := range [...]netip.AddrPort{c.Orig, c.Resp} {
		if b == byOriginator && e != c.Orig {
			break
		}
		a := e.Addr().As16()
		h.Write(a[:])
		if b == byEndpoints {
			h.Write([]byte{byte(e.Port() >> 8), byte(e.Port())})
		}
	}
	return h.Sum64()
}

// What it costs that each worker of a cluster sees a part of each host's
// traffic: an office's day, then a day of attacks, as TestCampaign has them,
// scored by one sensor and by the workers of a cluster, whose manager learns
// from all samples or from some.
func TestSharesOfTheTraffic(t *testing.T) {
	calm := where(readLog(t, "zeek-labelled", "ctu-mixed-008.conn.log.labeled.gz"), benign)
	rows := slices.Concat(calm, readLog(t, "zeek-labelled", "ctu-mixed-010.conn.log.labeled.gz"))
	for _, of := range []struct {
		workers, oneIn int
		by             balance
	}{
		{1, 1, byEndpoints}, {1, 4, byEndpoints}, {1, 16, byEndpoints},
		{16, 1, byOriginator},
		{2, 1, byAddresses}, {4, 1, byAddresses}, {16, 1, byAddresses},
		{2, 1, byEndpoints}, {4, 1, byEndpoints}, {16, 1, byEndpoints},
	} {
		var at1, at01 spread
		for seed := range uint64(10) {
			l := learn.NewLearner(learn.Options{Seed: seed, RebuildEvery: of.workers * model.DefaultRebuildEvery})
			hosts := make([]*feature.Hosts, of.workers)
			for i := range hosts {
				hosts[i] = feature.NewHosts(1 << 12)
			}
			thin := learn.NewThinning(uint64(of.oneIn))
			var paths []float64
			var scored []labelled
			for i := range rows {
				c := &rows[i].Conn
				w := hosts[of.by.worker(c, of.workers)].Observe(c)
				if m := l.Model(); m != nil && i >= len(calm) && (benign(rows[i]) || external(rows[i])) {
					paths, scored = append(paths, -m.ScoreRow(rowOf(c, w)).Path), append(scored, rows[i])
				}
				if r := rowOf(c, w); thin.Takes(r) {
					_, _ = l.Take(r) // a refusal leaves the model in use
				}
			}
			n, p := split(scored, paths)
			at1, at01 = append(at1, tpr(n, p, 0.01)), append(at01, tpr(n, p, 0.001))
		}
		t.Logf("%2d workers by %-19s 1 in %2d sampled: TPR at 1 %% FPR %.3f ± %.3f, at 0.1 %% %.3f ± %.3f",
			of.workers, string(of.by)+",", of.oneIn, at1.mean(), at1.sd(), at01.mean(), at01.sd())
		if of.workers <= 2 && of.oneIn == 1 {
			require.Greater(t, at1.mean(), 0.9)
		}
	}
}
