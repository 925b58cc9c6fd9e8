package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

const header = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tanomaly_score\tanomaly_reason\n"

// row is a row of the log, so many seconds after its beginning.
func row(second float64, uid, orig, resp string, port int, score string) string {
	return fmt.Sprintf("%.6f\t%s\t%s\t40000\t%s\t%d\ttcp\tssl\t1.000000\t100\t200\tSF\t%s\ttoo many \"bytes\"]\n", 1700000000+second, uid, orig, resp, port, score)
}

// quietHours are ordinary rows, after which the budget allows alerts.
func quietHours(hours int) string {
	var b strings.Builder
	b.WriteString(header)
	for i := range hours * 60 {
		b.WriteString(row(float64(i*60), fmt.Sprintf("Cq%d", i), fmt.Sprintf("10.0.0.%d", i%89), fmt.Sprintf("10.0.2.%d", i%97), 443, fmt.Sprintf("0.4%03d", i%500)))
	}
	return b.String()
}

// inbox is a receiver that remembers, and fails as it is told to.
type inbox struct {
	mu    sync.Mutex
	got   []*Alert
	at    []time.Time
	fault func(n int) error // for the nth attempt
	tries int
}

func (in *inbox) Send(_ context.Context, a *Alert) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tries++
	if in.fault != nil {
		if err := in.fault(in.tries); err != nil {
			return err
		}
	}
	in.got, in.at = append(in.got, a), append(in.at, time.Now())
	return nil
}

func (in *inbox) uids() (uids []string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, a := range in.got {
		uids = append(uids, a.Connection.UID)
	}
	return uids
}

// watching is a watcher at work in a folder of its own.
type watching struct {
	t       *testing.T
	dir     string
	targets []Target
	config  Config
	mu      sync.Mutex
	warned  []string
	w       *Watcher
	end     func() error
}

func newWatching(t *testing.T, targets ...Target) *watching {
	w := &watching{t: t, dir: t.TempDir(), targets: targets}
	w.config = Config{PerDay: 20, PerHour: 10, Spool: 100, Say: func(string, ...any) {}, Warn: func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.warned = append(w.warned, err.Error())
	}}
	w.write(quietHours(12))
	return w
}

func (w *watching) log() string   { return filepath.Join(w.dir, "conn.log") }
func (w *watching) state() string { return filepath.Join(w.dir, "state") }

func (w *watching) warnings() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.warned, "\n")
}

func (w *watching) write(text string) {
	f, err := os.OpenFile(w.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(w.t, err)
	_, err = f.WriteString(text)
	require.NoError(w.t, err)
	require.NoError(w.t, f.Close())
}

func (w *watching) run(ctx context.Context) error {
	w.make()
	return w.follow(ctx)
}

func (w *watching) make() {
	w.w = NewWatcher(w.config, w.targets)
	w.w.base = 10 * time.Millisecond
}

func (w *watching) follow(ctx context.Context) error {
	return w.w.Run(ctx, w.state(), w.log(), func(from *zeeklog.Position) *zeeklog.Tail {
		return zeeklog.Log{Path: w.log(), Warn: w.config.Warn, Archive: func() []string { return nil }, Open: func(path string) (io.ReadCloser, error) { return os.Open(path) }}.Follow(from)
	})
}

func (w *watching) start() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	w.make()
	go func() { done <- w.follow(ctx) }()
	w.end = func() error { cancel(); return <-done }
	time.Sleep(50 * time.Millisecond)
}

func (w *watching) stop() { require.NoError(w.t, w.end()) }

func (w *watching) eventually(what func() bool) {
	w.t.Helper()
	require.Eventually(w.t, what, 10*time.Second, 10*time.Millisecond, "%s", w.warnings())
}

const afterQuiet = 12 * 3600

func strange(i int) string {
	return row(afterQuiet+float64(i)*7200, fmt.Sprintf("Cs%d", i), fmt.Sprintf("10.0.1.%d", i), "192.0.2.1", 4444, "0.8000")
}

