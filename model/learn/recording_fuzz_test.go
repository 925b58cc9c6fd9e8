package learn

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// A recording is data from outside: what is read of a damaged one can be learnt
// from, and has no gap.
func FuzzRecording(f *testing.F) {
	path := filepath.Join(f.TempDir(), "samples")
	rec, err := NewLearner(Options{Seed: 3, ZeekVersion: "8.0.10"}).Record(path)
	require.NoError(f, err)
	b := NewBatch(feature.Conn)
	rows := 0
	m, _, err := FitRows(func(r *feature.Row) error {
		if rows++; rows > 64 {
			return io.EOF
		}
		c := ordinary(rows, 0)
		*r = *rowOf(&c, feature.Window{Connections: uint32(rows)})
		return nil
	}, Options{Seed: 3, Trees: 2, Subsample: 8})
	require.NoError(f, err)
	require.NoError(f, rec.Use(0, m))
	for i := range 300 {
		c := ordinary(i, 0)
		if b.Add(rowOf(&c, feature.Window{Connections: uint32(i)})); b.Full() {
			require.NoError(f, rec.Add(uint64(i+1-b.Rows()), b.Bytes()))
			b.Reset()
		}
	}
	require.NoError(f, rec.Close())
	good, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(good)
	f.Add(good[:len(good)-9])
	f.Add(good[:40])

	f.Fuzz(func(t *testing.T, data []byte) {
		r, damage := ReadRecording(bytes.NewReader(data))
		if r == nil {
			require.Error(t, damage)
			return
		}
		for _, row := range r.rows {
			used, err := r.read(row.at)
			require.NoError(t, err)
			require.Equal(t, row.key, rowKey(used))
			require.NoError(t, r.set.CheckSample(&used.Sample))
		}

		in := bytes.NewReader(data)
		o, err := readHead(in)
		require.NoError(t, err)
		require.True(t, o.Warmup >= 0 && o.RebuildEvery >= 0)
		var rows, given uint64
		err = readBatches(in, o.Set, &rows, func(r *feature.Row) {
			require.NoError(t, o.Set.CheckSample(&r.Sample))
			given++
		})
		require.Equal(t, rows, given)
		if err == nil && damage == nil {
			require.Equal(t, rows, uint64(r.Rows()))
		}
	})
}
