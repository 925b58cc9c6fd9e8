package learn_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// node is a sensor that can be stopped and started again.
type node struct {
	l      *learn.Learner
	hosts  *feature.Hosts
	models []string // fingerprints of the models that came into use
	errors []string
}

func (n *node) observe(rows []conn.Conn) {
	for i := range rows {
		c := &rows[i]
		w := n.hosts.Observe(c)
		var s model.Score
		if m := n.l.Model(); m != nil {
			s = m.ScoreRow(rowOf(c, w))
		}
		n.l.Observe(rowOf(c, w), s)
		m, err := n.l.Step()
		if m != nil {
			n.models = append(n.models, m.Fingerprint())
		}
		if err != nil {
			n.errors = append(n.errors, err.Error())
		}
	}
}

func (n *node) restart(t testing.TB, path string, o learn.Options) {
	s, err := n.l.Save(path, n.hosts, nil)
	require.NoError(t, err)
	require.NoError(t, s.Finish())
	o.Seed = 99 // the state's seed holds
	n.l, n.hosts, err = learn.Restore(path, o, nil)
	require.NoError(t, err)
}

func officeRows(seed uint64, n int) []conn.Conn {
	next := office(seed, n)
	rows := make([]conn.Conn, n)
	for i := range rows {
		_ = next(&rows[i])
	}
	return rows
}

