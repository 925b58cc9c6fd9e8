//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// Root shall not leave files in the state of a Zeek that runs as another user,
// who could not read them.
func TestOwnerOfState(t *testing.T) {
	if os.Geteuid() != 0 {
		testenv.Skip(t, "root", "only root has this fault")
	}
	dir := t.TempDir()
	require.Empty(t, ownerOfState(filepath.Join(dir, "not", "yet")))
	require.NoError(t, os.Chown(dir, 54321, 54321))
	require.Equal(t, "#54321", ownerOfState(dir))
	require.Equal(t, "#54321", ownerOfState(filepath.Join(dir, "not", "yet")))
}