func TestRowBecomesAnAlertWithinASecond(t *testing.T) {
	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	w.start()
	time.Sleep(1200 * time.Millisecond) // what the hours before raised is sent
	began := time.Now()
	w.write(strange(0))
	w.eventually(func() bool { return slices.Contains(in.uids(), "Cs0") })
	delay := in.at[len(in.at)-1].Sub(began)
	w.stop()
	t.Logf("from row to alert: %v", delay)
	assert.Less(t, delay, time.Second)
	a := in.got[len(in.got)-1]
	assert.Equal(t, "Cs0", a.Connection.UID)
	assert.Equal(t, 0.8, a.Score)
	assert.Equal(t, `too many "bytes"]`, a.Reason)
}

// A receiver is away across restarts; every alert arrives once, in order.
func TestNothingLostNothingTwice(t *testing.T) {
	away := true
	in := &inbox{}
	in.fault = func(int) error {
		if away {
			return errors.New("away")
		}
		return nil
	}
	always := &inbox{}
	w := newWatching(t, Target{"inbox", in}, Target{"always", always})
	var want []string
	for i := range 6 {
		w.start()
		w.write(strange(i))
		want = append(want, fmt.Sprintf("Cs%d", i))
		if i%2 == 0 {
			w.eventually(func() bool { uids := always.uids(); return len(uids) > 0 && uids[len(uids)-1] == want[i] })
		} // else the watcher ends while the alert is still held, or before it was read
		w.stop()
	}
	in.mu.Lock()
	away = false
	in.mu.Unlock()
	w.start()
	strangeOnes := func(uids []string) (only []string) {
		for _, u := range uids {
			if strings.HasPrefix(u, "Cs") {
				only = append(only, u)
			}
		}
		return only
	}
	w.eventually(func() bool { return len(strangeOnes(in.uids())) == 6 && len(strangeOnes(always.uids())) == 6 })
	w.stop()
	assert.Equal(t, want, strangeOnes(in.uids()))
	assert.Equal(t, want, strangeOnes(always.uids()))
	ids := map[string]bool{}
	for _, a := range in.got {
		assert.False(t, ids[a.ID], "sent twice: %s", a.Title())
		ids[a.ID] = true
	}
	assert.Contains(t, w.warnings(), "inbox does not take alerts")
}

func TestSecondWatcherRefuses(t *testing.T) {
	w := newWatching(t)
	w.start()
	err := NewWatcher(w.config, nil).Run(context.Background(), w.state(), w.log(), nil)
	w.stop()
	assert.ErrorContains(t, err, "another zeek-iforest watch uses this state")
}

func TestStateOfAnotherLogOrDamaged(t *testing.T) {
	w := newWatching(t)
	w.start()
	w.stop()
	err := NewWatcher(w.config, nil).Run(context.Background(), w.state(), "/other/conn.log", nil)
	assert.ErrorContains(t, err, "this state is that of")
	require.NoError(t, os.WriteFile(filepath.Join(w.state(), "state.json"), []byte("{"), 0o600))
	assert.ErrorContains(t, w.run(context.Background()), "move it away to begin anew")
}

func TestRefusedIsKept(t *testing.T) {
	in := &inbox{fault: func(n int) error { return &Refused{errors.New("status 400")} }}
	w := newWatching(t, Target{"inbox", in})
	w.start()
	w.write(strange(0))
	w.eventually(func() bool {
		text, _ := os.ReadFile(filepath.Join(w.state(), "refused.jsonl"))
		return strings.Contains(string(text), "Cs0")
	})
	w.stop()
	assert.Contains(t, w.warnings(), "refuses alert")
}

// The state cannot be written: alerts go on, with a warning.
func TestStateThatCannotBeWritten(t *testing.T) {
	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	w.start()
	time.Sleep(1500 * time.Millisecond) // what the hours before raised is sent and saved
	require.NoError(t, os.Remove(filepath.Join(w.state(), "state.json")))
	require.NoError(t, os.MkdirAll(filepath.Join(w.state(), "state.json", "in the way"), 0o700))
	w.write(strange(0))
	w.eventually(func() bool { uids := in.uids(); return slices.Contains(uids, "Cs0") })
	w.stop()
	assert.Contains(t, w.warnings(), "the state is not saved")
}

func TestSpoolIsBounded(t *testing.T) {
	in := &inbox{fault: func(int) error { return errors.New("away") }}
	w := newWatching(t, Target{"inbox", in})
	w.config.Spool = 2
	w.start()
	for i := range 5 {
		w.write(strange(i))
	}
	w.eventually(func() bool { return w.w.Counts().Dropped >= 3 })
	w.stop()
	assert.Contains(t, w.warnings(), "the spool is full (2 alerts)")
}