// A sensor that is stopped and started anywhere, also in the middle of a
// rebuild, makes the models that one makes which runs on.
func TestRestartsChangeNothing(t *testing.T) {
	rows := officeRows(11, 9000)
	for _, o := range []learn.Options{
		{Seed: 3, Warmup: 600, RebuildEvery: 900},
		{Seed: 3, Warmup: 600, RebuildEvery: 900, Sampling: learn.Uniform, Trees: 60},
		{Seed: 3, Warmup: 600, RebuildEvery: 900, Hosts: 20}, // hosts are forgotten
	} {
		hosts := model.DefaultHosts
		if o.Hosts > 0 {
			hosts = o.Hosts
		}
		through := &node{l: learn.NewLearner(o), hosts: feature.NewHosts(hosts)}
		through.observe(rows)
		require.Greater(t, len(through.models), 2)

		path := filepath.Join(t.TempDir(), "state")
		stopped := &node{l: learn.NewLearner(o), hosts: feature.NewHosts(hosts)}
		r := rand.New(rand.NewPCG(5, 5))
		for at := 0; at < len(rows); {
			end := min(at+1+r.IntN(400), len(rows))
			stopped.observe(rows[at:end])
			stopped.restart(t, path, o)
			at = end
		}
		require.Equal(t, through.models, stopped.models)
		require.Equal(t, through.errors, stopped.errors)
		require.Equal(t, through.l.Stats(), stopped.l.Stats())
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

// Saving in slices while rows come in gives a state from which learning goes
// on, though not to the bit.
func TestSaveWhileLearning(t *testing.T) {
	rows := officeRows(12, 20000)
	o := learn.Options{Seed: 3}
	n := &node{l: learn.NewLearner(o), hosts: feature.NewHosts(50)}
	n.observe(rows[:5000])
	path := filepath.Join(t.TempDir(), "state")
	s, err := n.l.Save(path, n.hosts, nil)
	require.NoError(t, err)
	at, done := 5000, false
	for ; !done; at++ {
		n.observe(rows[at%20000 : at%20000+1])
		done, err = s.Step()
		require.NoError(t, err)
	}
	l, hosts, err := learn.Restore(path, o, nil)
	require.NoError(t, err)
	require.InDelta(t, 5000, l.Stats().Rows, 10)
	again := &node{l: l, hosts: hosts}
	again.observe(rows[6000:])
	require.NotEmpty(t, again.models)
}

// In a state that was saved in slices the first rows can be more than the number
// of rows says. Learning goes on, and the next state can be used.
func TestSaveWithinTheFirstRows(t *testing.T) {
	rows := officeRows(13, 2000)
	o := learn.Options{Seed: 3}
	n := &node{l: learn.NewLearner(o), hosts: feature.NewHosts(50)}
	n.observe(rows[:300])
	path := filepath.Join(t.TempDir(), "state")
	s, err := n.l.Save(path, n.hosts, nil)
	require.NoError(t, err)
	_, err = s.Step() // the number of rows
	require.NoError(t, err)
	n.observe(rows[300:450])
	require.NoError(t, s.Finish())
	for at := 300; at < len(rows); at += 850 {
		n.l, n.hosts, err = learn.Restore(path, o, nil)
		require.NoError(t, err)
		require.Equal(t, uint64(at), n.l.Rows())
		n.observe(rows[at : at+850])
		n.restart(t, path, o)
	}
	require.NotEmpty(t, n.models)
}

func saved(t testing.TB) (path string, data []byte) {
	n := &node{l: learn.NewLearner(learn.Options{Seed: 3, Trees: 20}), hosts: feature.NewHosts(50)}
	n.observe(officeRows(13, 1006)) // in the middle of a rebuild
	path = filepath.Join(t.TempDir(), "state")
	s, err := n.l.Save(path, n.hosts, nil)
	require.NoError(t, err)
	require.NoError(t, s.Finish())
	data, err = os.ReadFile(path)
	require.NoError(t, err)
	return path, data
}

func TestRestoreRefusesDamage(t *testing.T) {
	path, good := saved(t)
	o := learn.Options{Trees: 20}
	_, _, err := learn.Restore(path, o, nil)
	require.NoError(t, err)

	refused := func(data []byte, o learn.Options, why string) {
		t.Helper()
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, _, err := learn.Restore(path, o, nil)
		var f *model.FormatError
		require.ErrorAs(t, err, &f)
		require.ErrorContains(t, err, why)
		require.ErrorContains(t, err, path)
		require.NotEmpty(t, f.Hint)
	}
	refused(nil, o, "not a state")
	refused([]byte("something else, and longer than the head of a state file is"), o, "not a state")
	refused(good, learn.Options{Trees: 20, Sampling: learn.Uniform}, "other features, sampling")
	refused(good, learn.Options{}, "forest size")
	refused(good[:len(good)/2], o, "truncated")
	refused(good[:len(good)-13], o, "truncated")
	refused(append(good[:len(good):len(good)], 0), o, "too many")
	r := rand.New(rand.NewPCG(1, 1))
	for range 60 {
		data := append([]byte(nil), good...)
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		refused(data, o, "")
	}
	_, _, err = learn.Restore(filepath.Join(t.TempDir(), "absent"), o, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Whenever saving begins, and whatever goes on meanwhile: the state can be used.
func TestSaveAtAnyTime(t *testing.T) {
	rows := officeRows(16, 4000)
	o := learn.Options{Seed: 3, Trees: 60, Warmup: 600, RebuildEvery: 250}
	n := &node{l: learn.NewLearner(o), hosts: feature.NewHosts(model.DefaultHosts)}
	path := filepath.Join(t.TempDir(), "state")
	rebuilding := 0
	for at := 0; at < len(rows)-300; {
		n.observe(rows[at : at+51])
		at += 51
		if n.l.Rebuilding() {
			rebuilding++
		}
		s, err := n.l.Save(path, n.hosts, nil)
		require.NoError(t, err)
		// As many rows whether the disk is fast or slow: else a slow one leaves
		// few rows to begin at.
		done := false
		for range 40 {
			n.observe(rows[at : at+1])
			at++
			if !done {
				done, err = s.Step()
				require.NoError(t, err)
			}
		}
		if !done {
			require.NoError(t, s.Finish())
		}
		_, _, err = learn.Restore(path, o, nil)
		require.NoError(t, err, "after %d rows", at)
	}
	require.Greater(t, rebuilding, 1)
	require.Greater(t, len(n.models), 2)
}

// The rolling day of alerts goes with the state: the threshold is there at once.
func TestAlertsGoWithTheState(t *testing.T) {
	rows := officeRows(15, 6000)
	o := learn.Options{Seed: 3}
	l, hosts, policy := learn.NewLearner(o), feature.NewHosts(model.DefaultHosts), alerts.New(1000)
	observe := func(l *learn.Learner, hosts *feature.Hosts, policy *alerts.Policy, rows []conn.Conn) (raised []int) {
		for i := range rows {
			w := hosts.Observe(&rows[i])
			var s model.Score
			if m := l.Model(); m != nil {
				s = m.ScoreRow(rowOf(&rows[i], w))
				row := alerts.RowOf(&rows[i], s.Value, s.Cold, m.Fingerprint())
				if policy.Unusual(&row) && policy.Raise(&row) == alerts.Raise {
					raised = append(raised, i)
				}
			}
			l.Observe(rowOf(&rows[i], w), s)
			_, _ = l.Step()
		}
		return raised
	}
	observe(l, hosts, policy, rows[:5000])
	path := filepath.Join(t.TempDir(), "state")
	s, err := l.Save(path, hosts, policy)
	require.NoError(t, err)
	require.NoError(t, s.Finish())
	again := alerts.New(1000)
	l2, hosts2, err := learn.Restore(path, o, again)
	require.NoError(t, err)
	want := observe(l, hosts, policy, rows[5000:])
	require.NotEmpty(t, want)
	require.Equal(t, want, observe(l2, hosts2, again, rows[5000:]))
}

// A save that ends early leaves the old file, and no other.
func TestSaveIsAtomic(t *testing.T) {
	path, good := saved(t)
	n := &node{l: learn.NewLearner(learn.Options{Seed: 4}), hosts: feature.NewHosts(50)}
	n.observe(officeRows(14, 3000))
	for steps := range 80 {
		s, err := n.l.Save(path, n.hosts, nil)
		require.NoError(t, err)
		for range steps {
			_, err := s.Step()
			require.NoError(t, err)
		}
		s.Abandon()
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		if steps < 75 {
			require.Equal(t, good, now, "after %d steps", steps)
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			require.Len(t, entries, 1)
		}
	}
	_, err := n.l.Save(filepath.Join(t.TempDir(), "missing", "state"), n.hosts, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
