package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// program builds the command line as it is shipped, without cgo.
func program(t testing.TB, env ...string) string {
	path := filepath.Join(t.TempDir(), "zeek-iforest")
	cmd := exec.Command("go", "build", "-o", path, ".")
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// writing is a command that replaces a file, with the file before and after.
type writing struct {
	name     string
	command  []string
	old, new []byte
}

// writings are the commands that write, each to dir/out.
func writings(t *testing.T, dir string) []writing {
	bin := program(t)
	log := filepath.Join(testenv.Root(t), "testdata", "pcaps", "office-day.pcap.conn.log")
	pcap := strings.TrimSuffix(log, ".conn.log")
	out := filepath.Join(dir, "out")
	model := filepath.Join(t.TempDir(), "model")
	must(t, bin, "train", "-o", model, log)
	all := []writing{
		{name: "train", command: []string{bin, "train", "-o", out, log}},
		{name: "score", command: []string{bin, "score", "-m", model, "-o", out, log}},
		{name: "replay", command: []string{bin, "replay", "-m", model, "-o", out, pcap}},
		{name: "allow add", command: []string{bin, "allow", "add", "-f", out, "--originator", "10.0.0.1"}},
	}
	for i := range all {
		w := &all[i]
		if w.name == "allow add" {
			w.old = []byte("#fields\toriginator\n10.9.9.9\n")
		} else {
			w.old = []byte("what was here before\n")
		}
		require.NoError(t, os.WriteFile(out, w.old, 0o600))
		must(t, w.command...)
		var err error
		w.new, err = os.ReadFile(out)
		require.NoError(t, err)
		require.NotEqual(t, w.old, w.new)
	}
	return all
}

func must(t *testing.T, command ...string) {
	t.Helper()
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// Whatever call fails while a file is written, and wherever the process is
// killed: the file is the old one or the whole new one. A failure is told, with
// exit status 2, and leaves no other file; an interrupted call is made again.
func TestFaultsWhileWriting(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the command line some hundred times")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, w := range writings(t, dir) {
		for _, f := range []testenv.Fault{
			{Call: "openat", Effect: "error=EMFILE"}, {Call: "openat", Effect: "error=EINTR"}, {Call: "openat", Effect: "signal=KILL"},
			{Call: "write", Effect: "error=ENOSPC"}, {Call: "write", Effect: "error=EIO"}, {Call: "write", Effect: "error=EINTR"}, {Call: "write", Effect: "signal=KILL"},
			{Call: "fchmod", Effect: "error=EPERM"}, {Call: "fchmod", Effect: "signal=KILL"},
			{Call: "fsync", Effect: "error=EIO"}, {Call: "fsync", Effect: "error=EINTR"}, {Call: "fsync", Effect: "signal=KILL"},
			{Call: "renameat", Effect: "error=EIO"}, {Call: "renameat", Effect: "signal=KILL"},
		} {
			t.Run(fmt.Sprint(w.name, ", ", f), func(t *testing.T) {
				out := filepath.Join(dir, "out")
				var steps []string
				testenv.Inject(t, f, dir, func() {
					leftOver, err := filepath.Glob(filepath.Join(dir, "*"))
					require.NoError(t, err)
					hidden, err := filepath.Glob(filepath.Join(dir, ".*"))
					require.NoError(t, err)
					for _, path := range append(leftOver, hidden...) {
						require.NoError(t, os.RemoveAll(path))
					}
					require.NoError(t, os.WriteFile(out, w.old, 0o600))
				}, w.command, func(run testenv.Faulty) {
					if !slices.Contains(steps, run.Step) {
						steps = append(steps, run.Step)
					}
					now, err := os.ReadFile(out)
					require.NoError(t, err, run.Step)
					old, whole := bytes.Equal(now, w.old), bytes.Equal(now, w.new)
					require.True(t, old || whole, "%s: neither the old nor the new file, but %d bytes", run.Step, len(now))
					switch {
					case f.Kills():
						assert.Equal(t, -1, run.Status, run.Step)
						return
					case strings.HasSuffix(f.Effect, "EINTR"):
						assert.Equal(t, exitDone, run.Status, "%s: %s", run.Step, run.Stderr)
						assert.True(t, whole, run.Step)
					case run.Status == exitDone:
						assert.True(t, whole, "%s: said to be done", run.Step)
					default:
						assert.Equal(t, exitNot, run.Status, run.Step)
						if run.Hits == 1 { // otherwise stderr was hit too, perhaps
							assert.Contains(t, run.Stderr, "error: ", run.Step)
						}
					}
					entries, err := os.ReadDir(dir)
					require.NoError(t, err)
					assert.Len(t, entries, 1, "%s: a file was left", run.Step)
				})
				if f.Call != "openat" { // the runtime opens files of its own before
					require.NotEmpty(t, steps)
				}
				if f.Call == "fsync" { // the data itself, not the folder alone
					require.True(t, slices.ContainsFunc(steps, func(s string) bool { return strings.HasPrefix(s, "fsync .") }), "%s", steps)
				}
				t.Log("hit: ", strings.Join(steps, ", "))
			})
		}
	}
}

// A disk that fills up, for real: the last write is a short one.
func TestFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command line")
	}
	dir := testenv.FullDisk(t, 32<<10)
	small := t.TempDir()
	for _, w := range writings(t, small) {
		if len(w.new) < 32<<10 {
			continue
		}
		out := filepath.Join(dir, "out")
		require.NoError(t, os.WriteFile(out, w.old, 0o600))
		command := slices.Clone(w.command)
		command[slices.Index(command, filepath.Join(small, "out"))] = out
		text, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, w.name)
		require.Equal(t, exitNot, exit.ExitCode(), "%s: %s", w.name, text)
		require.Contains(t, string(text), "no space left on device", w.name)
		now, err := os.ReadFile(out)
		require.NoError(t, err)
		require.Equal(t, w.old, now, w.name)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Len(t, entries, 1, "%s: a file was left", w.name)
	}
}

