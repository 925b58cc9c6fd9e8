package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// TestFirstMistakes: what a new user does wrong ends with what to do next, in
// the message or in a hint below it. What goes wrong while the package is built
// is in zeek-pkg/testing (TestBuildSaysWhatToDo).
func TestFirstMistakes(t *testing.T) {
	pcaps := filepath.Join(testenv.Root(t), "testdata", "pcaps")
	t.Chdir(t.TempDir())
	write := func(name string, data []byte) {
		require.NoError(t, os.WriteFile(name, data, 0o600))
	}
	log, err := os.ReadFile(filepath.Join(pcaps, "office-day.pcap.conn.log"))
	require.NoError(t, err)
	write("conn.log", log)
	pcap, err := os.ReadFile(filepath.Join(pcaps, "http.pcap"))
	require.NoError(t, err)
	write("http.pcap", pcap)
	write("array.json", []byte(`[{"ts":1.5,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":1,"id.resp_h":"10.0.0.2","id.resp_p":2,"proto":"udp","conn_state":"S0"}]`))
	write("notes.txt", []byte("Nothing to see here.\n"))
	write("noise", []byte("\x00\x01\xff\x02noise\n"))
	write("empty", nil)
	m, err := seed.Model()
	require.NoError(t, err)
	write("cut.model", m.Bytes()[:len(m.Bytes())/2])
	write("old.model", bytes.Replace(m.Bytes(), []byte("zeek-iforest\x02"), []byte("zeek-iforest\x00"), 1))
	require.NoError(t, os.Mkdir("logs", 0o700))
	require.NoError(t, os.Mkdir("shut", 0o500))
	write("secret.log", log)
	require.NoError(t, os.Chmod("secret.log", 0))
	mayNot := os.Geteuid() != 0 && runtime.GOOS != "windows"

	for _, test := range []struct {
		command string
		says    string // of the error
		next    string // what to do
		tried   bool
	}{
		{"score conn.lgo", "conn.lgo: ", "check the name: ls lists what is in this folder", true},
		{"score /no/such/folder/conn.log", "/no/such/folder/conn.log: ", "there is no folder /no/such/folder: check the name", true},
		{"score logs/conn.*.log.gz", "logs/conn.*.log.gz: ", "no file in logs fits the pattern", true},
		{"score logs", "logs is a directory", "name the files in it", true},
		{"score notes.txt", "not a conn.log", "name a conn.log of Zeek", true},
		{"score noise", "not a conn.log", "replay makes one of a pcap", true},
		{"score array.json", "a JSON array", "jq -c '.[]' makes lines of it", true},
		{"score http.pcap", "not a conn.log but a pcap", "replay makes a conn.log of it", true},
		{"score secret.log", "permission denied", "sudo -u zeek", mayNot},
		{"score -o shut/out.log conn.log", "permission denied", "sudo -u zeek", mayNot},
		{"train -o shut/m.model conn.log", "writing shut/m.model: permission denied", "sudo -u zeek", mayNot},
		{"train --state-dir shut conn.log", "permission denied", "sudo -u", mayNot},
		{"replay conn.log", "a log of Zeek", "score adds the scores to a conn.log", true},
		{"replay array.json", "a log of Zeek", "score adds the scores", true},
		{"replay noise", "not a pcap", "tcpdump -w", true},
		{"replay no.pcap", "no.pcap: ", "check the name", true},
		{"replay", "a capture wanted", "zeek-iforest replay FILE.pcap", true},
		{"replay http.pcap http.pcap", "http.pcap is named twice", "would count twice", true},
		{"explain --uid C1 conn.log", "no model given", "-m seed is the one that comes with this program", true},
		{"explain -m seed conn.log", "no connection given", "--uid UID names it", true},
		{"explain -m seed --uid C1 conn.log", `no connection "C1"`, "zgrep -l UID", true},
		{"score -m site.model conn.log", "site.model: ", "check the name", true},
		{"score -m conn.log conn.log", "not a zeek-iforest model", "make a model with zeek-iforest train", true},
		{"score -m cut.model conn.log", "cut.model: ", "copy it again or train a new model", true},
		{"score -m old.model conn.log", "old.model: ", "train the model anew", true},
		{"score -o /no/such/folder/out.log conn.log", "writing /no/such/folder/out.log: ", "mkdir -p /no/such/folder", true},
		{"score -o logs conn.log", "logs is a directory", "name a file in it", true},
		{"train conn.log", "no place for the model", "-o FILE names it", true},
		{"train -o /no/such/folder/m.model conn.log", "writing /no/such/folder/m.model: ", "mkdir -p /no/such/folder", true},
		{"info", "one model wanted", "info seed", true},
		{"watch -m seed", "name one log or folder", "zeek-iforest watch /opt/zeek/logs", true},
		{"watch --dry-run conn.log", "no column anomaly_score", "-m FILE names a model", true},
		{"scoer conn.log", `there is no verb "scoer"`, "zeek-iforest --help", true},
		{"score --model-file x conn.log", "unknown flag", "zeek-iforest score --help lists the options", true},
	} {
		if !test.tried {
			continue
		}
		t.Run(test.command, func(t *testing.T) {
			var stderr strings.Builder
			s := &session{Context: t.Context(), stdin: strings.NewReader(""), stdout: &bytes.Buffer{}, stderr: &stderr}
			require.Equal(t, exitNot, run(s, strings.Fields(test.command)), "%s", &stderr)
			_, said, found := strings.Cut(stderr.String(), "zeek-iforest: error: ")
			require.True(t, found, "%s", &stderr)
			require.Contains(t, said, test.says)
			require.Contains(t, said, test.next)
			require.NotContains(t, said, "/.", "no temporary file's name")
		})
	}
	if !mayNot {
		testenv.Skip(t, "a user who is not root", "root may read and write all files: the mistakes that it cannot make were left out")
	}
}

// What only another machine shows: a prefix that is mounted read-only, a disk
// that is full.
func TestWhatToDo(t *testing.T) {
	at := func(err error) error { return &fs.PathError{Op: "writing", Path: "/opt/zeek/site.model", Err: err} }
	require.Equal(t, "it lies on a file system that is mounted read-only: name a place that can be written, such as "+filepath.Join(os.TempDir(), "site.model"), whatToDo(at(syscall.EROFS)))
	require.Equal(t, "make room there, or write to another place", whatToDo(at(syscall.ENOSPC)))
	require.Contains(t, whatToDo(fmt.Errorf("x: %w", at(fs.ErrPermission))), "sudo -u zeek")
	require.Empty(t, whatToDo(errors.New("something else")))
}
