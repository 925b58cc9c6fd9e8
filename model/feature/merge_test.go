package feature

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// roomy is a capacity at which nothing of the traffic is forgotten.
const roomy = 1 << 12

// inOrder sorts rows by their ends. A late row counts in the newest minute that
// was reached, and of a responder each sensor has another: it goes by successes
// too, of which no other sensor hears.
func inOrder(rows []conn.Conn) []conn.Conn {
	slices.SortStableFunc(rows, func(a, b conn.Conn) int { return cmp.Compare(endOf(&a), endOf(&b)) })
	return rows
}

// team is an owner and sensors that share.
type team struct {
	owner   *Owner
	sensors []*Hosts
}

func newTeam(n, capacity int) *team {
	t := &team{owner: NewOwner(capacity)}
	for range n {
		h := NewHosts(capacity)
		h.Share()
		t.sensors = append(t.sensors, h)
	}
	return t
}

// exchange has all messages of one interval arrive for which arrives is true.
func (t *team) exchange(tb testing.TB, arrives func() bool) {
	for i, h := range t.sensors {
		for {
			data := h.AppendCounts(nil, AllShards, MaxEvidence)
			if data == nil {
				break
			}
			if arrives() {
				require.NoError(tb, t.owner.AddCounts(i, data))
			}
		}
	}
	for data := t.owner.AppendTotals(nil, MaxEvidence); data != nil; data = t.owner.AppendTotals(nil, MaxEvidence) {
		for _, h := range t.sensors {
			if arrives() {
				require.NoError(tb, h.TakeTotals(data))
			}
		}
	}
}

// tellAll makes the owner tell what it would hold back because it has not grown by
// much.
func (t *team) tellAll() {
	for i := range t.owner.originators.entries {
		if e := &t.owner.originators.entries[i]; e.n > 0 {
			e.sensor, e.waits = several, true
		}
	}
	for _, p := range [...][]untold{t.owner.responders.entries, t.owner.ports.entries, t.owner.pairs.entries} {
		for i := range p {
			if p[i].n+p[i].m > 0 {
				p[i].sensor, p[i].waits = several, true
			}
		}
	}
}

// Where each message arrives before the next row, each sensor's windows are those
// of one that sees everything.
func TestMergedWindowsAreOneSensors(t *testing.T) {
	alone, of := NewHosts(roomy), newTeam(3, roomy)
	for _, h := range of.sensors {
		h.opening, h.rows = longAgo, openingRows
	}
	alone.opening, alone.rows = longAgo, openingRows
	r := rand.New(rand.NewPCG(3, 3))
	rows := inOrder(traffic(21, 2500))
	for i := range rows {
		want, got := alone.Observe(&rows[i]), of.sensors[r.IntN(3)].Observe(&rows[i])
		require.InDelta(t, float64(want.PairBytes), float64(got.PairBytes), float64(want.PairBytes)/notable+1, "row %d", i)
		require.InDelta(t, float64(want.PairSeconds), float64(got.PairSeconds), float64(want.PairSeconds)/notable*2+1, "row %d", i)
		require.InDelta(t, float64(want.PortUses), float64(got.PortUses), float64(want.PortUses)/notable*3+3, "row %d", i)
		got.PairBytes, got.PairSeconds, got.PortUses = want.PairBytes, want.PairSeconds, want.PortUses
		require.Equal(t, want, got, "row %d", i)
		for s, h := range of.sensors {
			if data := h.AppendCounts(nil, AllShards, MaxEvidence); data != nil {
				require.NoError(t, of.owner.AddCounts(s, data))
			}
		}
		of.tellAll()
		of.exchange(t, func() bool { return true })
	}
}

