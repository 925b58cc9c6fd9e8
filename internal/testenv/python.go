package testenv

import (
	"cmp"
	"os"
	"os/exec"
	"testing"
)

// Python returns the path of a python that has the module, or skips the test.
// IFOREST_PYTHON names one; otherwise it is python3 on PATH.
func Python(t testing.TB, module string) string {
	t.Helper()
	python, err := exec.LookPath(cmp.Or(os.Getenv("IFOREST_PYTHON"), "python3"))
	if err != nil {
		Skip(t, module, "no python3 on PATH, and IFOREST_PYTHON names none")
	}
	if exec.Command(python, "-c", "import "+module).Run() != nil {
		Skip(t, module, python+" has no module "+module+" (pip install "+module+"; IFOREST_PYTHON names another python)")
	}
	return python
}
