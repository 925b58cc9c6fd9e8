// Package docs_test runs the commands of the guides as they stand there.
package docs_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/golden"
	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// step is a command of a guide and what it prints there.
type step struct {
	line    int
	command string
	want    []string
}

// steps are the lines that begin with "$" in indented blocks, each with the
// lines below it.
func steps(text string) (found []step) {
	in := false
	for i, line := range strings.Split(text, "\n") {
		indented := strings.HasPrefix(line, "    ")
		line = strings.TrimLeft(line, " ")
		command, is := strings.CutPrefix(line, "$ ")
		switch {
		case !indented:
			in = false
		case is:
			found, in = append(found, step{line: i + 1, command: command}), true
		case in:
			last := &found[len(found)-1]
			last.want = append(last.want, line)
		}
	}
	return found
}

// formula tells formulas and lines of Zeek's language from commands.
var formula = regexp.MustCompile(`[=·] ?|^…|@load`)

// unmarked finds the blocks that are neither run nor marked as not run.
func unmarked(text string) (found []string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		first := strings.HasPrefix(line, "    ") && (i == 0 || strings.TrimSpace(lines[i-1]) == "")
		if !first || strings.HasPrefix(strings.TrimLeft(line, " "), "$ ") || i >= 2 && strings.Contains(lines[i-2], "*not run") {
			continue
		}
		if !formula.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

// build makes the command line in a folder that looks like a clone.
func build(t *testing.T) (dir string) {
	t.Helper()
	testenv.NoRace(t)
	testenv.OS(t, "linux") // GNU's timeout, sed and grep
	testenv.Program(t, "bash")
	root := testenv.Root(t)
	dir = t.TempDir()
	cmd := exec.Command("go", "build", "-o", filepath.Join(dir, "zeek-iforest"), "./cmd/zeek-iforest")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Symlink(filepath.Join(root, "testdata"), filepath.Join(dir, "testdata")))
	return dir
}

// run runs the steps of a guide and compares what they print. "…" stands for
// anything.
func run(t *testing.T, dir, guide string) {
	t.Helper()
	text, err := os.ReadFile(guide)
	require.NoError(t, err)
	require.Empty(t, unmarked(string(text)))
	all := steps(string(text))
	require.NotEmpty(t, all)
	env := append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"), "LC_ALL=C.UTF-8", "HOME="+dir)
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} { // which are below the real home
		at, err := exec.Command("go", "env", name).Output()
		require.NoError(t, err)
		env = append(env, name+"="+strings.TrimSpace(string(at)))
	}
	// Packages compiled in one copy of the repository serve the next.
	env = append(env, "GOFLAGS=-trimpath -buildvcs=false")
	for _, s := range all {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute)
		cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", s.command)
		cmd.Dir = dir
		cmd.Env = env
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		stop()
		require.NoError(t, err, "%s:%d: %s\n%s", guide, s.line, s.command, &stderr)
		if len(s.want) == 0 {
			continue
		}
		parts := strings.Split(strings.Join(s.want, "\n"), "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(strings.TrimRight(parts[i], " "))
		}
		var got []string
		for line := range strings.Lines(stdout.String()) {
			got = append(got, strings.TrimLeft(strings.TrimRight(line, " \n"), " "))
		}
		require.Regexp(t, `(?s)^`+strings.Join(parts, `.*`)+`$`, strings.Join(got, "\n"), "%s:%d: %s", guide, s.line, s.command)
	}
}

// clone copies the repository, as it stands, into a folder.
func clone(t *testing.T) (dir string) {
	t.Helper()
	testenv.NoRace(t)
	testenv.OS(t, "linux")
	testenv.Program(t, "bash")
	testenv.Program(t, "git")
	dir = t.TempDir()
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", `git ls-files -z | tar --null --ignore-failed-read -T - -cf - | tar -xf - -C "$0"`, dir)
	cmd.Dir = testenv.Root(t)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return dir
}

func TestReadme(t *testing.T) { run(t, clone(t), "../README.md") }

// The lines before and after are what the program writes.
func TestReadmeShowsARealConnection(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	dir := build(t)
	shell := func(command string) []string {
		cmd := exec.Command("bash", "-euo", "pipefail", "-c", command)
		cmd.Dir = dir
		out, err := cmd.Output()
		require.NoError(t, err)
		return strings.Split(strings.TrimSpace(string(out)), "\t")
	}
	got := shell(`./zeek-iforest replay --columns score,rank,reason testdata/pcaps/office-day.pcap 2>/dev/null | grep CA7x6GsmPeSkJIbHj | cut -f 3,5,6,8-12,23-`)
	before := regexp.MustCompile(`(?m)^10\.20\.0\.10 .*$`).FindString(string(text))
	require.Equal(t, got[:8], strings.Fields(before))
	after := regexp.MustCompile(`(?m)^… SF +(\S+) +(\S+) +(.*) …$`).FindStringSubmatch(string(text))
	require.Len(t, after, 4)
	require.Equal(t, got[8:10], after[1:3])
	require.True(t, strings.HasPrefix(got[10], after[3]), "%s", got[10])
}

func TestCommands(t *testing.T) { run(t, clone(t), "commands.md") }

func TestContributing(t *testing.T) {
	if testing.Short() {
		t.Skip("runs other tests")
	}
	run(t, clone(t), "../CONTRIBUTING.md")
}

func TestAlerts(t *testing.T) { run(t, build(t), "alerts.md") }

func TestDetection(t *testing.T) {
	threeDays, labelled := testenv.Shared(t, "datasets", "zeek-three-days"), testenv.Shared(t, "datasets", "zeek-labelled")
	dir := build(t)
	require.NoError(t, os.Symlink(threeDays, filepath.Join(dir, "logs")))
	for name, file := range map[string]string{
		"labelled.log":                      "ctu-mixed-008.conn.log.labeled.gz",
		"ctu-mixed-008.conn.log.labeled.gz": "ctu-mixed-008.conn.log.labeled.gz",
		"ctu-mixed-010.conn.log.labeled.gz": "ctu-mixed-010.conn.log.labeled.gz",
		"nmap-port-scan-002.conn.log.gz":    "nmap-port-scan-002.conn.log.gz",
	} {
		require.NoError(t, os.Symlink(filepath.Join(labelled, file), filepath.Join(dir, name)))
	}
	run(t, dir, "detection.md")
}

func TestGuide(t *testing.T) {
	dir := build(t)
	run(t, dir, "guide.md")
	picture, err := os.ReadFile(filepath.Join(dir, "guide-scores.svg"))
	require.NoError(t, err)
	golden.Assert(t, "guide-scores.svg", picture)
}
