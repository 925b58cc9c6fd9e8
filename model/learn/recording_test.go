package learn_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// recorded is a recording of the batches by a learner with the options, which it
// returns too.
func recorded(t testing.TB, o learn.Options, all [][]byte) ([]byte, *learn.Learner) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "samples")
	l := learn.NewLearner(o)
	record(t, l, path, all)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data, l
}

// record lets the learner learn from the batches.
func record(t testing.TB, l *learn.Learner, path string, all [][]byte) {
	t.Helper()
	rec, err := l.Record(path)
	require.NoError(t, err)
	r := learn.NewBatchReader(l.Set())
	if m := l.Model(); m != nil {
		require.NoError(t, rec.Use(l.Rows(), m))
	}
	for _, b := range all {
		before := l.Model()
		require.NoError(t, rec.Add(l.Rows(), b))
		require.NoError(t, r.Read(b, func(r *feature.Row) { _, _ = l.Take(r) }))
		if m := l.Model(); m != before {
			require.NoError(t, rec.Use(l.Rows(), m))
		}
	}
	require.NoError(t, rec.Close())
}

// The model of a recording is the one that the learner used at its end, over
// restarts.
func TestRecordingMakesTheModelAgain(t *testing.T) {
	all := batches(observed(officeRows(31, 9000)))
	o := learn.Options{Seed: 12, Warmup: 600, RebuildEvery: 1100, ZeekVersion: "8.0.10"}
	dir := t.TempDir()
	path, state := filepath.Join(dir, "samples"), filepath.Join(dir, "state")
	l := learn.NewLearner(o)
	for at := 0; at < len(all); at += 17 {
		record(t, l, path, all[at:min(at+17, len(all))])
		file, err := os.Open(path)
		require.NoError(t, err)
		m, report, err := learn.FitRecording(file, nil)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.Equal(t, l.Rows(), report.Rows)
		require.Equal(t, l.Model().Fingerprint(), m.Fingerprint())

		s, err := l.Save(state, feature.NewHosts(1), nil)
		require.NoError(t, err)
		require.NoError(t, s.Finish())
		l, _, err = learn.Restore(state, o, nil)
		require.NoError(t, err)
	}
	require.Greater(t, l.Stats().Promoted, 3)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "it holds addresses")

	// Learning anew begins it anew; other options do not go on with it.
	record(t, learn.NewLearner(o), path, all[:9])
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	m, report, err := learn.FitRecording(bytes.NewReader(data), nil)
	require.NoError(t, err)
	require.NotNil(t, m)
	require.Equal(t, uint64(9*learn.BatchRows), report.Rows)
	o.Warmup++
	l, _, err = learn.Restore(state, o, nil)
	require.NoError(t, err)
	_, err = l.Record(path)
	require.ErrorContains(t, err, "other options")
}

func TestRecordingsThatCannotBeUsed(t *testing.T) {
	o := learn.Options{Seed: 12, Warmup: 600}
	all := batches(observed(officeRows(32, 1500)))
	good, _ := recorded(t, o, all)
	empty, _ := recorded(t, o, nil)
	few, _ := recorded(t, o, all[:1])
	_, _, err := learn.FitRecording(bytes.NewReader(few), nil)
	require.ErrorIs(t, err, learn.ErrNoModelYet)

	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":           {nil, "not a recording"},
		"a log":           {[]byte("#separator \\x09\n#set_separator\t,\n#empty_field"), "not a recording"},
		"head cut off":    {empty[:len(empty)-3], "head is damaged"},
		"head too long":   {bytes.Replace(empty, []byte("3\n\x2c"), []byte("3\n\xff\xff"), 1), "head is damaged"},
		"cut off":         {good[:len(good)-5], "unexpected EOF"},
		"cut in a frame":  {append(bytes.Clone(empty), 1, 2, 3), "after 0 connections: unexpected EOF"},
		"a lost batch":    {append(bytes.Clone(few), frame(256, all[2])...), "after 128 connections: the recording does not hold all"},
		"begun too late":  {append(bytes.Clone(empty), frame(77, all[0])...), "there follows number 78"},
		"cut in a model":  {append(bytes.Clone(few), modelFrame(600, 100)...), "after 128 connections: unexpected EOF"},
		"a damaged batch": {append(bytes.Clone(few), frame(128, all[1][:99])...), "after 128 connections: a batch of rows is damaged"},
		"too long":        {append(bytes.Clone(empty), frame(0, make([]byte, learn.MaxBatch+1))...), "is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			m, _, err := learn.FitRecording(bytes.NewReader(c.data), nil)
			require.ErrorContains(t, err, c.want)
			require.Nil(t, m)
		})
	}
}
