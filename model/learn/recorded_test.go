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
	r, err := learn.ReadRecording(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, len(rows), r.Rows())
	require.Equal(t, feature.Conn, r.Set())

	l, models := learn.NewLearner(o), map[*model.Model]bool{}
	inUse := l.Model()
	for i := range rows {
		if i%learn.BatchRows == 0 { // nobody is told of a model before a batch is over
			inUse = l.Model()
		}
		var asked feature.Row
		asked.SetConn(&conns[i], feature.Window{}, nil)
		found, ok, err := r.Find(&asked, func(used *feature.Sample) bool { return feature.AlikeConn(&conns[i], used) })
		require.NoError(t, err)
		require.True(t, ok, i)
		want := rows[i]
		want.Chance = 0 // does not travel
		require.Equal(t, want, found.Row, i)
		if inUse == nil {
			require.Nil(t, found.Model)
		} else {
			models[inUse] = true
			require.Equal(t, inUse.Fingerprint(), found.Model.Fingerprint(), i)
			require.Same(t, found.Model, r.Model(inUse.Fingerprint()))
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
	r, err := learn.ReadRecording(bytes.NewReader(data))
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
	}
}

// A sensor that is killed goes on from what it had saved, which lacks rows that
// were recorded, and holds some that it took while it saved. The last model cannot
// be made again then, but what scored each row is there.
func TestRecordingOfAKilledSensor(t *testing.T) {
	rows := observed(officeRows(35, 6000))
	o := learn.Options{Seed: 12, Warmup: 600, RebuildEvery: 1100}
	dir := t.TempDir()
	path, state := filepath.Join(dir, "samples"), filepath.Join(dir, "state")
	l := learn.NewLearner(o)
	record(t, l, path, batches(rows[:2000]))
	s, err := l.Save(state, feature.NewHosts(1), nil)
	require.NoError(t, err)
	require.NoError(t, s.Finish())
	record(t, l, path, batches(rows[2000:4000]))
	lost := l.Model().Fingerprint()
	l, _, err = learn.Restore(state, o, nil)
	require.NoError(t, err)
	again := l.Model().Fingerprint()
	record(t, l, path, batches(rows[4000:]))

	data, err := os.ReadFile(path)
	require.NoError(t, err)
	_, _, err = learn.FitRecording(bytes.NewReader(data), nil)
	require.ErrorIs(t, err, learn.ErrGap)
	require.ErrorContains(t, err, "after 4000 connections")
	r, err := learn.ReadRecording(bytes.NewReader(data))
	require.NoError(t, err)
	require.Equal(t, len(rows), r.Rows())
	for _, fingerprint := range []string{lost, again, l.Model().Fingerprint()} {
		require.NotNil(t, r.Model(fingerprint))
	}
	found, ok, err := r.Find(&rows[4000], any)
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, again, found.Model.Fingerprint())
}

// A recording that is damaged has what comes before.
func TestDamagedRecordingHasItsBeginning(t *testing.T) {
	rows := observed(officeRows(36, 2000))
	all := batches(rows)
	good, _ := recorded(t, learn.Options{Seed: 12, Warmup: 6000}, all[:10])
	for name, c := range map[string]struct {
		data []byte
		want string
		rows int
	}{
		"cut off":         {good[:len(good)-5], "after 1152 connections: unexpected EOF", 1152},
		"no model":        {append(append(bytes.Clone(good), modelFrame(1280, 5)...), 1, 2, 3, 4, 5), "after 1280 connections: not a zeek-iforest model", 1280},
		"too long":        {append(bytes.Clone(good), frame(1280, make([]byte, learn.MaxBatch+1))...), "after 1280 connections: a batch of rows is damaged", 1280},
		"a damaged batch": {append(bytes.Clone(good), frame(1280, all[1][:99])...), "after 1280 connections: a batch of rows is damaged", 1280},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := learn.ReadRecording(bytes.NewReader(c.data))
			require.ErrorContains(t, err, c.want)
			require.Equal(t, c.rows, r.Rows())
			for i, want := range map[int]bool{0: true, c.rows - 1: true, c.rows: false} {
				_, ok, err := r.Find(&rows[i], any)
				require.NoError(t, err)
				require.Equal(t, want, ok, i)
			}
		})
	}
	r, err := learn.ReadRecording(bytes.NewReader(good[:9]))
	require.Nil(t, r)
	require.ErrorContains(t, err, "not a recording")

	// What changes while it is read is said.
	r, err = learn.ReadRecording(bytes.NewReader(good))
	require.NoError(t, err)
	copy(good[len(good)-3000:], bytes.Repeat([]byte{0xff}, 3000))
	_, _, err = r.Find(&rows[1279], any)
	require.ErrorContains(t, err, "has changed")
}
