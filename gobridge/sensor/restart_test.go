package sensor

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// A worker that was stopped, or killed, scores on as if it had not been; what an
// owner tells it of what it had counted changes nothing.
func TestWorkerComesAgain(t *testing.T) {
	const before, after = 5000, 1500
	rs := calmDay(before+after, 1.8e9)
	for i, r := range scan(600, rs[before-1200].TS, 1) { // over the end of the worker
		rs[before-1200+4*i+int(before%3)] = r
	}
	c := newCluster(t, Learning{Seed: 1, Warmup: 500}, 1)
	dir := t.TempDir()
	begin := func(dir string) *Sensor {
		w := New(model.DefaultHosts)
		w.SetAlerts(20)
		w.Forward()
		w.Sample(Sampling{SaveEvery: 1700, Dir: dir})
		return w
	}
	// One that never ends, one that is stopped, one that is killed.
	always, stopped, killed := begin(""), begin(dir+"/stopped"), begin(dir+"/killed")
	c.workers = []*Sensor{always}
	c.score(t, rs[:1500], func(int) int { return 0 })
	m := c.manager.Model()
	require.NotNil(t, m)
	for _, w := range []*Sensor{stopped, killed} {
		require.NoError(t, w.Adopt(m.Bytes(), m.Fingerprint()))
	}
	require.NoError(t, always.Adopt(m.Bytes(), m.Fingerprint()))
	c.workers = nil
	score := func(w *Sensor, r *Record) Result {
		result, err := w.Score(r)
		require.NoError(t, err)
		w.TakeSamples()
		for w.News() > 0 {
			w.Event()
		}
		return result
	}
	owner := New(model.DefaultHosts)
	send := func(w *Sensor) {
		for counts := w.AppendCounts(nil, feature.AllShards, feature.MaxEvidence); len(counts) > 0; counts = w.AppendCounts(nil, feature.AllShards, feature.MaxEvidence) {
			require.NoError(t, owner.AddCounts(0, counts))
		}
	}
	send(killed)
	for i := range rs[:before] {
		if i >= 1500 {
			score(always, &rs[i])
		}
		score(stopped, &rs[i])
		score(killed, &rs[i])
		if i%20 == 0 {
			send(killed)
		}
	}
	send(killed)
	killed.Candidates()
	require.NoError(t, stopped.Finish())
	// A killed one leaves its lock to the system, and its files as they are.
	killed.sampling.dir.lock.Close()

	stopped, killed = begin(dir+"/stopped"), begin(dir+"/killed")
	require.Equal(t, m.Fingerprint(), stopped.Model().Fingerprint(), "the model is there at once")
	require.Equal(t, m.Fingerprint(), killed.Model().Fingerprint())
	owner.TellAll(0)
	for all := owner.AppendAll(nil, 0, 50_000); len(all) > 0; all = owner.AppendAll(nil, 0, 50_000) {
		require.NoError(t, killed.TakeTotals(all))
	}
	for i := range rs[before:] {
		r := &rs[before+i]
		want := score(always, r)
		for _, w := range []*Sensor{stopped, killed} {
			again := score(w, r)
			require.Equal(t, want.Score, again.Score, i)
			require.Equal(t, want.Cold, again.Cold, i)
		}
	}
	for killed.sampling.dir.saver != nil { // the disk may be slower than these rows
		time.Sleep(time.Millisecond)
		killed.sampling.keep(killed)
	}
	names, _ := journals(dir + "/killed")
	require.Len(t, names, 1, "those before the state are gone")
	require.NoError(t, killed.Finish())
	names, _ = journals(dir + "/killed")
	require.Empty(t, names)
}

// The day of alerts goes on, too: a worker that has come again forwards at once.
func TestForwardingGoesOnAfterARestart(t *testing.T) {
	dir := t.TempDir()
	rs := calmDay(4500, 1.8e9)
	manager := learner(t, Learning{Seed: 1, Warmup: 500})
	manager.SetAlerts(20)
	m := func() *model.Model {
		for i := range rs[:1500] {
			manager.Score(&rs[i])
		}
		return manager.Model()
	}()
	r := rand.New(rand.NewPCG(1, 1))
	forwarded := 0
	for part := range 3 {
		w := New(model.DefaultHosts)
		w.SetAlerts(20)
		w.Forward()
		w.Sample(Sampling{Dir: dir})
		if part == 0 {
			require.NoError(t, w.Adopt(m.Bytes(), m.Fingerprint()))
		}
		for i := range rs[part*1500 : (part+1)*1500] {
			rs[part*1500+i].OrigBytes <<= r.IntN(30)
			result, err := w.Score(&rs[part*1500+i])
			require.NoError(t, err)
			if result.Unusual {
				require.Equal(t, alerts.Forwarded, w.Raise())
				if i < 100 && part > 0 {
					forwarded++
				}
			}
			w.TakeSamples()
		}
		require.NoError(t, w.Finish())
	}
	require.Positive(t, forwarded)
}
