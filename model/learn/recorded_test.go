package learn_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

func any(*feature.Sample) bool { return true }

// Each row is found as it was recorded, once, and each model that was in use.
func TestRecordedRowsAreFound(t *testing.T) {
	conns := officeRows(33, 6000)
	rows := observed(conns)
	o := learn.Options{Seed: 12, Warmup: 600, RebuildEvery: 1100}
	data, _ := recorded(t, o, batches(rows))
	r, err := learn.ReadRecording(bytes.NewReader(data), nil)
	require.NoError(t, err)
	require.Equal(t, len(rows), r.Rows())
	require.Equal(t, feature.Conn, r.Set())
	require.Empty(t, r.Faults())

	l, models := learn.NewLearner(o), map[*model.Model]bool{}
	for i := range rows {
		var asked feature.Row
		asked.SetConn(&conns[i], feature.Window{}, nil)
		found, ok, err := r.Find(&asked, func(used *feature.Sample) bool { return feature.AlikeConn(&conns[i], used) })
		require.NoError(t, err)
		require.True(t, ok, i)
		require.True(t, found.Known)
		want := rows[i]
		want.Chance = 0 // does not travel
		require.Equal(t, want, found.Row, i)
		if m := l.Model(); m == nil {
			require.Nil(t, found.Model)
		} else if models[m] = true; true {
			require.Equal(t, m.Fingerprint(), found.Model.Fingerprint(), i)
			require.Same(t, found.Model, r.Model(m.Fingerprint()))
		}
		_, _ = l.Take(&rows[i])
	}
	require.Greater(t, len(models), 2)
	require.Nil(t, r.Model("0123456789ab"))
	_, ok, err := r.Find(&rows[7], any)
	require.NoError(t, err)
	require.False(t, ok, "it was found before")
}

// Rows that a log cannot tell apart are found in the order in which they were
// recorded; those that it can, by what it says of them.
func TestRecordedRowsThatAreAlike(t *testing.T) {
	c := officeRows(34, 1)[0]
	other := c
	other.OrigBytes++ // of the same kind
	window := func(n uint32) feature.Window { return feature.Window{Connections: n} }
	rows := []feature.Row{*rowOf(&c, window(1)), *rowOf(&other, window(2)), *rowOf(&c, window(3))}
	data, _ := recorded(t, learn.Options{Seed: 1}, batches(rows))
	r, err := learn.ReadRecording(bytes.NewReader(data), nil)
	require.NoError(t, err)
	for _, want := range []int{1, 0, 2} {
		of := &c
		if want == 1 {
			of = &other
		}
		found, ok, err := r.Find(rowOf(of, feature.Window{}), func(used *feature.Sample) bool { return feature.AlikeConn(of, used) })
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, rows[want].Vector, found.Row.Vector)
		require.Nil(t, found.Model)
		require.True(t, found.Known)
	}
}

// A sensor that is killed goes on from what it had saved: its models are made
// again, and those that it had made behind its saving.
func TestRecordingOfAKilledSensor(t *testing.T) {
	rows := observed(officeRows(35, 9000))
	o := learn.Options{Seed: 12, Warmup: 600, RebuildEvery: 1100}
	dir := t.TempDir()
	path := filepath.Join(dir, "samples")
	l, made := learn.NewLearner(o), map[string]bool{}
	save := func(state string) {
		s, err := l.Save(filepath.Join(dir, state), feature.NewHosts(1), nil)
		require.NoError(t, err)
		require.NoError(t, s.Finish())
	}
	restore := func(state string) {
		var err error
		l, _, err = learn.Restore(filepath.Join(dir, state), o, nil)
		require.NoError(t, err)
	}
	learnt := func(from, to int) {
		for ; from < to; from += 500 { // a saving may come between the rows of a batch
			record(t, l, path, batches(rows[from:from+500]))
			if m := l.Model(); m != nil {
				made[m.Fingerprint()] = true
			}
		}
	}
	learnt(0, 2000)
	save("a")
	learnt(2000, 4000)
	save("b")
	learnt(4000, 5500) // lost
	restore("b")
	learnt(5500, 7000)
	restore("a") // b was lost, too
	learnt(7000, 8500)
	last := l.Model().Fingerprint()

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	m, report, err := learn.FitRecording(bytes.NewReader(data), nil)
	require.NoError(t, err)
	require.Equal(t, l.Rows(), report.Rows)
	require.Equal(t, last, m.Fingerprint())
	r, err := learn.ReadRecording(bytes.NewReader(data), nil)
	require.NoError(t, err)
	require.Empty(t, r.Faults())
	require.Equal(t, 8500, r.Rows())
	require.Greater(t, len(made), 4)
	for fingerprint := range made {
		require.NotNil(t, r.Model(fingerprint))
	}
}

// What is damaged ends it; where rows are missing no model is known any more, but
// the rows are.
func TestRecordingsThatLackRows(t *testing.T) {
	rows := observed(officeRows(36, 2000))
	all := batches(rows)
	good, _ := recorded(t, learn.Options{Seed: 12, Warmup: 600}, all[:10])
	gap := append(append(bytes.Clone(good), frame(1408, all[11])...), frame(900, all[12])...)

	for name, c := range map[string]struct {
		data          []byte
		fault         string
		found, absent int
	}{
		"cut off": {good[:len(good)-5], "after 1152 connections: unexpected EOF", 9 * 128, 9*128 + 1},
		"missing": {gap, "after 1280 connections: the recording does not hold all that the sensor has learnt from: there follows number 1409", 11 * 128, 10*128 + 1},
		// What was known at 900 is known again.
		"missing before it was killed": {gap, "after 1280", 12 * 128, 10*128 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := learn.ReadRecording(bytes.NewReader(c.data), nil)
			require.NoError(t, err)
			require.Len(t, r.Faults(), 1)
			require.ErrorContains(t, r.Faults()[0], c.fault)
			found, ok, err := r.Find(&rows[c.found], any)
			require.NoError(t, err)
			require.Equal(t, name != "cut off", ok)
			require.Equal(t, name == "missing before it was killed", found.Known)
			_, ok, err = r.Find(&rows[c.absent], any)
			require.NoError(t, err)
			require.False(t, ok)
		})
	}
	_, err := learn.ReadRecording(bytes.NewReader(good[:9]), nil)
	require.ErrorContains(t, err, "not a recording")
}