// What sensors hold back because it is little adds up: all of them together hold
// back an eighth, and the owner another.
func TestSensorsHoldBackAnEighthTogether(t *testing.T) {
	const sensors = 16
	alone, of := NewHosts(roomy), newTeam(sensors, roomy)
	c := traffic(29, 1)[0]
	c.Proto, c.State, c.OrigIPBytes = conn.TCP, conn.SF, 10_000
	c.Set, c.Duration = c.Set|conn.Duration, 1e6
	var want, got Window
	for i := range 20 * sensors {
		want, got = alone.Observe(&c), of.sensors[i%sensors].Observe(&c)
		of.exchange(t, func() bool { return true })
	}
	least := 1 - 2.0/notable
	require.GreaterOrEqual(t, float64(got.PortUses), least*float64(want.PortUses))
	require.GreaterOrEqual(t, float64(got.PairBytes), least*float64(want.PairBytes))
	require.GreaterOrEqual(t, float64(got.PairSeconds), least*float64(want.PairSeconds))
}

// Whatever messages are lost, no sensor counts more than there was, and what it
// saw itself is there.
func TestLostMessagesLoseEvidenceAlone(t *testing.T) {
	for _, one := range []int{2, 10, 1 << 30} { // arrives
		alone, of := NewHosts(roomy), newTeam(4, roomy)
		r := rand.New(rand.NewPCG(4, 4))
		rows := inOrder(traffic(22, 2500))
		own := make([]*Hosts, len(of.sensors))
		for i := range own {
			own[i] = NewHosts(roomy)
		}
		for i := range rows {
			s := r.IntN(len(own))
			most, got, least := alone.Observe(&rows[i]), of.sensors[s].Observe(&rows[i]), own[s].Observe(&rows[i])
			require.LessOrEqual(t, got.RespFailures, most.RespFailures, "row %d", i)
			require.LessOrEqual(t, got.Uses, most.Uses)
			require.GreaterOrEqual(t, got.Uses, least.Uses)
			require.LessOrEqual(t, float64(got.PairBytes), float64(most.PairBytes)*1.001+1)
			require.LessOrEqual(t, got.PortUses, most.PortUses)
			require.GreaterOrEqual(t, got.PortUses, least.PortUses)
			if rows[i].TS >= 0 && i%7 == 0 {
				of.exchange(t, func() bool { return r.IntN(one) != 0 })
			}
		}
	}
}

// A message that comes twice changes nothing.
func TestTotalsTwiceAreTotals(t *testing.T) {
	of, rows := newTeam(2, 100), traffic(23, 4000)
	for i := range rows {
		of.sensors[i%2].Observe(&rows[i])
		if i%11 > 0 {
			continue
		}
		for s, h := range of.sensors {
			if data := h.AppendCounts(nil, AllShards, MaxEvidence); data != nil {
				require.NoError(t, of.owner.AddCounts(s, data))
			}
		}
		if data := of.owner.AppendTotals(nil, MaxEvidence); data != nil {
			require.NoError(t, of.sensors[0].TakeTotals(data))
			once := of.sensors[0].Peek(&rows[i])
			require.NoError(t, of.sensors[0].TakeTotals(data))
			require.Equal(t, once, of.sensors[0].Peek(&rows[i]))
		}
	}
}

// What each shard's owner is sent is together all.
func TestShardsAreDisjoint(t *testing.T) {
	whole, parts := NewHosts(roomy), NewHosts(roomy)
	whole.Share()
	parts.Share()
	rows := traffic(24, 500)
	for i := range rows {
		whole.Observe(&rows[i])
		parts.Observe(&rows[i])
	}
	one, two := NewOwner(roomy), NewOwner(roomy)
	require.NoError(t, one.AddCounts(0, whole.AppendCounts(nil, AllShards, MaxEvidence)))
	for _, shards := range []ShardSet{1<<20 - 1, AllShards &^ (1<<20 - 1)} {
		require.NoError(t, two.AddCounts(0, parts.AppendCounts(nil, shards, MaxEvidence)))
	}
	require.Nil(t, parts.AppendCounts(nil, AllShards, MaxEvidence))
	require.Equal(t, one.hosts.Len(), two.hosts.Len())
	require.Equal(t, one.hosts.memory.pairs.keys.Len(), two.hosts.memory.pairs.keys.Len())
	for i := range rows {
		want, got := one.hosts.Peek(&rows[i]), two.hosts.Peek(&rows[i])
		require.Equal(t, want.Connections, got.Connections)
		require.Equal(t, want.Responders, got.Responders)
		require.Equal(t, want.RespFailures, got.RespFailures)
	}
}

