package sensor

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

const (
	nothingBad = learn.LabelHeader + "\n"
	theft      = nothingBad + "10.0.0.200\t-\ttcp\tftp-data\tSF\t268435456-2147483647\t16384-131071\n"
)

// stealing is a day of ordinary traffic, one on which a host steals, up to label,
// and two, a week apart, on which everybody does.
func stealing() (rs []Record, label int) {
	stolen := func(host, i int, at float64) Record {
		return Record{
			TS: at, Duration: 60, OrigBytes: 790 << 20, OrigIPBytes: 800 << 20, OrigPkts: 600_000, RespIPBytes: 40_000, RespPkts: 900,
			Service: "ftp-data", State: "SF", Proto: uint8(conn.TCP), OrigPort: 20, RespPort: 20,
			OrigHost: netip.AddrFrom4([4]byte{10, 0, 0, byte(host)}).As16(), RespHost: netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}).As16(),
			Set: conn.Service | conn.Duration | conn.OrigBytes,
		}
	}
	rs = records(16_400)
	for i := 16_000; i < 16_400; i++ {
		rs[i].TS += 3 * 86400
	}
	for i := range 20 {
		rs = append(rs, stolen(200, i, rs[len(rs)-1].TS+20))
	}
	label = len(rs)
	for week := range 2 {
		for i, r := range records(5000) {
			r.TS += float64(5+9*week) * 86400
			rs = append(rs, r, stolen(100+i%101, 100+i, r.TS))
		}
	}
	return rs, label
}

// refusals are the reasons for which models were refused.
func refusals(events []Event) (why []string) {
	for _, e := range events {
		if e.Kind == Refused {
			why = append(why, e.Text)
		}
	}
	return why
}

func labelsOf(t testing.TB, dir string) []learn.LabelChange {
	t.Helper()
	path := filepath.Join(dir, labelsFile)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changes, err := learn.ParseLabelChanges(string(text))
	require.NoError(t, err)
	return changes
}

// What is labelled bad while a sensor learns, over restarts and where it is killed,
// is what train --as-sensor --labels is told: the models are the same.
func TestLearnsWithLabelsWhatTrainLearns(t *testing.T) {
	rs, label := stealing()
	dir := filepath.Join(t.TempDir(), "zeek")
	how := Learning{Seed: 7, Warmup: 400, RebuildEvery: 4000, Dir: dir}
	s := learner(t, how)
	s.Label(nothingBad)
	require.NoFileExists(t, filepath.Join(dir, labelsFile), "nothing to note")
	require.Empty(t, refusals(feed(t, s, rs[:label])))
	require.NoError(t, s.Finish())

	killed := learner(t, how)
	feed(t, killed, rs[label:label+500])
	killed.Label(theft)
	require.Equal(t, uint64(label+500), labelsOf(t, dir)[0].Rows)
	killed.learning.dir.release()

	how.Labels = nothingBad
	s = learner(t, how)
	s.Label(theft)
	require.Equal(t, []learn.LabelChange{{Rows: uint64(label), Labels: theft}}, labelsOf(t, dir), "what came later is not known")
	refused := refusals(feed(t, s, rs[label:label+9000]))
	require.NoError(t, s.Finish())
	how.Labels = ""
	s = learner(t, how)
	refused = append(refused, refusals(feed(t, s, rs[label+9000:]))...)
	require.NotEmpty(t, refused)
	for _, why := range refused {
		require.Contains(t, why, "1 of 1 kinds of connection that are labelled bad")
	}
	s.Label("")
	s.Label(theft)
	require.Len(t, labelsOf(t, dir), 1)
	s.Label(nothingBad)
	require.Len(t, labelsOf(t, dir), 2)
	require.NoError(t, s.Finish())

	o := learn.Options{Seed: 7, Warmup: 400, RebuildEvery: 4000}
	without := asSensor(t, rs, o)
	o.Labels = labelsOf(t, dir)
	want := asSensor(t, rs, o)
	require.Equal(t, want.Fingerprint(), s.Model().Fingerprint())
	require.NotEqual(t, without.Fingerprint(), s.Model().Fingerprint(), "else this test shows nothing")
}

// The manager of a cluster tests models by labels, too; workers need not know them.
func TestClusterLearnsWithLabels(t *testing.T) {
	rs, label := stealing()
	dir := t.TempDir()
	how := Learning{Seed: 3, Warmup: 400, RebuildEvery: 1000, Workers: 2, Dir: filepath.Join(dir, "state"), Recording: filepath.Join(dir, "samples")}
	c := newCluster(t, how, 2)
	inTurns := func(i int) int { return i / 2 % 2 }
	c.score(t, rs[:label], inTurns)
	for _, w := range c.workers {
		c.send(t, w)
	}
	c.manager.Label(theft)
	c.score(t, rs[label:], inTurns)
	var events []Event
	for c.manager.News() > 0 {
		events = append(events, c.manager.Event())
	}
	refused := refusals(events)
	require.Contains(t, strings.Join(refused, "\n"), "labelled bad", "%v", c.manager.learning.learner.Stats())

	file, err := os.Open(how.Recording)
	require.NoError(t, err)
	defer file.Close()
	m, _, err := learn.FitRecording(file, labelsOf(t, how.Dir))
	require.NoError(t, err)
	require.True(t, bytes.Equal(m.Bytes(), c.manager.ModelFile()), "the same bytes")
}

// Labels that cannot be used, and a file that cannot be written, are a warning.
func TestLabelsWithTrouble(t *testing.T) {
	warnings := func(s *Sensor) (all []string) {
		for s.News() > 0 {
			e := s.Event()
			require.Equal(t, Warning, e.Kind)
			all = append(all, e.Text)
		}
		return all
	}
	New(model.DefaultHosts).Label(theft) // learns nothing, is told nothing
	dir := filepath.Join(t.TempDir(), "zeek")
	s := learner(t, Learning{Seed: 1, Dir: dir})
	wrong := strings.Replace(theft, "SF", "no", 1)
	s.Label(wrong)
	s.Label(wrong)
	require.Equal(t, []string{`the test for new models does not know what is labelled bad: line 2 of labels: conn_state: "no" cannot be used`}, warnings(s))
	require.NoError(t, os.Mkdir(filepath.Join(dir, labelsFile+".new"), 0o700))
	s.Label(theft)
	all := warnings(s)
	require.Len(t, all, 1)
	require.Contains(t, all[0], "what is labelled bad is not kept for train --as-sensor")
	require.Equal(t, theft, s.learning.learner.Labels(), "the test knows it")
}
