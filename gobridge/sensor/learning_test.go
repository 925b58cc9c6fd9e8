package sensor

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// asSensor is the model that train --as-sensor makes of the records.
func asSensor(t testing.TB, rs []Record, o learn.Options) *model.Model {
	t.Helper()
	o.AsSensor = true
	i := 0
	m, _, err := learn.Fit(func(c *conn.Conn) error {
		if i == len(rs) {
			return io.EOF
		}
		i++
		return rs[i-1].fill(c, &names{})
	}, o)
	require.NoError(t, err)
	return m
}

// feed scores the records and returns what was told meanwhile.
func feed(t testing.TB, s *Sensor, rs []Record) (events []Event) {
	t.Helper()
	for i := range rs {
		had := s.Model()
		_, err := s.Score(&rs[i])
		if had == nil {
			require.Equal(t, NoModel, StatusOf(err))
		} else {
			require.NoError(t, err)
		}
		for s.News() > 0 {
			events = append(events, s.Event())
		}
	}
	return events
}

func kinds(events []Event) map[EventKind]int {
	n := map[EventKind]int{}
	for _, e := range events {
		n[e.Kind]++
	}
	return n
}

func learner(t testing.TB, o Learning) *Sensor {
	t.Helper()
	s := New(model.DefaultHosts)
	require.NoError(t, s.Learn(o))
	return s
}

func bytesOf(t testing.TB, m *model.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, m.Write(&b))
	return b.Bytes()
}

