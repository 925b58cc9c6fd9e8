package sensor

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// cluster is a manager and its workers; the messages between them may be lost.
type cluster struct {
	manager *Sensor
	workers []*Sensor
	lost    func() bool
	sent    int
}

func newCluster(t testing.TB, how Learning, workers int) *cluster {
	c := &cluster{manager: learner(t, how), lost: func() bool { return false }}
	for range workers {
		c.add()
	}
	return c
}

func (c *cluster) add() *Sensor {
	w := New(model.DefaultHosts)
	w.Sample(Sampling{})
	c.workers = append(c.workers, w)
	return w
}

// score gives each connection to a worker.
func (c *cluster) score(t testing.TB, rs []Record, worker func(i int) int) {
	t.Helper()
	for i := range rs {
		w := c.workers[worker(i)]
		if _, err := w.Score(&rs[i]); err != nil {
			require.Equal(t, NoModel, StatusOf(err))
		}
		for w.News() > 0 {
			if w.Event().Kind == Samples {
				c.send(t, w)
			}
		}
	}
}

// send does what scripts/cluster.zeek does with a worker's samples.
func (c *cluster) send(t testing.TB, w *Sensor) {
	t.Helper()
	batch, rows := w.Samples()
	batch = bytes.Clone(batch)
	w.TakeSamples()
	if c.lost() {
		return
	}
	if rows > 0 {
		require.NoError(t, c.manager.Take(batch))
		c.sent += rows
	}
	if m := c.manager.Model(); m != nil && (w.Model() == nil || w.Model().Fingerprint() != m.Fingerprint()) && !c.lost() {
		require.NoError(t, w.Adopt(c.manager.ModelFile(), m.Fingerprint()))
	}
}

// The manager's model, over restarts and with messages lost, is byte for byte
// the one that train --as-sensor --samples makes of what it recorded, and in the
// end all workers use it, one that came late too.
func TestClusterUsesOneModel(t *testing.T) {
	rs := records(24_000)
	dir := t.TempDir()
	recording := filepath.Join(dir, "samples")
	how := Learning{
		Seed: 3, Warmup: 500, RebuildEvery: 700, Workers: 3, SaveEvery: 3000,
		Dir: filepath.Join(dir, "state"), Recording: recording, ZeekVersion: "8.0.10",
	}
	c := newCluster(t, how, 3)
	r := rand.New(rand.NewPCG(8, 8))
	c.lost = func() bool { return r.IntN(10) == 0 }

	any := func(int) int { return r.IntN(len(c.workers)) }
	c.score(t, rs[:8000], any)
	require.NoError(t, c.manager.Finish())
	c.manager = learner(t, how)
	c.score(t, rs[8000:12_000], any)
	before := c.workers[0].Statistics().Sampled
	c.workers[0] = New(model.DefaultHosts) // restarted
	c.workers[0].Sample(Sampling{OneIn: 0})
	late := c.add()
	c.score(t, rs[12_000:], any)

	c.lost = func() bool { return false }
	sampled := before
	for _, w := range c.workers {
		c.send(t, w)
		sampled += w.Statistics().Sampled
		require.Equal(t, c.manager.Model().Fingerprint(), w.Model().Fingerprint())
		require.Zero(t, w.Statistics().Lost)
	}
	require.Equal(t, uint64(len(rs)), sampled, "every connection is one")
	require.Equal(t, uint64(c.sent), c.manager.Statistics().Learner.Rows)
	require.Less(t, c.sent, len(rs)*95/100)
	require.Greater(t, c.sent, len(rs)*80/100)
	require.Greater(t, late.Statistics().Calls[OK], uint64(1000))

	file, err := os.Open(recording)
	require.NoError(t, err)
	defer file.Close()
	m, report, err := learn.FitRecording(file, nil)
	require.NoError(t, err)
	require.Equal(t, uint64(c.sent), report.Rows)
	require.True(t, bytes.Equal(m.Bytes(), c.manager.ModelFile()), "the same bytes")
	require.Greater(t, c.manager.Statistics().Learner.Promoted, 6)
}

// A model comes to each worker after as many of its connections as it would
// without a cluster.
func TestRebuildsAreCountedForEachWorker(t *testing.T) {
	c := newCluster(t, Learning{Seed: 1, Warmup: 200, RebuildEvery: 600, Workers: 4}, 1)
	rs := records(16_000)
	due := []uint64{0}
	for i := range rs {
		c.score(t, rs[i:i+1], func(int) int { return 0 })
		if d := c.manager.Statistics().Learner.Due; d != due[len(due)-1] {
			due = append(due, d)
		}
	}
	n := len(due)
	require.Greater(t, n, 7)
	require.InDelta(t, 4*600, due[n-1]-due[n-2], 8)
	require.InDelta(t, 4*600, due[n-2]-due[n-3], 8)
}

