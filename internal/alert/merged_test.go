package alert

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

// twoLogs are two logs in a folder, of which one has a row each minute and the
// other one each 90 seconds, and the uids of all in the order of time.
func twoLogs(t *testing.T) (paths []string, uids []string) {
	dir := t.TempDir()
	texts := []string{header, header}
	for second := 0; second < 12*3600; second += 30 {
		for i, every := range []int{60, 90} {
			if second%every == 0 {
				uid := fmt.Sprintf("C%d-%d", i, second)
				uids = append(uids, uid)
				texts[i] += row(float64(second), uid, "10.0.0.1", "10.0.2.1", 443, "0.4")
			}
		}
	}
	for i, text := range texts {
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("conn%d.log", i)))
		require.NoError(t, os.WriteFile(paths[i], []byte(text), 0o600))
	}
	return paths, uids
}

func follow(path string, from *zeeklog.Position) *zeeklog.Tail {
	return zeeklog.Log{Path: path, Warn: func(error) {}, Archive: func() []string { return nil }}.Follow(from)
}

// Rows of several logs come in the order of time, and each once, wherever the
// reading was left and taken up again: also within a block.
func TestMergedLogs(t *testing.T) {
	paths, want := twoLogs(t)
	for _, each := range []int{1, 101, 300, 1 << 20} {
		var got []string
		var place Place
		for done := false; !done; {
			m := &merged{}
			for _, path := range paths {
				l := &mergedLog{Followed: Followed{Path: path}, reading: newReading(nil, nil)}
				var from *zeeklog.Position
				if at, known := place.Logs[path]; known {
					from, l.skip = &at.Position, at.Seen
				}
				l.blocks = tailBlocks{follow(path, from)}
				m.logs = append(m.logs, l)
			}
			for range each {
				l, err := m.next()
				require.NoError(t, err)
				if done = l == nil; done {
					break
				}
				got = append(got, l.blk.Rows[l.at].Conn.UID)
				l.took()
			}
			place = m.Place()
			m.Close()
			if each == 1 && len(got) == 40 { // as good as all of them
				break
			}
		}
		require.Equal(t, want[:len(got)], got, "%d rows at a time", each)
		if each > 1 {
			require.Len(t, got, len(want))
		}
	}
}

// Several logs are followed with one state, and share the budget.
func TestSeveralLogsAreFollowed(t *testing.T) {
	paths, _ := twoLogs(t)
	in := &inbox{}
	state := filepath.Join(t.TempDir(), "state")
	write := func(path, text string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = f.WriteString(text)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	watch := func(until func(*Watcher) bool) *Watcher {
		w := NewWatcher(Config{PerDay: 20, Spool: 10, Say: func(string, ...any) {}, Warn: func(err error) { t.Log(err) }}, []Target{{"inbox", in}})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- w.RunLogs(ctx, state, strings.Join(paths, ", "), []Followed{{Path: paths[0]}, {Path: paths[1]}}, func(i int, from *zeeklog.Position) *zeeklog.Tail {
				return follow(paths[i], from)
			})
		}()
		require.Eventually(t, func() bool { return until(w) }, 20*time.Second, 10*time.Millisecond)
		cancel()
		require.NoError(t, <-done)
		return w
	}
	w := watch(func(w *Watcher) bool { return w.Counts().Rows == 720+480 })
	assert.Zero(t, w.Counts().Bad)

	write(paths[1], row(12*3600+10, "Cs0", "10.0.1.1", "192.0.2.1", 4444, "0.8000"))
	write(paths[0], row(12*3600+20, "Cs1", "10.0.1.2", "192.0.2.1", 4444, "0.8000"))
	w = watch(func(*Watcher) bool { return slices.Contains(in.uids(), "Cs1") })
	assert.Equal(t, uint64(720+480+2), w.Counts().Rows, "each row once")
	assert.Equal(t, []string{"Cs0", "Cs1"}, in.uids())

	text, err := os.ReadFile(filepath.Join(state, "state.json"))
	require.NoError(t, err)
	_, err = parseState(text)
	require.NoError(t, err)
	_, err = parseState([]byte(strings.ReplaceAll(string(text), `"offset":`, `"offset":-`)))
	require.ErrorContains(t, err, "the position in a log is damaged")
}

// A log without scores, and without a model, is named.
func TestSeveralLogsWithoutScores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "conn.log")
	require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(quietHours(1), "anomaly_", "other_")), 0o600))
	w := NewWatcher(Config{PerDay: 20, Say: func(string, ...any) {}, Warn: func(error) {}}, nil)
	err := w.RunLogs(t.Context(), t.TempDir(), "logs", []Followed{{Path: path}}, func(_ int, from *zeeklog.Position) *zeeklog.Tail { return follow(path, from) })
	require.ErrorIs(t, err, ErrNoScores)
	require.ErrorContains(t, err, path+": ")
}
