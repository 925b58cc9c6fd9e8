package golden

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder takes the place of a test and remembers whether it failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) FailNow()              { r.failed = true }

func TestAssert(t *testing.T) {
	path := filepath.Join(t.TempDir(), "want.txt")
	require.NoError(t, os.WriteFile(path, []byte("a\r\nb"), 0o644))

	tests := []struct {
		name   string
		got    string
		failed bool
	}{
		{"equal", "a\r\nb", false},
		{"other line end", "a\nb", true},
		{"one byte more", "a\r\nb\n", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{TB: t}
			Assert(r, path, tt.got)
			assert.Equal(t, tt.failed, r.failed)
		})
	}
}

func TestMissingFileFails(t *testing.T) {
	r := &recorder{TB: t}
	Assert(r, filepath.Join(t.TempDir(), "absent"), []byte("x"))
	assert.True(t, r.failed)
}

func TestUpdateWritesTheFile(t *testing.T) {
	*update = true
	defer func() { *update = false }()
	path := filepath.Join(t.TempDir(), "testdata", "new.txt")
	Assert(t, path, "new")
	*update = false
	Assert(t, path, []byte("new"))
}
