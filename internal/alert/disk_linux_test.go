package alert

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// smallDisk mounts a file system of 1 MB.
func smallDisk(t *testing.T, dir string) (unmount func()) {
	t.Helper()
	needsRoot(t, "a small disk is mounted")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		testenv.Skip(t, "a mount", err.Error())
	}
	return func() { require.NoError(t, syscall.Unmount(dir, 0)) }
}
