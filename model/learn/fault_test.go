package learn_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

var faultOptions = learn.Options{Seed: 3, Trees: 20}

// TestSavingProcess is not a test: it is the process that TestFaultsWhileSaving
// lets run into faults. It takes a state up, learns 300 rows more and saves.
func TestSavingProcess(t *testing.T) {
	path := os.Getenv("IFOREST_STATE")
	if path == "" {
		t.Skip("runs as a process of TestFaultsWhileSaving")
	}
	l, hosts, err := learn.Restore(path, faultOptions, nil)
	require.NoError(t, err)
	(&node{l: l, hosts: hosts}).observe(officeRows(15, 300))
	s, err := l.Save(path, hosts, nil)
	if err == nil {
		err = s.Finish()
	}
	if err != nil {
		_, _ = os.Stdout.WriteString("not saved: " + err.Error() + "\n")
		return
	}
	_, _ = os.Stdout.WriteString("saved\n")
}

// Whatever call fails while a state is saved, and wherever the process is
// killed, the file is the old state or the new one, and learning goes on from it.
func TestFaultsWhileSaving(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a process some dozen times")
	}
	path, old := saved(t)
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	require.NoError(t, err)
	path = filepath.Join(dir, filepath.Base(path))
	t.Setenv("IFOREST_STATE", path)
	process, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	command := []string{process, "-test.run=^TestSavingProcess$"}
	const oldRows = 1006
	for _, f := range []testenv.Fault{
		{Call: "write", Effect: "error=ENOSPC"}, {Call: "write", Effect: "error=EIO"}, {Call: "write", Effect: "error=EINTR"}, {Call: "write", Effect: "signal=KILL"},
		{Call: "fsync", Effect: "error=EIO"}, {Call: "fsync", Effect: "error=EINTR"}, {Call: "fsync", Effect: "signal=KILL"},
		{Call: "renameat", Effect: "error=EIO"}, {Call: "renameat", Effect: "signal=KILL"},
	} {
		t.Run(f.String(), func(t *testing.T) {
			var steps []string
			testenv.Inject(t, f, dir, func() {
				require.NoError(t, os.WriteFile(path, old, 0o600))
				err := os.Remove(path + ".new")
				require.True(t, err == nil || errors.Is(err, os.ErrNotExist))
			}, command, func(run testenv.Faulty) {
				if !slices.Contains(steps, run.Step) {
					steps = append(steps, run.Step)
				}
				l, hosts, err := learn.Restore(path, faultOptions, nil)
				require.NoError(t, err, run.Step)
				now, err := os.ReadFile(path)
				require.NoError(t, err)
				if bytes.Equal(now, old) {
					require.EqualValues(t, oldRows, l.Stats().Rows)
				} else {
					require.EqualValues(t, oldRows+300, l.Stats().Rows, run.Step)
				}
				switch {
				case f.Kills():
				case strings.Contains(run.Stdout, "not saved: "):
					require.Equal(t, old, now, run.Step)
					require.NoFileExists(t, path+".new", run.Step)
				case strings.Contains(run.Stdout, "saved\n"):
					require.NotEqual(t, old, now, run.Step)
				default:
					require.Greater(t, run.Hits, 1, "%s: said nothing: %s", run.Step, run.Stderr) // stdout was hit too
				}
				again := &node{l: l, hosts: hosts}
				again.observe(officeRows(16, 1500))
				require.NotEmpty(t, again.models, "learning does not go on")
			})
			require.NotEmpty(t, steps)
			t.Log("hit: ", strings.Join(steps, ", "))
		})
	}
}

// A bit flipped in each byte of a state's head and end, and in one byte in a
// thousand between: all refused.
func TestFlippedBytesOfAStateAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("reads some hundred states")
	}
	path, good := saved(t)
	const step = 997 // of the pieces, some of them: each is read anew with all before it
	data := bytes.Clone(good)
	tried := 0
	for i := 0; i < len(data); i++ {
		if i > 100 && i%step != 0 && i < len(data)-14 {
			continue
		}
		data[i] ^= 1 << (i % 8)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, _, err := learn.Restore(path, faultOptions, nil)
		var f *model.FormatError
		require.ErrorAs(t, err, &f, "byte %d of %d", i, len(data))
		data[i] = good[i]
		tried++
	}
	t.Logf("%d damaged files of %d bytes, all refused", tried, len(good))
}

// A state goes to a disk that is full: the old one stays and the error says why.
func TestStateOnAFullDisk(t *testing.T) {
	dir := testenv.FullDisk(t, 1<<20)
	n := &node{l: learn.NewLearner(faultOptions), hosts: feature.NewHosts(50)}
	n.observe(officeRows(13, 1006))
	path := filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(path, []byte("the old one"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "ballast"), make([]byte, 1<<20-32<<10), 0o600))
	s, err := n.l.Save(path, n.hosts, nil)
	if err == nil {
		err = s.Finish()
	}
	require.ErrorContains(t, err, "no space left on device")
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "the old one", string(now))
	require.NoFileExists(t, path+".new")
}