// Without a manager samples are lost and counted, and nothing grows.
func TestSamplesThatNobodyTakes(t *testing.T) {
	rs := records(4000)
	w := New(model.DefaultHosts)
	w.Sample(Sampling{OneIn: 1})
	n := kinds(feed(t, w, rs))
	require.Equal(t, len(rs)/learn.BatchRows, n[Samples])
	s := w.Statistics()
	require.Equal(t, uint64(len(rs)), s.Sampled)
	_, left := w.Samples()
	require.Equal(t, uint64(len(rs)-left), s.Lost)
	require.NoError(t, w.Finish())
	_, left = w.Samples()
	require.Zero(t, left, "sampling is over")
	_, err := w.Score(&rs[0])
	require.Equal(t, NoModel, StatusOf(err))
}

// Of a large stream fewer are sampled.
func TestOneInSoMany(t *testing.T) {
	rs := records(30_000)
	for i := range rs { // of one kind
		rs[i].State, rs[i].Service, rs[i].OrigIPBytes, rs[i].RespIPBytes = "SF", "dns", 80, 120
	}
	w := New(model.DefaultHosts)
	w.Sample(Sampling{OneIn: 10})
	feed(t, w, rs)
	require.InDelta(t, 64+3000, w.Statistics().Sampled, 200)
}

func TestSamplingDoesNotAllocate(t *testing.T) {
	rs := records(3000)
	w := New(model.DefaultHosts)
	w.Sample(Sampling{OneIn: 2})
	w.SetAlerts(20)
	m := trained(t, rs, 1)
	require.NoError(t, w.Adopt(m.Bytes(), m.Fingerprint()))
	i := 0
	score := func() {
		if _, err := w.Score(&rs[i%len(rs)]); err != nil {
			panic(err)
		}
		for w.News() > 0 {
			w.Event()
			w.TakeSamples()
		}
		i++
	}
	for range 3000 {
		score()
	}
	require.Zero(t, testing.AllocsPerRun(2000, score))
}

func TestAdopt(t *testing.T) {
	rs := records(2000)
	m := trained(t, rs, 1)
	w := New(model.DefaultHosts)
	require.Equal(t, NotDone, StatusOf(w.Adopt(m.Bytes(), m.Fingerprint())), "nobody has asked for it")
	w.Sample(Sampling{OneIn: 1})
	require.NoError(t, w.Adopt(m.Bytes(), m.Fingerprint()))

	other := trained(t, rs, 2)
	damaged := bytes.Clone(other.Bytes())
	damaged[len(damaged)/2]++
	for _, refused := range []error{
		w.Adopt(damaged, other.Fingerprint()),
		w.Adopt(other.Bytes()[:100], other.Fingerprint()),
		w.Adopt(other.Bytes(), m.Fingerprint()),
		w.Adopt(nil, ""),
	} {
		require.Equal(t, BadModel, StatusOf(refused))
	}
	require.Equal(t, m.Fingerprint(), w.Model().Fingerprint(), "the one before stays")
	require.Equal(t, uint64(4), w.Statistics().Refused)

	// A file that is given is what is wanted.
	require.NoError(t, w.LoadFile(file(t, other)))
	require.Equal(t, NotDone, StatusOf(w.Adopt(m.Bytes(), m.Fingerprint())))
	feed(t, w, rs[:300])
	require.Zero(t, w.News())
}

func TestTakeOfWhatCannotBeUsed(t *testing.T) {
	s := New(16)
	require.Equal(t, NotDone, StatusOf(s.Take([]byte("x"))))
	require.Nil(t, s.ModelFile())
	s = learner(t, Learning{Seed: 1})
	require.Equal(t, BadRecord, StatusOf(s.Take([]byte("x"))))
	require.Zero(t, s.Statistics().Learner.Rows)
}

// A recording that cannot be written is said once, and learning goes on.
func TestRecordingThatCannotBeWritten(t *testing.T) {
	s := learner(t, Learning{Seed: 1, Recording: filepath.Join(t.TempDir(), "no", "samples")})
	require.Equal(t, Warning, s.Event().Kind)
	c := &cluster{manager: s, lost: func() bool { return false }}
	c.add()
	c.score(t, records(300), func(int) int { return 0 })
	require.Equal(t, uint64(2*learn.BatchRows), s.Statistics().Learner.Rows)

	s = learner(t, Learning{Seed: 1, Recording: filepath.Join(t.TempDir(), "samples")})
	require.NoError(t, s.learning.record.Close()) // as a disk that is full
	c.manager = s
	c.score(t, records(600), func(int) int { return 0 })
	require.Equal(t, 1, s.News(), "said once")
	require.Contains(t, s.Event().Text, "no longer recorded")
	require.Equal(t, uint64(5*learn.BatchRows), s.Statistics().Learner.Rows)
}
