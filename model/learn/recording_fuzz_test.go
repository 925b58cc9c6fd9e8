package learn

import (
	"bytes"
	"errors"
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
		r, err := ReadRecording(bytes.NewReader(data), nil)
		if err != nil {
			return
		}
		require.NotNil(t, r.Set())
		for _, row := range r.rows {
			used, err := r.read(row.at)
			require.NoError(t, err)
			require.Equal(t, row.key, rowKey(used))
			require.NoError(t, r.set.CheckSample(&used.Sample))
		}
		_, report, err := FitRecording(bytes.NewReader(data), nil)
		if err == nil || errors.Is(err, ErrNoModelYet) {
			require.Empty(t, r.Faults())
			require.LessOrEqual(t, report.Rows, uint64(r.Rows()))
		} else {
			require.NotEmpty(t, r.Faults())
		}
	})
}
