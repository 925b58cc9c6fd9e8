package alert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Config is what a Watcher does.
type Config struct {
	PerDay  float64        // the budget
	PerHour int            // alerts an hour at most; 0 for the budget's share
	Model   *model.Model   // for rows without a score, or nil
	Allow   string         // the allow-list's file, or ""
	Spool   int            // alerts that wait for a receiver at most
	Names   *zeeklog.Names // of a dry run's columns, where their header does not tell
	Rows    Rows           // of a log that is not conn.log; else nil
	Say     func(format string, args ...any)
	Warn    func(error)
}

// Watcher turns rows into alerts. Its methods are for one goroutine; Run's
// senders work beside it.
type Watcher struct {
	Config
	mu       sync.Mutex // of all below
	policy   *alerts.Policy
	folds    folds
	fresh    []*Alert // raised since collect
	*reading          // the log of the row at hand
	record   *stream.Conn
	cases    *stream.Cases // of several logs, else nil
	allow    allowList
	counts   Counts
	named    int             // bad rows
	others   map[string]bool // kinds of other logs' rows that were
	lacks    conn.Fields     // what was said to have no column
	queue    []*queued

	targets []Target
	wake    []chan struct{}
	base    time.Duration // of the back-off

	at      Place           // of the next row
	before  map[int32]int64 // a topic's offsets before the rows at hand
	latest  conn.Micros     // ts of the last row
	lastRow time.Time
	changed bool
}

// NewWatcher returns a watcher that sends to the targets.
func NewWatcher(c Config, targets []Target) *Watcher {
	w := &Watcher{
		Config: c, targets: targets, base: time.Second,
		policy: alerts.New(c.PerDay),
		folds:  folds{},
		allow:  allowList{path: c.Allow, warn: c.Warn},
	}
	w.policy.SetPerHour(c.PerHour)
	w.reading, w.record = newReading(c.Rows, c.Model), stream.NewConns(nil)
	for range targets {
		w.wake = append(w.wake, make(chan struct{}, 1))
	}
	return w
}

// Counts returns what was done so far.
func (w *Watcher) Counts() Counts {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts
}

// block takes the rows of a block.
func (w *Watcher) block(blk *zeeklog.Block) {
	for i := range blk.Rows {
		w.oneRow(blk, i)
	}
	if len(blk.Rows) > 0 {
		w.seen()
	}
	w.changed = true
}

// seen notes that there was a row.
func (w *Watcher) seen() { w.lastRow, w.changed = time.Now(), true }

// oneRow takes a row of a block.
func (w *Watcher) oneRow(blk *zeeklog.Block, i int) {
	w.counts.Rows++
	if err := blk.Rows[i].Err; err != nil {
		w.counts.Bad++
		w.bad(err)
		return
	}
	w.row(blk, i)
}

// bad warns of a row that cannot be used, of the first ones of each kind: a
// stream of several logs has any number of rows of another one.
func (w *Watcher) bad(err error) {
	why := err
	if row := (*zeeklog.Error)(nil); errors.As(err, &row) {
		why = fmt.Errorf("%s: %w", row.Field, row.Err)
	}
	if errors.Is(err, zeeklog.ErrOtherLog) {
		if w.others[why.Error()] || len(w.others) >= maxOthers {
			return
		}
		if w.others == nil {
			w.others = make(map[string]bool)
		}
		w.others[why.Error()] = true
		w.Warn(fmt.Errorf("%w; rows like it are counted, not named", err))
		return
	}
	if w.named++; w.named <= 10 {
		w.Warn(err)
	}
}

// maxOthers bounds the kinds of other logs' rows that are named.
const maxOthers = 100

// recordOf returns the record of a row.
func (w *Watcher) recordOf(blk *zeeklog.Block, i int) (stream.Record, error) {
	if w.rows != nil {
		return w.rows, w.rows.Take(blk.Fields(i))
	}
	if w.record.Hosts = w.hosts; w.hosts != nil {
		if of, ok := blk.State.(*feature.Hosts); ok { // the source has them apart
			w.record.Hosts = of
		}
	}
	return w.record.Of(&blk.Rows[i].Conn), nil
}

// line names a line of the log at hand.
func (w *Watcher) line(n int) string {
	if w.path != "" {
		return fmt.Sprintf("%s, line %d", w.path, n)
	}
	return fmt.Sprintf("line %d", n)
}

