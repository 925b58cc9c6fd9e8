package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// inbox is a receiver of alerts that can refuse for a while.
type inbox struct {
	mu     sync.Mutex
	away   bool
	alerts map[string]int // by id
	asked  chan struct{}
}

func newInbox(t *testing.T) (*inbox, string) {
	t.Helper()
	b := &inbox{alerts: map[string]int{}, asked: make(chan struct{}, 1000)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		var alert struct{ ID string }
		if err := json.NewDecoder(r.Body).Decode(&alert); err != nil || b.away {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			b.alerts[alert.ID]++
		}
		b.asked <- struct{}{}
	}))
	t.Cleanup(server.Close)
	return b, "json:" + server.URL
}

func (b *inbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.alerts)
}

func (b *inbox) setAway(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = away
}

// watching is a watch that runs in this process.
type watching struct {
	stop  context.CancelFunc
	ended chan int
	errs  bytes.Buffer
}

func startWatch(t *testing.T, args ...string) *watching {
	ctx, stop := context.WithCancel(t.Context())
	w := &watching{stop: stop, ended: make(chan int, 1)}
	s := &session{Context: ctx, stdout: io.Discard, stderr: &w.errs}
	go func() { w.ended <- run(s, append([]string{"watch"}, args...)) }()
	return w
}

func (w *watching) end(t *testing.T) {
	t.Helper()
	w.stop()
	require.Zero(t, <-w.ended, "%s", &w.errs)
}

// Offsets wait for the alerts of the rows before them, and a watch without its
// state raises again what had not left.
func TestWatchCommitsWhenAlertsHaveLeft(t *testing.T) {
	rows, model := officeDay(t)
	broker, _ := cluster(t, 1, "conn")
	box, to := newInbox(t)
	box.setAway(true)
	state := t.TempDir()
	args := []string{"-m", model, "--alerts-per-day", "1000", "--to", to, "--state", state, "kafka://" + broker + "/conn?group=g"}
	produce(t, broker, "conn", rows)

	first := startWatch(t, args...)
	<-box.asked // an alert is on its way and is not taken
	first.end(t)
	before := committed(t, broker, "g", "conn")
	require.Less(t, before, int64(len(rows)))
	assert.Contains(t, first.errs.String(), "530 rows")

	// With its state it goes on; nothing is read again, and the alerts leave.
	box.setAway(false)
	second := startWatch(t, args...)
	require.Eventually(t, func() bool { return box.count() > 0 }, 30*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return committed(t, broker, "g", "conn") > before }, 30*time.Second, 50*time.Millisecond)
	second.end(t)
	assert.Contains(t, second.errs.String(), "530 rows")
}

// A machine that is lost with its state loses no alert: rows whose alerts had
// not left were not committed, and another machine reads them again.
func TestWatchOnAnotherMachineRaisesWhatHadNotLeft(t *testing.T) {
	rows, model := officeDay(t)
	broker, _ := cluster(t, 1, "conn")
	box, to := newInbox(t)
	box.setAway(true)
	args := []string{"-m", model, "--alerts-per-day", "1000", "--to", to, "kafka://" + broker + "/conn?group=g", "--state"}
	produce(t, broker, "conn", rows)
	first := startWatch(t, append(args, t.TempDir())...)
	<-box.asked
	first.end(t)
	before := committed(t, broker, "g", "conn")

	box.setAway(false)
	second := startWatch(t, append(args, t.TempDir())...)
	require.Eventually(t, func() bool { return box.count() > 0 }, 30*time.Second, 10*time.Millisecond)
	second.end(t)
	again := int64(len(rows)) - before
	assert.Contains(t, second.errs.String(), fmt.Sprintf("%d rows", again))
}

func TestWatchOfATopicThatCannotBe(t *testing.T) {
	_, model := officeDay(t)
	broker, _ := cluster(t, 1, "conn")
	for url, want := range map[string]string{
		"kafka://" + broker + "/conn":                   "no group",
		"kafka://" + broker + "/conn?group=g&until=end": "until=end means nothing",
		"kafka://" + broker + "/dns?group=g":            "there is no topic dns",
	} {
		_, said := verbOutput(t, 2, "", "watch", "-m", model, "--state", t.TempDir(), url)
		assert.Contains(t, said, want)
	}
	_, said := verbOutput(t, 2, "", "watch", "-m", model, "--dry-run", "kafka://"+broker+"/conn?group=g")
	assert.Contains(t, said, "reads files, not topics")
}
