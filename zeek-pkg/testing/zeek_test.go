// Package zeek_test runs the tests in a real Zeek (btest, in tests/) from
// go test, where there is one.
package zeek_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// Builds the package as zkg does and runs all tests on what came out.
func TestInZeek(t *testing.T) {
	testenv.Zeek(t)
	testenv.Program(t, "btest")
	testenv.Program(t, "cmake")
	if testing.Short() {
		testenv.Skip(t, "time", "-short leaves the tests in Zeek out")
	}
	// Clusters of Zeeks on a busy machine: what fails once is run again, and btest
	// calls it unstable.
	for _, command := range [][]string{{"../build.sh"}, {"./run", "all", "-j", "2", "-z", "2"}} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "IFOREST_PREBUILT=", "IFOREST_GO=")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "unstable") || strings.Contains(line, "skipped") {
				t.Log(line)
			}
		}
	}
}