func (w *Watcher) row(blk *zeeklog.Block, i int) {
	row := &blk.Rows[i]
	record, err := w.recordOf(blk, i)
	if err != nil {
		w.counts.Bad++
		w.bad(fmt.Errorf("%s: %w", w.line(row.Line), err))
		return
	}
	c := record.Subject()
	w.latest = c.TS
	scored, err := w.stream.NextLogged(record, func(column string) (string, bool) { return blk.Value(row, column) })
	if err == stream.ErrUnscored {
		if w.counts.Unscored++; w.counts.Unscored == 1 {
			w.Warn(fmt.Errorf("%s: %w: such rows are counted and raise no alert", w.line(row.Line), err))
		}
		return
	} else if err != nil {
		w.counts.Bad++
		w.bad(fmt.Errorf("%s: %w", w.line(row.Line), err))
		return
	}
	if lacks := c.Absent &^ conn.LocalOrig &^ w.lacks; lacks != 0 && !scored.Logged {
		w.lacks |= lacks
		w.Warn(fmt.Errorf("%s: this row has no %s: it counts as usual here and in such rows and is no reason, so what is unusual in it alone is not found", w.line(row.Line), strings.Join(zeeklog.AbsentNames(lacks), ", ")))
	}
	if w.rows != nil && !scored.Logged {
		w.rows.Lack(w.path)
	}
	if strings.HasPrefix(scored.By(), seed.Prefix) {
		w.counts.BySeed++
	}
	if w.cases != nil {
		w.cases.Next(scored)
	}
	at := scored.Alert()
	w.policy.Incidents(false, w.incident)
	if !w.policy.Unusual(&at) {
		return
	}
	if FindOf(scored.Log(), w.allow.lines, c) != nil {
		w.counts.Allowed++
		return
	}
	h := hit{log: scored.Log(), conn: c, score: scored.CaseScore(), oneIn: scored.OneIn(), reason: func() string { return string(scored.AppendReasons(nil)) }, since: w.before}
	verdict := w.policy.Raise(&at)
	if b := w.policy.Beacon(); b != nil {
		w.folds.fold(b, &h)
	}
	switch verdict {
	case alerts.Raise:
		w.fresh = append(w.fresh, gather(Connection, &h).done())
		return
	case alerts.Suppressed:
		w.counts.Beyond++
	}
	if i := w.policy.Incident(); i != nil {
		w.folds.fold(i, &h)
	}
}

// incident tells of what grew out of an alert.
func (w *Watcher) incident(i *alerts.Incident) {
	if a := w.folds.told(i); a != nil {
		w.fresh = append(w.fresh, a)
	}
}

// collect moves alerts into the queue and reports whether there were any.
func (w *Watcher) collect() bool {
	alerts := w.fresh
	w.fresh = nil
	for _, a := range alerts {
		q := &queued{Alert: a, Since: a.since}
		for _, t := range w.targets {
			q.To = append(q.To, t.Name)
		}
		w.counts.Alerts++
		w.queue = append(w.queue, q)
		if len(w.queue) > w.Spool {
			gone := w.queue[0]
			w.queue = w.queue[1:]
			w.counts.Dropped++
			w.Warn(fmt.Errorf("the spool is full (%d alerts): the oldest is given up, not taken by %v: %s", w.Spool, gone.To, gone.Alert.Title()))
		}
	}
	return len(alerts) > 0
}

// DryRun reads logs to their end and calls each with every alert that would
// have been sent. An allow-list that cannot be used is an error.
func (w *Watcher) DryRun(ctx context.Context, r io.Reader, name string, each func(*Alert)) error {
	if err := w.allow.read(); err != nil {
		return err
	}
	blocks, parser, blk := zeeklog.NewBlocks(r, name).Named(w.Names), zeeklog.NewParser(), zeeklog.Block{}
	for ctx.Err() == nil {
		err := blocks.Next(&blk)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		parser.Parse(&blk)
		w.block(&blk)
		w.flush(each)
	}
	return ctx.Err()
}

// EndDryRun gives the alerts of incidents that were going on.
func (w *Watcher) EndDryRun(each func(*Alert)) {
	w.policy.Incidents(true, w.incident)
	w.flush(each)
}

func (w *Watcher) flush(each func(*Alert)) {
	for _, a := range w.fresh {
		w.counts.Alerts++
		each(a)
	}
	w.fresh = nil
}

const (
	poll     = 200 * time.Millisecond
	saveAt   = time.Second
	reloadAt = time.Second
	silent   = time.Hour // so long without a row: no incident goes on
)

// Run follows the log at path until ctx ends. Everything that is needed to go
// on is in dir.
func (w *Watcher) Run(ctx context.Context, dir, path string, follow func(from *zeeklog.Position) *zeeklog.Tail) error {
	return w.RunFrom(ctx, dir, path, func(from Place) (Source, error) { return fileSource{follow(from.Position)}, nil })
}

