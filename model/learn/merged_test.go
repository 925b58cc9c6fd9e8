package learn_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// mergedHosts are the windows of a cluster's workers, which meet at an owner.
type mergedHosts struct {
	workers  []*feature.Hosts
	counted  []bool // whether it has counted anything since its last message
	owner    *feature.Owner
	interval conn.Micros // from one message of a worker to the next
	latency  conn.Micros // of a message
	next     conn.Micros
	counts   []inFlight
	totals   []inFlight
	sent     int // bytes, of all workers
	told     int // bytes, to each worker
}

type inFlight struct {
	due    conn.Micros
	worker int
	data   []byte
}

func newMergedHosts(workers int, interval, latency conn.Micros) *mergedHosts {
	m := &mergedHosts{owner: feature.NewOwner(1 << 12), interval: interval, latency: latency}
	for range workers {
		h := feature.NewHosts(1 << 12)
		h.Share()
		m.workers, m.counted = append(m.workers, h), append(m.counted, false)
	}
	return m
}

// observe counts a connection at a worker, which writes its row now, once the
// messages that are due have arrived.
func (m *mergedHosts) observe(worker int, c *conn.Conn, now conn.Micros) feature.Window {
	if m.interval > 0 {
		if m.next == 0 {
			m.next = now
		}
		for ; m.next <= now; m.next += m.interval {
			m.exchange(m.next)
		}
		m.deliver(now)
	}
	m.counted[worker] = true
	return m.workers[worker].Observe(c)
}

// exchange is what happens at the end of an interval.
func (m *mergedHosts) exchange(now conn.Micros) {
	for i, h := range m.workers {
		if !m.counted[i] {
			continue
		}
		m.counted[i] = false
		if data := h.AppendCounts(nil, feature.AllShards, feature.MaxEvidence); data != nil {
			m.sent += len(data)
			m.counts = append(m.counts, inFlight{now + m.latency, i, data})
		}
	}
	m.deliver(now)
}

func (m *mergedHosts) deliver(now conn.Micros) {
	took := conn.Micros(-1)
	for len(m.counts) > 0 && m.counts[0].due <= now {
		x := m.counts[0]
		m.counts = m.counts[1:]
		if err := m.owner.AddCounts(x.worker, x.data); err != nil {
			panic(err)
		}
		took = x.due
		if len(m.counts) == 0 || m.counts[0].due != took {
			if data := m.owner.AppendTotals(nil, feature.MaxEvidence); data != nil {
				m.told += len(data)
				m.totals = append(m.totals, inFlight{took + m.latency, 0, data})
			}
		}
	}
	for len(m.totals) > 0 && m.totals[0].due <= now {
		for _, h := range m.workers {
			if err := h.TakeTotals(m.totals[0].data); err != nil {
				panic(err)
			}
		}
		m.totals = m.totals[1:]
	}
}

// written says when Zeek wrote each row at the earliest: rows stand in that order,
// and a connection's is written once it has been silent for a time. By their ends
// alone a log's time stands still while the rows of silent connections come.
func written(rows []labelled) []conn.Micros {
	at := make([]conn.Micros, len(rows))
	var now conn.Micros
	for i := range rows {
		c := &rows[i].Conn
		end := c.TS + silence(c)
		if c.Has(conn.Duration) {
			end += c.Duration
		}
		now = max(now, end)
		at[i] = now
	}
	return at
}

// silence is the least time from the end of a connection to its row
// (base/init-bare.zeek: tcp_attempt_delay, tcp_close_delay, tcp_reset_delay;
// tcp_partial_close_delay; tcp_inactivity_timeout; those of UDP and ICMP).
func silence(c *conn.Conn) conn.Micros {
	const second = conn.Micros(1e6)
	if c.Proto != conn.TCP {
		return 60 * second
	}
	switch c.State {
	case conn.S0, conn.SF, conn.REJ, conn.RSTO, conn.RSTR, conn.RSTOS0, conn.RSTRH:
		return 5 * second
	case conn.S2, conn.S3, conn.SH, conn.SHR:
		return 3 * second
	}
	return 300 * second
}

// What merged windows give back of what a part of the traffic costs
// (TestSharesOfTheTraffic). Each seed is another forest and another load balancer.
// They are none of those on which anything was chosen: 1 to 10.
func TestMergedShares(t *testing.T) {
	if testing.Short() {
		t.Skip("minutes of CPU time")
	}
	calm := where(readLog(t, "zeek-labelled", "ctu-mixed-008.conn.log.labeled.gz"), benign)
	rows := slices.Concat(calm, readLog(t, "zeek-labelled", "ctu-mixed-010.conn.log.labeled.gz"))
	at := slices.Concat(written(rows[:len(calm)]), written(rows[len(calm):]))
	s := conn.Micros(1e6)
	var alone, alone01 float64
	for _, of := range []struct {
		workers           int
		by                balance
		interval, latency conn.Micros
	}{
		{1, byEndpoints, 0, 0},
		{2, byAddresses, 5 * s, 1 * s},
		{4, byAddresses, 5 * s, 1 * s},
		{16, byAddresses, 5 * s, 1 * s},
		{16, byAddresses, 60 * s, 0},
		{16, byAddresses, 5 * s, 30 * s},
		{16, byAddresses, 5 * s, 60 * s},
		{2, byEndpoints, 5 * s, 1 * s},
		{4, byEndpoints, 5 * s, 1 * s},
		{16, byEndpoints, 5 * s, 1 * s},
		{16, byEndpoints, 60 * s, 0},
	} {
		var at1, at01 spread
		var sent, told float64
		const first, last = 11, 20
		for seed := uint64(first); seed <= last; seed++ {
			m := newMergedHosts(of.workers, of.interval, of.latency)
			windows := make([]feature.Window, len(rows))
			for i := range rows {
				worker := feature.Hash(seed, of.by.hash(&rows[i].Conn)) % uint64(of.workers)
				windows[i] = m.observe(int(worker), &rows[i].Conn, at[i])
			}
			sent += float64(m.sent) / float64(len(rows)*(last+1-first))
			told += float64(m.told) / float64(len(rows)*(last+1-first))
			l := learn.NewLearner(learn.Options{Seed: seed, RebuildEvery: of.workers * model.DefaultRebuildEvery})
			var paths []float64
			var scored []labelled
			for i := range rows {
				c := &rows[i].Conn
				w := windows[i]
				if m := l.Model(); m != nil && i >= len(calm) && (benign(rows[i]) || external(rows[i])) {
					paths, scored = append(paths, -m.ScoreRow(rowOf(c, w)).Path), append(scored, rows[i])
				}
				_, _ = l.Take(rowOf(c, w)) // a refusal leaves the model in use
			}
			n, p := split(scored, paths)
			at1, at01 = append(at1, tpr(n, p, 0.01)), append(at01, tpr(n, p, 0.001))
		}
		t.Logf("%2d workers by %-19s every %v, %v on the way: TPR at 1 %% FPR %.3f ± %.3f, at 0.1 %% %.3f ± %.3f; %.0f and %.0f bytes a row",
			of.workers, string(of.by)+",", time.Duration(of.interval)*1000, time.Duration(of.latency)*1000, at1.mean(), at1.sd(), at01.mean(), at01.sd(),
			sent, told)
		if of.workers == 1 {
			alone, alone01 = at1.mean(), at01.mean()
		}
		if of.workers == 1 || of.interval == 5*s && of.latency == s { // as in a cluster
			require.GreaterOrEqual(t, at1.mean(), .97*alone)
			require.GreaterOrEqual(t, at01.mean(), .9*alone01)
		}
	}
}
