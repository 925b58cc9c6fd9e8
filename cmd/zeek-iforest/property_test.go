package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// The same bytes, whatever computes them: models and scored logs do not depend
// on the number of threads or on the processor.

// works are what is computed: each writes to stdout or to a file named out.
func works(root string) [][]string {
	pcap := filepath.Join(root, "testdata", "pcaps", "office-day.pcap")
	return [][]string{
		{"train", "-o", "balanced", pcap + ".conn.log"},
		{"train", "-o", "uniform", "--sampling", "uniform", "--seed", "7", pcap + ".conn.log"},
		{"score", "-m", "balanced", "--columns", "score,rank,reason,model", pcap + ".conn.log"},
		{"score", "-m", "uniform", filepath.Join(root, "testdata", "vectors", "conn.log")},
		{"replay", "--columns", "score,rank,reason", "--format", "json", pcap},
		{"score", "-m", "balanced", "--top", "20", pcap + ".conn.log"},
		{"drill", "-m", "balanced", pcap + ".conn.log"},
	}
}

// all runs every work in a folder of its own and returns what they wrote.
func all(t *testing.T, env []string, program ...string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	wrote := map[string]string{}
	for _, args := range works(testenv.Root(t)) {
		cmd := exec.Command(program[0], append(program[1:len(program):len(program)], args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), env...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		require.NoError(t, err, "%v: %s", args, &errs)
		wrote[strings.Join(args, " ")] = string(out)
	}
	for _, name := range []string{"balanced", "uniform"} {
		model, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		wrote[name] = string(model)
	}
	return wrote
}

func same(t *testing.T, want, got map[string]string) {
	t.Helper()
	for name, text := range want {
		require.True(t, len(text) > 0 || strings.HasPrefix(name, "train"), "%s wrote nothing", name)
		require.True(t, text == got[name], "%s differs: %d and %d bytes", name, len(text), len(got[name]))
	}
}

func TestThreadsChangeNoByte(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command line")
	}
	bin := program(t)
	want := all(t, []string{"GOMAXPROCS=1"}, bin)
	for _, threads := range []string{"2", "3", "16"} {
		same(t, want, all(t, []string{"GOMAXPROCS=" + threads}, bin))
	}
}

func TestARM64WritesTheSameBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command line twice")
	}
	qemu := testenv.Program(t, "qemu-aarch64-static")
	amd64 := all(t, nil, program(t, "GOARCH=amd64"))
	same(t, amd64, all(t, nil, qemu, program(t, "GOARCH=arm64")))
}