// To a device that is always full, and to a reader that has gone.
func TestOutputThatTakesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command line")
	}
	testenv.OS(t, "linux")
	for _, w := range writings(t, t.TempDir()) {
		command := slices.Clone(w.command)
		for i, arg := range command {
			if filepath.Base(arg) == "out" {
				command[i] = "/dev/full"
			}
		}
		if w.name == "allow add" { // a list is read before it is written, and /dev/full has no end
			continue
		}
		text, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, w.name)
		require.Equal(t, exitNot, exit.ExitCode(), "%s: %s", w.name, text)
		require.Contains(t, string(text), "no space left on device", w.name)
	}
}

// A log that cannot be read on is an error, and an interrupted read is not.
func TestFaultsWhileReading(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the command line some dozen times")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	bin := program(t)
	for _, name := range []string{"office-day.pcap", "office-day.pcap.conn.log"} {
		data, err := os.ReadFile(filepath.Join(testenv.Root(t), "testdata", "pcaps", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	log := filepath.Join(dir, "office-day.pcap.conn.log")
	model := filepath.Join(dir, "model")
	must(t, bin, "train", "-o", model, log)
	for _, command := range [][]string{
		{bin, "score", "-m", model, log}, {bin, "replay", "-m", model, filepath.Join(dir, "office-day.pcap")}, {bin, "info", model},
	} {
		want, err := exec.Command(command[0], command[1:]...).Output()
		require.NoError(t, err)
		for _, effect := range []string{"error=EIO", "error=EINTR"} {
			t.Run(command[1]+" "+effect, func(t *testing.T) {
				hits, told := 0, 0
				testenv.Inject(t, testenv.Fault{Call: "read", Effect: effect}, dir, func() {}, command, func(run testenv.Faulty) {
					hits++
					if effect == "error=EINTR" {
						require.Equal(t, exitDone, run.Status, "%s: %s", run.Step, run.Stderr)
						require.Equal(t, string(want), run.Stdout, run.Step)
						return
					}
					if run.Status == exitDone { // a first look at the file failed, and the reading that followed did not
						require.Equal(t, string(want), run.Stdout, "%s: %s", run.Step, run.Stderr)
						return
					}
					told++
					require.Contains(t, []int{exitPartly, exitNot}, run.Status, "%s: %s", run.Step, run.Stderr)
					if run.Hits == 1 {
						require.Contains(t, run.Stderr, "input/output error", run.Step)
					}
				})
				require.NotZero(t, hits)
				require.Equal(t, effect == "error=EIO", told > 0)
			})
		}
	}
}
