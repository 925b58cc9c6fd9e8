// Package testenv says what a test needs from the machine it runs on, and
// skips the test where that is absent.
//
// Every skip made here begins with the same words ("skipped: needs ..."), so
// that a run can count them: go test -v ./... | grep -c 'skipped: needs'. It is
// also added, a line each, to the file that the variable IFOREST_SKIPS names.
// A test that passes because it never ran should be visible as such.
package testenv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Prefix begins the message of every skip.
const Prefix = "skipped: needs "

// Skip skips the test and says what was needed and how to get it:
// "skipped: needs Zeek: no zeek on PATH".
func Skip(t testing.TB, need, detail string) {
	t.Helper()
	why := Prefix + need + ": " + detail
	if path := os.Getenv("IFOREST_SKIPS"); path != "" {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err == nil {
			_, err = f.WriteString(why + "\n")
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatalf("%s; and that could not be written down: %v", why, err)
		}
	}
	t.Skipf("%s", why)
}

// NoRace skips the test under the race detector, which makes it ten to forty
// times slower: for tests that run other programs, or that measure.
func NoRace(t testing.TB) {
	t.Helper()
	if Race {
		Skip(t, "a run without the race detector", "it would take minutes")
	}
}

// Root returns the absolute path of the repository's root, the folder with
// go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd() // go test starts a test in its package's folder
	if err != nil {
		t.Fatalf("repository root: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("repository root: no go.mod above the test's folder")
		}
		dir = parent
	}
}

// Shared returns the path of a file or folder in the data that lies beside
// the repository (../shared), or skips the test where it is absent. The data
// is read-only and none of it is copied into the repository.
//
//	dir := testenv.Shared(t, "datasets/adbench")
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	name := filepath.Join(elem...)
	path := filepath.Join(Root(t), "..", "shared", name)
	if _, err := os.Stat(path); err != nil {
		Skip(t, "shared data", "no ../shared/"+filepath.ToSlash(name)+" beside the repository")
	}
	return path
}

// Zeek returns the path of the zeek on PATH, or skips the test.
func Zeek(t testing.TB) string {
	t.Helper()
	return Program(t, "zeek")
}

// Program returns the path of a program on PATH (tcpdump, nmap,
// qemu-aarch64-static ...), or skips the test.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Skip(t, strings.ToUpper(name[:1])+name[1:], "no "+name+" on PATH")
	}
	return path
}

// OS skips the test on other systems than the named ones.
func OS(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if runtime.GOOS == name {
			return
		}
	}
	Skip(t, strings.Join(names, " or "), "this is "+runtime.GOOS)
}