func TestAllowListIsReadAgain(t *testing.T) {
	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	w.config.Allow = filepath.Join(w.dir, "allow.tsv")
	require.NoError(t, os.WriteFile(w.config.Allow, []byte(AllowHeader+"\n"), 0o600))
	w.start()
	time.Sleep(300 * time.Millisecond)
	e := &Entry{}
	require.NoError(t, e.Set("responder", "192.0.2.1"))
	require.NoError(t, AppendAllow(w.config.Allow, e))
	time.Sleep(1300 * time.Millisecond)
	rows := w.w.Counts().Rows
	w.write(strange(0))
	w.eventually(func() bool { return w.w.Counts().Allowed == 1 })
	require.NoError(t, os.WriteFile(w.config.Allow, []byte("nonsense\n"), 0o600))
	w.eventually(func() bool { return strings.Contains(w.warnings(), "the allow-list before it holds on") })
	w.write(strange(1))
	w.eventually(func() bool { return w.w.Counts().Rows >= rows+2 })
	assert.EqualValues(t, 2, w.w.Counts().Allowed)
	w.stop()
	assert.NotContains(t, in.uids(), "Cs0")
}

// A list that is broken from the start stops no alert, and is not said to hold.
func TestAllowListBrokenAtTheStart(t *testing.T) {
	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	w.config.Allow = filepath.Join(w.dir, "allow.tsv")
	require.NoError(t, os.WriteFile(w.config.Allow, []byte(AllowHeader+"\n10.0.0.999\t-\t-\t-\t-\t-\t-\n"), 0o600))
	w.start()
	w.eventually(func() bool {
		return strings.Contains(w.warnings(), "nothing is allowed until the allow-list is mended: "+w.config.Allow+":2: originator")
	})
	w.write(strange(0))
	w.eventually(func() bool { return slices.Contains(in.uids(), "Cs0") })
	w.stop()
	dry := NewWatcher(w.config, nil)
	assert.ErrorContains(t, dry.DryRun(context.Background(), strings.NewReader(""), "x", nil), "allow.tsv:2: originator")
}

func TestTitleOfICMP(t *testing.T) {
	a := Alert{Kind: Connection, Score: 0.7, Connection: Summary{Originator: "10.0.0.1", Responder: "10.0.0.2", RespPort: 3, Proto: "icmp"}}
	assert.Equal(t, "anomalous connection 10.0.0.1 → 10.0.0.2 (icmp), score 0.7000", a.Title())
	a.Connection.Proto = "tcp"
	assert.Equal(t, "anomalous connection 10.0.0.1 → 10.0.0.2 port 3 (tcp), score 0.7000", a.Title())
}

func TestECSOfICMP(t *testing.T) {
	a := &Alert{Kind: Connection, Connection: Summary{Originator: "10.0.0.1", OrigPort: 3, Responder: "10.0.0.2", RespPort: 1, Proto: "icmp"}}
	doc := ecs(a)
	assert.NotContains(t, doc["source"], "port")
	assert.NotContains(t, doc["destination"], "port")
	assert.Equal(t, map[string]any{"type": uint16(3), "code": uint16(1)}, doc["zeek"].(map[string]any)["connection"].(map[string]any)["icmp"])
	a.Connection.Proto = "udp"
	assert.Equal(t, uint16(1), ecs(a)["destination"].(map[string]any)["port"])
}

func TestNoScoresNoModel(t *testing.T) {
	w := newWatching(t, Target{"inbox", &inbox{}})
	require.NoError(t, os.WriteFile(w.log(), []byte(strings.ReplaceAll(quietHours(1), "\tanomaly_score\tanomaly_reason", "\ta\tb")), 0o600))
	assert.ErrorIs(t, w.run(context.Background()), ErrNoScores)
}