// The central promise: what was learnt live, over restarts in the middle of
// whatever was going on, is byte for byte what train --as-sensor makes of the
// same rows.
func TestLearnsWhatTrainLearns(t *testing.T) {
	rs := records(9000)
	dir := filepath.Join(t.TempDir(), "new", "node")
	how := Learning{Seed: 7, Warmup: 400, RebuildEvery: 900, SaveEvery: 700, Dir: dir, ZeekVersion: "8.0.10"}
	r := rand.New(rand.NewPCG(1, 1))
	var events []Event
	for at := 0; at < len(rs); {
		s := learner(t, how)
		end := min(at+1500+r.IntN(1500), len(rs))
		events = append(events, feed(t, s, rs[at:end])...)
		at = end
		require.Equal(t, uint64(end), s.Statistics().Learner.Rows)
		require.NoError(t, s.Finish())
		require.False(t, s.Statistics().Learning)

		want := asSensor(t, rs[:end], learn.Options{Seed: 7, Warmup: 400, RebuildEvery: 900, ZeekVersion: "8.0.10"})
		require.Equal(t, want.Fingerprint(), s.Model().Fingerprint())
		onDisk, err := os.ReadFile(filepath.Join(dir, modelFile))
		require.NoError(t, err)
		require.True(t, bytes.Equal(bytesOf(t, want), onDisk), "after %d rows", end)
	}
	n := kinds(events)
	require.Greater(t, n[Promoted], 4)
	require.Zero(t, n[Warning], "%v", events)

	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	for _, name := range []string{stateFile, modelFile, lockFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

// Without a seed one is drawn, which the model names, so that it can be made
// again.
func TestSeedIsDrawnAndNamed(t *testing.T) {
	rs := records(2500)
	s, other := learner(t, Learning{}), learner(t, Learning{})
	feed(t, s, rs)
	feed(t, other, rs)
	seed := s.Model().Summary().Seed
	require.NotZero(t, seed)
	require.Equal(t, seed, s.Statistics().Learner.Seed)
	require.NotEqual(t, seed, other.Model().Summary().Seed)
	require.Equal(t, asSensor(t, rs, learn.Options{Seed: seed}).Fingerprint(), s.Model().Fingerprint())
}

// What is wrong with a directory is said once, and learning goes on.
func TestDirectoriesThatCannotBeUsed(t *testing.T) {
	rs := records(6000)
	good := filepath.Join(t.TempDir(), "good")
	s := learner(t, Learning{Seed: 1, Dir: good})
	feed(t, s, rs[:2500])
	require.NoError(t, s.Finish())
	state, err := os.ReadFile(filepath.Join(good, stateFile))
	require.NoError(t, err)

	busy := filepath.Join(t.TempDir(), "busy")
	holder := learner(t, Learning{Seed: 1, Dir: busy})
	defer holder.Finish()

	write := func(data []byte) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, stateFile), data, 0o600))
		return dir
	}
	file := write(nil) + "/" + stateFile
	flipped := bytes.Clone(state)
	flipped[len(state)/2] ^= 4
	version := bytes.Clone(state)
	version[len("zeek-iforest state\n")]++
	full := t.TempDir()
	require.NoError(t, os.Symlink("/dev/full", filepath.Join(full, stateFile+".new")))
	gone := t.TempDir()

	for name, tc := range map[string]struct {
		dir, want string
		aside     bool
	}{
		"empty":         {write(nil), "not a state of zeek-iforest; it is kept as", true},
		"cut":           {write(state[:len(state)/2]), "state is damaged: truncated; it is kept as", true},
		"flipped":       {write(flipped), "state is damaged", true},
		"other version": {write(version), "state of another version", true},
		"a file":        {file, "is not kept over a restart: state directory: mkdir ", false},
		"relative":      {"here", "here is not absolute", false},
		"two Zeeks":     {busy, busy + ": another Zeek uses it", false},
		"disk full":     {full, "cannot be saved, learning goes on: write ", false},
		"removed":       {gone, "cannot be saved, learning goes on: open ", false},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "disk full" {
				if _, err := os.Stat("/dev/full"); err != nil {
					t.Skip("skipped: needs /dev/full")
				}
			}
			s := learner(t, Learning{Seed: 3, SaveEvery: 500, Dir: tc.dir})
			if name == "removed" {
				require.NoError(t, os.RemoveAll(gone))
			}
			var warnings []string
			for _, e := range feed(t, s, rs) {
				if e.Kind == Warning {
					warnings = append(warnings, e.Text)
				}
			}
			require.Len(t, warnings, 1, "%q", warnings)
			require.Contains(t, warnings[0], tc.want)
			require.Equal(t, asSensor(t, rs, learn.Options{Seed: 3}).Fingerprint(), s.Model().Fingerprint())
			_, err := os.Stat(filepath.Join(tc.dir, asideFile))
			require.Equal(t, tc.aside, err == nil)
			err = s.Finish()
			if name == "removed" {
				require.Equal(t, NotDone, StatusOf(err))
			} else {
				require.NoError(t, err)
			}
		})
	}

	again := learner(t, Learning{Seed: 99, Dir: good})
	feed(t, again, rs[2500:])
	require.Equal(t, asSensor(t, rs, learn.Options{Seed: 1}).Fingerprint(), again.Model().Fingerprint(), "the state's seed holds")
	require.NoError(t, again.Finish())
}

// A clock that runs backwards, or jumps by years, costs windows and the day of
// alerts, and nothing else.
func TestClockThatJumps(t *testing.T) {
	rs := records(12000)
	for i := range rs {
		switch i / 2000 {
		case 2:
			rs[i].TS -= 7200
		case 3:
			rs[i].TS = 1e6 + float64(i)/7
		case 4:
			rs[i].TS += 3e8
		}
	}
	s := learner(t, Learning{Seed: 1, Dir: t.TempDir(), SaveEvery: 1000})
	s.SetAlerts(1000)
	events := feed(t, s, rs)
	n := kinds(events)
	require.Zero(t, n[Warning], "%v", events)
	require.Greater(t, n[Promoted], 2)
	require.Equal(t, asSensor(t, rs, learn.Options{Seed: 1}).Fingerprint(), s.Model().Fingerprint())
}

