package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRotatedLogs(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{
		"logs/current/conn.log",
		"logs/current/conn.log.1",
		"logs/current/conn.log.2.gz",
		"logs/current/conn.log-20261120.zst",
		"logs/current/conn-26-11-20_09.00.00.log",
		"logs/current/conn.2026-11-20-09-00-00.log",
		"logs/current/log-queue/conn__2026-11-20-09-00-00__2026-11-20-10-00-00__.log",
		"logs/current/log-queue/conn__2026-11-20-09-00-00__2026-11-20-10-00-00__log_suffix=logger-1__.log",
		"logs/2026-11-20/conn.09:00:00-10:00:00.log.gz",
		"logs/2026-11-20/conn_20261120_09:00:00-10:00:00+0000.log.gz",
		"logs/20261120/conn_20261120_10:00:00.log",
		"logs/2026/11/20/conn.11:00:00-12:00:00.log",
		"logs/conn_20261120_12.log",
		"archive/2026-11-21/conn.09:00:00-10:00:00-logger-1.log.gz",
		"archive/conn-2.log",
		// not these
		"logs/current/conn-summary.log",
		"logs/current/conn_long.log",
		"logs/current/conn.state",
		"logs/current/dns.log.1",
		"logs/current/dns__2026-11-20-09-00-00__2026-11-20-10-00-00__.log",
		"logs/2026-11-20/conn-summary.09:00:00-10:00:00.log.gz",
		"logs/other/conn.log.1",
		"other/2026-11-20/conn.09:00:00-10:00:00.log.gz",
		"conn.log.1",
	} {
		file = filepath.Join(root, file)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, nil, 0o600))
	}
	found := func(log string, archives ...string) (files []string) {
		for _, f := range rotatedLogs(filepath.Join(root, log), archives) {
			name, err := filepath.Rel(root, f)
			require.NoError(t, err)
			files = append(files, filepath.ToSlash(name))
		}
		slices.Sort(files)
		return files
	}
	own := []string{
		"logs/2026-11-20/conn.09:00:00-10:00:00.log.gz",
		"logs/2026-11-20/conn_20261120_09:00:00-10:00:00+0000.log.gz",
		"logs/2026/11/20/conn.11:00:00-12:00:00.log",
		"logs/20261120/conn_20261120_10:00:00.log",
		"logs/conn_20261120_12.log",
		"logs/current/conn-26-11-20_09.00.00.log",
		"logs/current/conn.2026-11-20-09-00-00.log",
		"logs/current/conn.log-20261120.zst",
		"logs/current/conn.log.1",
		"logs/current/conn.log.2.gz",
		"logs/current/log-queue/conn__2026-11-20-09-00-00__2026-11-20-10-00-00__.log",
		"logs/current/log-queue/conn__2026-11-20-09-00-00__2026-11-20-10-00-00__log_suffix=logger-1__.log",
	}
	assert.Equal(t, own, found("logs/current/conn.log"))
	assert.Equal(t, append([]string{"archive/2026-11-21/conn.09:00:00-10:00:00-logger-1.log.gz", "archive/conn-2.log"}, own...),
		found("logs/current/conn.log", filepath.Join(root, "archive")))
	// A logger in a folder of its own knows nothing of a folder logs beside it.
	assert.Empty(t, found("logger/conn.log"))
	assert.True(t, isRotated("conn.json.1.gz", "conn.json"))
	assert.True(t, isRotated("conn-2026.json", "conn.json"))
	assert.False(t, isRotated("conn.log", "conn.json"))

	assert.Equal(t, []string{"a.log", "b.log.gz"}, withoutTwins([]string{"a.log", "a.log.gz", "b.log.gz"}))
}