// Where hosts alone would fill each message, the other kinds are sent all the same.
func TestNoKindOfEvidenceWaitsForAnother(t *testing.T) {
	of, rows := newTeam(2, roomy), traffic(30, 6000)
	kinds := func(data []byte, what byte) (n [ofPort + 1]int) {
		r, err := readEvidence(data, what)
		for e := (evidence{}); r.next(&e); {
			n[e.of]++
		}
		require.NoError(t, cmp.Or(err, r.fault()))
		return n
	}
	for i := range rows {
		of.sensors[i%2].Observe(&rows[i])
	}
	var told []byte
	for s, h := range of.sensors {
		sent := h.AppendCounts(nil, AllShards, 4*maxEntry)
		for _, kind := range [...]byte{ofHost4, ofResponder, ofPair, ofPort} {
			require.Positive(t, kinds(sent, counts)[kind], "kind %d", kind)
		}
		for ; sent != nil; sent = h.AppendCounts(nil, AllShards, MaxEvidence) {
			require.NoError(t, of.owner.AddCounts(s, sent))
		}
	}
	told = of.owner.AppendTotals(nil, 4*maxEntry)
	for _, kind := range [...]byte{ofHost4, ofResponder, ofPair, ofPort} {
		require.Positive(t, kinds(told, totals)[kind], "kind %d", kind)
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	h := NewHosts(1 << 12)
	h.Share()
	rows := traffic(25, 40_000)
	for i := range rows {
		h.Observe(&rows[i])
	}
	for _, size := range []int{maxEntry + evidenceHead, 4096, MaxEvidence} {
		require.LessOrEqual(t, len(h.AppendCounts(nil, AllShards, size)), size)
	}
}

func TestSharingDoesNotAllocate(t *testing.T) {
	h, rows := NewHosts(100), traffic(26, 1000)
	h.Share()
	for i := range rows {
		h.Observe(&rows[i])
	}
	buffer, i := make([]byte, 0, MaxEvidence), 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		h.Observe(&rows[i%len(rows)])
		i++
	}))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		h.Observe(&rows[i%len(rows)])
		h.AppendCounts(buffer, AllShards, MaxEvidence)
		i++
	}))
}

// No message, whoever wrote it, does more than be refused.
func FuzzEvidence(f *testing.F) {
	of, rows := newTeam(2, 100), traffic(27, 3000)
	for i := range rows {
		of.sensors[i%2].Observe(&rows[i])
		if i%1000 != 999 {
			continue
		}
		for s, h := range of.sensors {
			data := h.AppendCounts(nil, AllShards, MaxEvidence)
			f.Add(data)
			require.NoError(f, of.owner.AddCounts(s, data))
		}
		f.Add(of.owner.AppendTotals(nil, MaxEvidence))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, o := NewHosts(8), NewOwner(8)
		h.Share()
		for i := range 8 {
			h.Observe(&rows[i])
		}
		_ = h.TakeTotals(data)
		_ = o.AddCounts(1, data)
		_ = o.AddCounts(2, data)
		if totals := o.AppendTotals(nil, MaxEvidence); totals != nil {
			require.NoError(t, h.TakeTotals(totals), "what an owner says is good")
		}
		w := h.Observe(&rows[9])
		require.Positive(t, w.Connections)
		require.LessOrEqual(t, w.Uses, uint32(maxUses))
		_, err := RestoreHosts(8, hostsState(h))
		require.NoError(t, err, "the state is one")
	})
}

// What it costs that a sensor shares what it counts.
func BenchmarkShare(b *testing.B) {
	rows := traffic(28, 1<<14)
	for _, share := range []bool{false, true} {
		b.Run(map[bool]string{false: "alone", true: "shared"}[share], func(b *testing.B) {
			h := NewHosts(1 << 16)
			if share {
				h.Share()
			}
			for i := 0; b.Loop(); i++ {
				h.Observe(&rows[i%len(rows)])
			}
		})
	}
}
