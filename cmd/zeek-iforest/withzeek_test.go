package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// replays runs replay and gives its exit status and what it said.
func replays(t *testing.T, args ...string) (status int, stdout, stderr string) {
	var out, errs strings.Builder
	s := &session{Context: t.Context(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
	status = run(s, append([]string{"replay"}, args...))
	return status, out.String(), errs.String()
}

// Without a zeek on PATH, and with one that fails, replay says what to do.
func TestWithZeekThatIsNot(t *testing.T) {
	if runtime.GOOS == "windows" {
		testenv.Skip(t, "a shell", "the zeek of this test is a script")
	}
	dir, http := t.TempDir(), filepath.Join(testenv.Root(t), "testdata", "pcaps", "http.pcap")
	logs, old := filepath.Join(dir, "logs"), filepath.Join(dir, "old")
	require.NoError(t, os.Mkdir(old, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(old, "dns.log"), nil, 0o600))
	refused := func(want string, args ...string) {
		t.Helper()
		status, _, stderr := replays(t, args...)
		assert.Equal(t, exitNot, status)
		assert.Contains(t, stderr, want)
	}

	t.Setenv("PATH", dir)
	refused("error: no zeek on PATH\nzeek-iforest: hint: install Zeek 8.0 or later", "--with-zeek", logs, http)
	assert.NoDirExists(t, logs)

	script := "#!/bin/sh\necho a warning >&2\nprintf 'fatal error: ' >&2\nfor a in \"$@\"; do printf '[%s]' \"$a\" >&2; done\necho >&2\nexit 1\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "zeek"), []byte(script), 0o700))
	refused("zeek: exit status 1: fatal error: [-C][-r][-][Site::local_nets={192.0.2.0/24,[2001:db8::]/32}][LogAscii::use_json=T]\n",
		"--with-zeek", logs, "-C", "--local-nets", "192.0.2.0/24,2001:db8::/32", "--format", "json", http)
	refused("error: "+old+" holds logs already: dns.log\n", "--with-zeek", old, http)
	refused("--with-zeek reads one capture", "--with-zeek", logs, http, http)
	refused("error: -m: seed is the second model of conn.log\n", "--with-zeek", logs, "-m", "seed", "-m", "seed", http)
	refused("error: -m is given twice", "-m", "seed", "-m", "seed", http)
	refused("error: --output means nothing with --with-zeek", "--with-zeek", logs, "-o", "x.log", http)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "zeek"), []byte("#!/bin/sh\nexit 0\n"), 0o700))
	refused("Zeek wrote no conn.log, dns.log, http.log, ssl.log for this capture", "--with-zeek", logs, http)
}

// A Zeek's rows of all four logs have the scores that score gives them.
func TestWithZeek(t *testing.T) {
	testenv.Zeek(t)
	day := filepath.Join(testenv.Root(t), "testdata", "pcaps", "office-day.pcap")
	formats := []string{"json", "tsv"}
	if testing.Short() {
		formats = formats[:1]
	}
	for _, format := range formats {
		logs := filepath.Join(t.TempDir(), "logs")
		status, _, stderr := replays(t, "--with-zeek", logs, "--format", format, "--columns", "score,rank,reason", day)
		require.Equal(t, exitDone, status, stderr)
		for _, log := range scoredLogs() {
			file := filepath.Join(logs, log+".log")
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Contains(t, string(text), "anomaly_reason", log)
			var again strings.Builder
			s := &session{Context: t.Context(), stdout: &again, stderr: &strings.Builder{}}
			require.Equal(t, exitDone, run(s, []string{"score", "--columns", "score,rank,reason", file}))
			require.Greater(t, strings.Count(string(text), "\n"), 40, log)
			require.True(t, string(text) == again.String(), log)
		}
	}
	if testing.Short() {
		return
	}
	status, stdout, stderr := replays(t, "--with-zeek", filepath.Join(t.TempDir(), "logs"), "--top", "3", "-m", "seed", day)
	require.Equal(t, exitDone, status, stderr)
	for _, log := range scoredLogs() {
		assert.Contains(t, stdout, log+".log\nscore ")
	}
}
