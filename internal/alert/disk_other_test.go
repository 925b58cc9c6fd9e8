//go:build !linux

package alert

import (
	"testing"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

func smallDisk(t *testing.T, _ string) func() {
	t.Helper()
	needsRoot(t, "a small disk is mounted")
	testenv.OS(t, "linux")
	return nil
}