// A scan from one host is one alert at first and one for what followed.
func TestScanIsOneIncident(t *testing.T) {
	w := NewWatcher(Config{PerDay: 20, PerHour: 10, Spool: 100, Say: func(string, ...any) {}, Warn: func(err error) { t.Error(err) }}, nil)
	var b strings.Builder
	b.WriteString(quietHours(24))
	for i := range 180 { // three hours without anything, so that the budget of the hour is whole
		b.WriteString(row(24*3600+float64(i*60), fmt.Sprintf("Cn%d", i), "10.0.0.1", "10.0.0.2", 443, "0.4000"))
	}
	for i := range 5000 {
		b.WriteString(row(27*3600+float64(i)/100, fmt.Sprintf("Cscan%d", i), "10.9.9.9", fmt.Sprintf("192.0.2.%d", i%250), i+1, fmt.Sprintf("0.%04d", 7000+i/10)))
	}
	for i := range 120 {
		b.WriteString(row(27*3600+60+float64(i*60), "Cq", "10.0.0.1", "10.0.0.2", 443, "0.4100"))
	}
	var told []*Alert
	each := func(a *Alert) {
		if a.Connection.Originator == "10.9.9.9" {
			told = append(told, a)
		}
	}
	require.NoError(t, w.DryRun(context.Background(), strings.NewReader(b.String()), "conn.log", each))
	w.EndDryRun(each)
	require.Len(t, told, 5, "the first connection, the incident of ten, a hundred, a thousand connections, and at its end")
	last := told[4]
	assert.Equal(t, Connection, told[0].Kind)
	ids := map[string]bool{}
	for _, a := range told[1:] {
		assert.Equal(t, Host, a.Kind)
		ids[a.ID] = true
	}
	assert.Len(t, ids, 4)
	assert.Equal(t, "10.9.9.9", last.Host)
	assert.Len(t, last.UIDs, maxSamples)
	assert.Greater(t, last.Responders, 200)
	assert.Greater(t, len(last.Ports)+last.MorePorts, 2000)
	assert.InDelta(t, 5000, last.Count, 100, "each connection is in an alert, but for those with one of their own")
	assert.Equal(t, fmt.Sprintf("%d more anomalous connections from 10.9.9.9 to 250 responders, %d ports", last.Count, len(last.Ports)+last.MorePorts), last.Title())
}

// A host that calls another at a steady pace is told once, as a beacon.
func TestBeaconIsTold(t *testing.T) {
	w := NewWatcher(Config{PerDay: 20, Spool: 100, Say: func(string, ...any) {}, Warn: func(err error) { t.Error(err) }}, nil)
	var b strings.Builder
	b.WriteString(quietHours(24))
	for i := range 100 {
		b.WriteString(row(24*3600+float64(i*61), fmt.Sprintf("Cb%d", i), "10.0.0.7", "192.0.2.7", 443, "0.4000"))
	}
	var told []*Alert
	each := func(a *Alert) {
		if a.Connection.Originator == "10.0.0.7" {
			told = append(told, a)
		}
	}
	require.NoError(t, w.DryRun(context.Background(), strings.NewReader(b.String()), "conn.log", each))
	w.EndDryRun(each)
	require.Len(t, told, 1)
	assert.Equal(t, Beacon, told[0].Kind)
	assert.Equal(t, "10.0.0.7 calls 192.0.2.7 port 443 every 1m1s, 11 times so far", told[0].Title())
	assert.InDelta(t, 61, told[0].Period, 0.01)
	assert.NotContains(t, told[0].Detail(), "from:")
}

// A backlog of days, read at once, raises the alerts that it would have raised
// live.
func TestBacklogIsAsLive(t *testing.T) {
	var b strings.Builder
	b.WriteString(header)
	for i := range 3 * 24 * 3600 / 10 { // a host that is strange now and then, and storms
		second := float64(i * 10)
		b.WriteString(row(second, fmt.Sprintf("Cq%d", i), fmt.Sprintf("10.0.0.%d", i%89), "10.0.2.1", 443, fmt.Sprintf("0.4%03d", i%500)))
		if i > 8640 && i%700 < 30 {
			b.WriteString(row(second+1, fmt.Sprintf("Cx%d", i), fmt.Sprintf("10.9.9.%d", i%3), "192.0.2.1", i%5000, fmt.Sprintf("0.8%03d", i%1000)))
		}
	}
	dry := NewWatcher(Config{PerDay: 20, PerHour: 10, Spool: 100, Warn: func(err error) { t.Error(err) }}, nil)
	var want []string
	each := func(a *Alert) { want = append(want, fmt.Sprint(a.ID, a.Kind, a.Count)) }
	require.NoError(t, dry.DryRun(context.Background(), strings.NewReader(b.String()), "conn.log", each))
	dry.EndDryRun(each)
	require.Greater(t, len(want), 10)

	in := &inbox{}
	w := newWatching(t, Target{"inbox", in})
	require.NoError(t, os.WriteFile(w.log(), []byte(b.String()), 0o600))
	w.config.Spool = 1000
	w.start()
	w.eventually(func() bool { return w.w.Counts().Rows == dry.Counts().Rows })
	w.stop()
	var got []string
	for _, a := range in.got {
		got = append(got, fmt.Sprint(a.ID, a.Kind, a.Count))
	}
	open := 0 // storms that were under way at the end, which the dry run ends
	for _, a := range want {
		if !slices.Contains(got, a) {
			open++
		}
	}
	assert.LessOrEqual(t, open, 4)
	for _, a := range got {
		assert.Contains(t, want, a)
	}
}

