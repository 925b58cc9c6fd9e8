package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// Logs hold addresses. A file that is replaced keeps the mode that somebody gave it.
func TestOutputIsNotForOthers(t *testing.T) {
	testenv.OS(t, "linux")
	path := filepath.Join(t.TempDir(), "conn.log")
	mode := func() os.FileMode {
		out, err := new(session).output(path)
		require.NoError(t, err)
		require.NoError(t, out.commit())
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	require.Equal(t, os.FileMode(0o600), mode())
	require.NoError(t, os.Chmod(path, 0o640))
	require.Equal(t, os.FileMode(0o640), mode())
}
