// Package golden compares what a test got with a file kept in the repository.
//
//	go test ./the/package -update
//
// writes the files anew; the diff is then reviewed like any other change.
// Files that an oracle wrote (Zeek's conn.log) and seeded results, whose
// change is a new format, are never compared through this package.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Assert fails the test unless the file at path, relative to the test's
// package, holds exactly got. With -update it writes got there instead.
func Assert[T ~string | ~[]byte](t testing.TB, path string, got T) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "no golden file; go test -update writes it")
	assert.Equal(t, string(want), string(got), "differs from %s; go test -update accepts the new text", path)
}