// RunFrom is Run for any source; name is what it is known by in the state.
func (w *Watcher) RunFrom(ctx context.Context, dir, name string, open func(from Place) (Source, error)) error {
	return w.run(ctx, dir, name, func(from Place) (feed, error) {
		source, err := open(from)
		return &blocks{Source: source}, err
	})
}

func (w *Watcher) run(ctx context.Context, dir, name string, open func(from Place) (feed, error)) error {
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	defer s.close()
	old, err := s.read()
	if err != nil {
		return err
	}
	var from Place
	if old != nil {
		if old.Log != name {
			return fmt.Errorf("%s: this state is that of %s, not of %s: name another folder with --state", dir, old.Log, name)
		}
		from = old.Place
		w.restore(old)
	}
	tail, err := open(from)
	if err != nil {
		return err
	}
	defer tail.Close()
	w.at = tail.Place()
	w.allow.reload()

	save := func() { // with mu held
		st := &state{Log: name, Place: w.at, Policy: w.policy.AppendState(nil), Folds: w.folds, Queue: w.queue, Counts: w.counts}
		if err := s.write(st); err != nil {
			w.Warn(fmt.Errorf("the state is not saved, so a restart now would repeat alerts; trying again: %w", err))
			return
		}
		w.changed = false
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var senders sync.WaitGroup
	for i := range w.targets {
		senders.Add(1)
		go func() {
			defer senders.Done()
			w.sender(ctx, i, s, save)
		}()
	}
	err = w.loop(ctx, tail, save)
	stop()
	senders.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	save()
	tail.Left(w.left())
	return err
}

// left returns how far a topic's rows have no alert that has not left. An incident
// that goes on holds the rows that were not told yet, for an hour at most.
func (w *Watcher) left() map[int32]int64 {
	left := maps.Clone(w.at.Offsets)
	wait := func(since map[int32]int64) {
		for n := range left {
			if at, known := since[n]; !known {
				delete(left, n)
			} else {
				left[n] = min(left[n], at)
			}
		}
	}
	for _, q := range w.queue {
		wait(q.Since)
	}
	for _, a := range w.fresh {
		wait(a.since)
	}
	for _, g := range w.folds {
		if g.Since != nil && w.latest-g.SinceTime < conn.Micros(silent.Microseconds()) {
			wait(g.Since)
		}
	}
	return left
}

func (w *Watcher) restore(old *state) {
	if err := w.policy.RestoreState(old.Policy); err != nil {
		w.Warn(fmt.Errorf("%w: it begins a new day", err))
	}
	if old.Folds != nil {
		w.folds = old.Folds
	}
	w.counts = old.Counts
	known := map[string]bool{}
	for _, t := range w.targets {
		known[t.Name] = true
	}
	gone := map[string]int{}
	for _, q := range old.Queue {
		var to []string
		for _, name := range q.To {
			if known[name] {
				to = append(to, name)
			} else {
				gone[name]++
			}
		}
		if q.To = to; len(to) > 0 {
			w.queue = append(w.queue, q)
		}
	}
	for name, n := range gone {
		w.Warn(fmt.Errorf("%d alerts waited for %s, which is no receiver any more: they are given up", n, name))
	}
}

// loop reads the log and raises alerts.
func (w *Watcher) loop(ctx context.Context, tail feed, save func()) error {
	saved, reloaded := time.Now(), time.Now()
	w.lastRow = saved
	for ctx.Err() == nil {
		err := tail.read()
		w.mu.Lock()
		w.before = w.at.Offsets
		if err == nil {
			err = tail.take(w)
		}
		idle := errors.Is(err, zeeklog.ErrIdle)
		if err != nil && !idle {
			w.mu.Unlock()
			return err
		}
		w.at = tail.Place() // what is saved: never ahead of the rows that were seen to
		now := time.Now()
		if now.Sub(reloaded) >= reloadAt {
			w.allow.reload()
			reloaded = now
		}
		if now.Sub(w.lastRow) >= silent {
			w.policy.Incidents(true, w.incident)
		}
		fresh := w.collect()
		if fresh || w.changed && now.Sub(saved) >= saveAt {
			save()
			saved = now
		}
		tail.Left(w.left())
		w.mu.Unlock()
		if fresh {
			for _, c := range w.wake {
				select {
				case c <- struct{}{}:
				default:
				}
			}
		}
		if idle {
			select {
			case <-ctx.Done():
			case <-time.After(poll):
			}
		}
	}
	return nil
}

// ErrNoScores says that the log has no scores and there is no model.
var ErrNoScores = errors.New("the log has no column anomaly_score, and there is no model to compute it")
