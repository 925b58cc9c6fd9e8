package alert

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/internal/testenv"
)

// A receiver that does not answer, or drips its answer, is given up after the
// time that an attempt may take, and holds nobody else up.
func TestSlowReceiver(t *testing.T) {
	var tries, taken atomic.Int32
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		switch tries.Add(1) {
		case 1: // no answer
			<-release
		case 2: // an answer without end
			w.WriteHeader(200)
			for {
				if _, err := w.Write([]byte(" ")); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-release:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		default:
			taken.Add(1)
		}
	}))
	defer server.Close()
	defer close(release)
	slow, quick := target(t, "json:"+server.URL, Options{}), &inbox{}
	slow.Receiver.(*webhook).client.Timeout = 700 * time.Millisecond
	w := newWatching(t, slow, Target{"quick", quick})
	require.NoError(t, os.WriteFile(w.log(), []byte(quietHours(12)+strange(0)), 0o600))
	w.start()
	w.eventually(func() bool { return len(quick.uids()) > 0 })
	assert.Zero(t, taken.Load(), "the other receiver does not wait")
	w.eventually(func() bool { return taken.Load() >= 1 })
	w.stop()
	assert.Contains(t, w.warnings(), "does not take alerts")
}

// Every webhook has a time after which an attempt ends.
func TestAttemptsEnd(t *testing.T) {
	t.Setenv("HOOK", "https://127.0.0.1/x")
	for kind := range webhookBodies {
		assert.Equal(t, sendTimeout, target(t, kind+":env:HOOK", Options{}).Receiver.(*webhook).client.Timeout, kind)
	}
}

// A certificate that nobody vouches for: the alert waits, and goes out once when
// that is mended.
func TestWrongCertificateThenRight(t *testing.T) {
	var taken atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); strings.Contains(string(body), `"uid":"Cs0"`) {
			taken.Add(1)
		}
	}))
	defer server.Close()
	wrong := target(t, "json:"+server.URL, Options{})
	right := wrong
	right.Receiver = &webhook{url: server.URL, body: webhookBodies["json"], client: server.Client()}
	w := newWatching(t, wrong)
	w.start()
	w.write(strange(0))
	w.eventually(func() bool { return strings.Contains(w.warnings(), "certificate") })
	w.stop()
	assert.Zero(t, taken.Load())
	w.targets[0] = right
	for range 2 {
		w.start()
		w.eventually(func() bool { return taken.Load() >= 1 })
		time.Sleep(200 * time.Millisecond)
		w.stop()
	}
	assert.EqualValues(t, 1, taken.Load())
}

// The disk with the state is full: alerts go on with a warning, and when there
// is room again nothing has been sent twice.
func TestDiskFull(t *testing.T) {
	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	require.NoError(t, os.Mkdir(w.state(), 0o700))
	unmount := smallDisk(t, w.state())
	defer unmount()
	w.start()
	time.Sleep(1300 * time.Millisecond) // what the hours before raised is sent and saved
	filler := filepath.Join(w.state(), "filler")
	fill(t, filler)
	w.write(strange(0))
	w.eventually(func() bool { return strings.Contains(strings.Join(in.uids(), " "), "Cs0") })
	w.eventually(func() bool { return strings.Contains(w.warnings(), "no space left") })
	require.NoError(t, os.Remove(filler))
	w.write(strange(1))
	w.eventually(func() bool { return strings.Contains(strings.Join(in.uids(), " "), "Cs1") })
	w.stop()
	w.start()
	time.Sleep(300 * time.Millisecond)
	w.stop()
	count := map[string]int{}
	for _, uid := range in.uids() {
		count[uid]++
	}
	assert.Equal(t, 1, count["Cs0"])
	assert.Equal(t, 1, count["Cs1"])
	left, err := filepath.Glob(filepath.Join(w.state(), ".zeek-iforest-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "no half-written file stays")
}

// The machine dies after an alert was taken: it is not sent again.
func TestKilledAfterSending(t *testing.T) {
	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	w.start()
	w.write(strange(0))
	w.eventually(func() bool {
		return strings.Contains(strings.Join(in.uids(), " "), "Cs0") && w.w.Counts().Sent == uint64(len(in.uids()))
	})
	file := filepath.Join(w.state(), "state.json")
	asItWas, err := os.ReadFile(file)
	require.NoError(t, err)
	w.stop()
	require.NoError(t, os.WriteFile(file, asItWas, 0o600)) // as if the end had not been saved
	w.start()
	time.Sleep(300 * time.Millisecond)
	w.stop()
	assert.Equal(t, 1, strings.Count(strings.Join(in.uids(), " "), "Cs0"))
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// The log is replaced by one of another format, and rotated twice at once.
func TestLogChangesItsFormat(t *testing.T) {
	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	w.start()
	w.write(strange(0))
	w.eventually(func() bool { return strings.Contains(strings.Join(in.uids(), " "), "Cs0") })
	for i, uid := range []string{"Cj1", "Cj2"} {
		require.NoError(t, os.Rename(w.log(), filepath.Join(w.dir, []string{"one", "two"}[i])))
		line, err := json.Marshal(map[string]any{
			"ts": 1700000000 + afterQuiet + 7200*(i+1), "uid": uid, "id.orig_h": "10.7.7.7", "id.orig_p": 1, "id.resp_h": "192.0.2.9", "id.resp_p": 1000 + i,
			"proto": "tcp", "conn_state": "SF", "anomaly_score": 0.8,
		})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(w.log(), append(line, '\n'), 0o600))
		if i == 0 {
			w.eventually(func() bool { return strings.Contains(strings.Join(in.uids(), " "), uid) })
		}
	}
	w.eventually(func() bool { return strings.Contains(strings.Join(in.uids(), " "), "Cj2") })
	w.stop()
}

// The body of a site's own template.
func TestWebhookTemplate(t *testing.T) {
	var got map[string]any
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&got))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "body.tmpl")
	require.NoError(t, os.WriteFile(file, []byte(`{"event": {"text": {{json .Title}}, "why": {{json .Reason}}, "from": {{json .Connection.Originator}}}}`), 0o600))
	require.NoError(t, target(t, "json:"+server.URL, Options{Template: file}).Send(context.Background(), example()))
	assert.Equal(t, map[string]any{"event": map[string]any{"text": example().Title(), "why": example().Reason, "from": "10.0.0.1"}}, got)
	for text, want := range map[string]string{`{"text": "{{.Reason}}"}`: "is not JSON", `{{.Nothing}}`: "Nothing", `{{`: "unclosed", `{"a": {{json}}}`: "wrong number"} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := ParseTarget("json:"+server.URL, Options{Template: file})
		assert.ErrorContains(t, err, want, text)
	}
}

func needsRoot(t *testing.T, what string) {
	t.Helper()
	if os.Getuid() != 0 {
		testenv.Skip(t, "root", what)
	}
}
