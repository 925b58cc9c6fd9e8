package testenv

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder takes the place of a test and remembers why it was skipped.
type recorder struct {
	testing.TB
	skip string
}

func (r *recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) {
	r.skip = fmt.Sprintf(format, args...)
}

func TestSkipsSayWhatIsMissing(t *testing.T) {
	tests := []struct {
		name string
		call func(t testing.TB)
		want string
	}{
		{"shared data", func(t testing.TB) { Shared(t, "no", "such-data") },
			"skipped: needs shared data: no ../shared/no/such-data beside the repository"},
		{"program", func(t testing.TB) { Program(t, "no-such-program") },
			"skipped: needs No-such-program: no no-such-program on PATH"},
		{"system", func(t testing.TB) { OS(t, "plan10") },
			"skipped: needs plan10: this is " + runtime.GOOS},
	}
	skips := filepath.Join(t.TempDir(), "skips")
	t.Setenv("IFOREST_SKIPS", skips)
	var all string
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			tt.call(r)
			assert.Equal(t, tt.want, r.skip)
		})
		all += tt.want + "\n"
	}
	written, err := os.ReadFile(skips)
	require.NoError(t, err)
	assert.Equal(t, all, string(written))
}

func TestZeekIsTakenFromPATH(t *testing.T) {
	r := &recorder{TB: t}
	t.Setenv("PATH", t.TempDir())
	t.Setenv("IFOREST_SKIPS", "")
	Zeek(r)
	assert.Equal(t, "skipped: needs Zeek: no zeek on PATH", r.skip)

	dir := t.TempDir()
	want := filepath.Join(dir, "zeek")
	require.NoError(t, os.WriteFile(want, []byte("#!/bin/sh\n"), 0o755))
	t.Setenv("PATH", dir)
	assert.Equal(t, want, Zeek(t))
}

func TestNoSkipWhereTheNeedIsMet(t *testing.T) {
	r := &recorder{TB: t}
	OS(r, "plan10", runtime.GOOS)
	assert.Empty(t, r.skip)
	assert.FileExists(t, filepath.Join(Root(t), "go.mod"))
}