// A clock that jumps and comes back stops nothing.
func TestClockJump(t *testing.T) {
	w := NewWatcher(Config{PerDay: 20, PerHour: 10, Spool: 100, Say: func(string, ...any) {}, Warn: func(err error) { t.Error(err) }}, nil)
	same := func(second float64, uid string) string {
		return row(second, uid, "10.0.1.13", "192.0.2.1", 4444, "0.8000")
	}
	quiet := strings.TrimPrefix(quietHours(24), header)
	text := header + quiet + row(1e8, "Cjump", "10.0.0.1", "10.0.0.2", 443, "0.9000") + quiet + same(24*3600, "Cs13") + same(26*3600, "Cs14")
	var uids []string
	each := func(a *Alert) { uids = append(uids, a.Connection.UID) }
	require.NoError(t, w.DryRun(context.Background(), strings.NewReader(text), "conn.log", each))
	w.EndDryRun(each)
	assert.Contains(t, uids, "Cs13")
	assert.Contains(t, uids, "Cs14", "the same two hours later is said again: the clock goes on")
}

// A state of 0.1.0 keeps its place in the log and what waits for receivers.
func TestOldState(t *testing.T) {
	st, err := parseState([]byte(`{"format":1,"log":"/conn.log","position":{"offset":3},"budget":"AAEC","folds":{"now":5,"said":{"x":{"at":1}},"own":{},"held":{},"storms":{}},"queue":[{"alert":{"id":"a","kind":"storm","repeats":3},"to":["b"]}],"counts":{"rows":7}}`))
	require.NoError(t, err)
	require.Equal(t, "/conn.log", st.Log)
	require.EqualValues(t, 3, st.Position.Offset)
	require.Equal(t, "a", st.Queue[0].Alert.ID)
	require.EqualValues(t, 7, st.Counts.Rows)
	require.Empty(t, st.Folds)
}

func FuzzState(f *testing.F) {
	folds := folds{"x": {Seen: map[string]struct{}{}, Origins: map[string]struct{}{}, RespPorts: map[uint16]struct{}{}}}
	text, err := json.Marshal(&state{Format: stateFormat, Log: "/conn.log", Place: Place{Position: &zeeklog.Position{Offset: 3}}, Folds: folds, Queue: []*queued{{Alert: &Alert{}, To: []string{"a"}}}})
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"format":2,"policy":"AgA=","folds":{"x":null}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		st, err := parseState(text)
		if err != nil {
			return
		}
		w := NewWatcher(Config{PerDay: 20, PerHour: 1, Spool: 2, Say: func(string, ...any) {}, Warn: func(error) {}}, []Target{{"a", &inbox{}}})
		w.restore(st)
		_ = w.DryRun(context.Background(), strings.NewReader(quietHours(1)), "conn.log", func(*Alert) {})
		w.EndDryRun(func(a *Alert) { _ = a.Title() + a.Detail() })
	})
}

// BenchmarkWatch is one core's work for a row that has its score already.
func BenchmarkWatch(b *testing.B) {
	text := quietHours(24 * 28)
	rows := strings.Count(text, "\n") - 6
	for b.Loop() {
		w := NewWatcher(Config{PerDay: 20, PerHour: 10, Spool: 100, Say: func(string, ...any) {}, Warn: func(err error) { b.Error(err) }}, nil)
		if err := w.DryRun(context.Background(), strings.NewReader(text), "conn.log", func(*Alert) {}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
