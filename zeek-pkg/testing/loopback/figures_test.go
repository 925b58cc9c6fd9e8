//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A row waits for the first totals behind the sending that has it; that totals are
// told again of the same sending makes nothing later.
func TestLatencies(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"worker-1": "row 1 10.0\nrow 2 14.5\nrow 3 19.0\nend 30 20.0 1.5 3 900\n",
		"worker-2": "told proxy-1 worker-1 1 12.0\ntold proxy-1 worker-1 1 13.0\ntold proxy-1 worker-1 2 17.0\nend 20 20.0 1.25 3 900\n",
	} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "moments"), []byte(text), 0o600))
	}
	c := cluster{dir: dir, workers: []string{"worker-1", "worker-2"}, owners: []string{"proxy-1"}}
	all, err := c.moments()
	require.NoError(t, err)
	require.Equal(t, 1.5, all["worker-1"].cpu)
	times, late := c.latencies(all)
	require.Equal(t, []float64{2, 2.5}, times)
	require.Equal(t, 1, late, "worker-2 ended before it was told of the last row")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "worker-2", "moments"), []byte("row 1 10.0\n"), 0o600))
	_, err = c.moments()
	require.ErrorContains(t, err, "did not come to its end")
}

// The scan is spread evenly, and each connection is in one worker's trace.
func TestTracesAreShares(t *testing.T) {
	const workers = 4
	dir := t.TempDir()
	all := flows(20, 60)
	counts, err := writeTraces(dir, all, workers)
	require.NoError(t, err)
	sum, scan := 0, make([]int, workers)
	for _, n := range counts {
		require.Positive(t, n)
		sum += n
	}
	require.Equal(t, len(all), sum)
	for _, f := range all {
		if f.orig == [4]byte{10, 0, 0, 7} {
			scan[int(f.resp[3])%workers]++
		}
	}
	for _, n := range scan {
		require.InDelta(t, scan[0], n, 1)
	}
	require.Greater(t, scan[0], 3)
	whole, err := os.Stat(filepath.Join(dir, "all.pcap"))
	require.NoError(t, err)
	var parts int64
	for i := range workers {
		part, err := os.Stat(filepath.Join(dir, traceName(i, workers)))
		require.NoError(t, err)
		parts += part.Size() - 24
	}
	require.Equal(t, whole.Size()-24, parts)
}