func TestModelFileEndsLearning(t *testing.T) {
	rs := records(3000)
	dir := t.TempDir()
	s := learner(t, Learning{Seed: 1, Dir: dir})
	feed(t, s, rs[:2000])
	other := trained(t, rs, 5)
	require.NoError(t, s.LoadFile(file(t, other)))
	require.False(t, s.Statistics().Learning)
	feed(t, s, rs[2000:])
	require.Equal(t, other.Fingerprint(), s.Model().Fingerprint())

	again := learner(t, Learning{Dir: dir})
	require.Equal(t, uint64(2000), again.Statistics().Learner.Rows, "what was learnt was saved, and the lock given back")
	require.NotNil(t, again.Model(), "there are scores at once")
	require.NoError(t, again.Finish())
}

func TestRollback(t *testing.T) {
	s := New(16)
	require.Equal(t, NotDone, StatusOf(s.Rollback()))
	s = learner(t, Learning{Seed: 1, Warmup: 300, RebuildEvery: 800})
	require.Equal(t, NotDone, StatusOf(s.Rollback()))
	feed(t, s, records(1500))
	first := s.Model().Fingerprint()
	for s.Model().Fingerprint() == first {
		feed(t, s, records(100))
	}
	require.NoError(t, s.Rollback())
	require.Equal(t, first, s.Model().Fingerprint())
	require.Equal(t, NotDone, StatusOf(s.Rollback()))
}

// In the steady state a call allocates nothing; a model or a saving does.
func TestLearningDoesNotAllocate(t *testing.T) {
	rs := records(4000)
	s := learner(t, Learning{Seed: 1})
	s.SetAlerts(20)
	for i := range rs {
		s.Score(&rs[i])
	}
	for s.Statistics().Learner.Rebuilding {
		for i := range rs {
			s.Score(&rs[i])
		}
	}
	left := int(s.Statistics().Learner.Due - s.Statistics().Learner.Rows)
	require.Greater(t, left, 1000)
	i := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		rs[i].OrigHost[14]++
		if _, err := s.Score(&rs[i]); err != nil {
			t.Fatal(err)
		}
		s.Raise()
		i++
	}))
}

// A Zeek that calls its services otherwise after an upgrade: said once, and no
// storm of alerts.
func TestDriftIsSaidOnce(t *testing.T) {
	rs := records(60_000)
	for i := range rs {
		rs[i].TS = 1.7e9 + float64(i)
		rs[i].OrigHost = netip.AddrFrom4([4]byte{10, 0, byte(i % 700 / 256), byte(i % 700)}).As16()
	}
	calm := learner(t, Learning{Seed: 1, RebuildEvery: 10_000})
	require.Zero(t, kinds(feed(t, calm, rs))[Drift])

	for i := 40_000; i < len(rs); i++ {
		rs[i].Service = map[string]string{"ssl": "tls", "http": "http1", "dns": "domain", "ssl,http": "http1,tls"}[rs[i].Service]
	}
	s := learner(t, Learning{Seed: 1, RebuildEvery: 10_000})
	s.SetAlerts(24)
	var drifts []string
	for i := range rs {
		r, err := s.Score(&rs[i])
		if err == nil && r.Unusual {
			s.Raise()
		}
		for s.News() > 0 {
			if e := s.Event(); e.Kind == Drift {
				drifts = append(drifts, fmt.Sprint(i > 40_000, " ", e.Text))
			}
		}
	}
	require.Len(t, drifts, 1)
	require.Regexp(t, `^true [0-9]+ % of 512 originators use a service that the model has never met, such as "(tls|http1|domain|http1,tls)"$`, drifts[0])
	require.LessOrEqual(t, s.Statistics().Raised, uint64(24*60_000/86400+4))
}

func TestEventsAreBounded(t *testing.T) {
	s := New(16)
	for i := range 3 * maxEvents {
		s.tell(Event{Kind: Warning, Text: fmt.Sprint(i)})
	}
	require.Equal(t, maxEvents, s.News())
	require.Equal(t, fmt.Sprint(2*maxEvents), s.Event().Text)
	for s.News() > 0 {
		s.Event()
	}
	require.Equal(t, Nothing, s.Event().Kind)
}
