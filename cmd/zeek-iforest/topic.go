package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// aboutTopics is what help says of Kafka.
const aboutTopics = `kafka://BROKER[:9092][,BROKER…]/TOPIC is a topic of JSON rows, {"conn": {…}} among them. Options after a ?:
  group=NAME       share the topic with other readers of that name, and go on where they ended;
                   without it all of the topic is read, and nothing committed
  rewind=N|all     when it goes on: observe the N rows before again, so that scores lack nothing (default 1000000)
  user=NAME&password=env:NAME|file:PATH[&sasl=scram-sha-256|scram-sha-512]; kafka+tls:// with [&ca=FILE]`

// onlyWithAnEnd are options of score that mean nothing where rows have no end,
// or come with an order of their own.
var onlyWithAnEnd = []string{"top", "fail-above", "plot", "alerts-per-day", "keep", "order-by"}

// topics reports whether rows come from a topic or go to one, and refuses what
// means nothing there.
func topics(flags *pflag.FlagSet, files []string, out string) (bool, error) {
	from := slices.ContainsFunc(files, kafkalog.IsURL)
	switch {
	case !from && kafkalog.IsURL(out):
		return false, hinted(errors.New("-o kafka:// takes rows of a topic, not of files"), "kcat -P brings a file into a topic")
	case !from:
		return false, nil
	case len(files) > 1:
		return false, errors.New("one topic is read at a time, and no file beside it")
	}
	var err error
	flags.Visit(func(f *pflag.Flag) {
		if slices.Contains(onlyWithAnEnd, f.Name) {
			err = fmt.Errorf("--%s means nothing with a topic", f.Name)
		}
		if f.Name == "partition-by" && f.Value.String() == "responder" {
			err = errors.New("--partition-by responder means nothing with a topic: its key is the originator")
		}
	})
	return err == nil, err
}

// sink is where scored rows of a topic go.
type sink interface {
	// Send sends rows in order; sent is called once when they have left, or with
	// the first error.
	Send(ctx context.Context, rows []kafkalog.Row, sent func(error))
}

// lines writes rows to standard output or a file.
type lines struct{ *output }

func (l lines) Send(_ context.Context, rows []kafkalog.Row, sent func(error)) {
	for _, row := range rows {
		l.Write(row.Value)
		l.Write([]byte{'\n'})
	}
	if err := l.Flush(); err != nil { // the first error stays
		sent(fmt.Errorf("writing %s: %w", l.name, err))
		return
	}
	sent(nil)
}

// shutdown is how long rows on their way may take after the user ended the run.
const shutdown = 15 * time.Second

// onTheirWay is how many batches wait for their rows to arrive.
const onTheirWay = 4

// topicScoring scores the rows of a topic.
type topicScoring struct {
	*scoring
	newLake func(hosts int) (*lake, error)
	reader  *kafkalog.Reader
	sink    sink
	add     *zeeklog.AddColumns
	keep    bool                 // offsets are committed when the output stands
	owners  map[netip.Addr]int32 // the partition of an originator, of the first ones
	warned  bool
	rows    atomic.Uint64

	mu  sync.Mutex // of warnings
	way chan sentBatch
}

// sentBatch is a batch whose rows are on their way.
type sentBatch struct {
	*kafkalog.Batch
	err chan error
}

// maxOwners is how many originators are remembered for whether they keep to a
// partition.
const maxOwners = 1 << 16

// topic scores the topic in and writes to out, which is another topic, a file or
// standard output, until the user ends it or all is read.
func (sc *scoring) topic(in, out string, newLake func(hosts int) (*lake, error)) (err error) {
	from, err := kafkalog.ParseURL(in, alert.Secret)
	if err != nil {
		return err
	}
	t := &topicScoring{scoring: sc, newLake: newLake, add: zeeklog.NewAddColumns(sc.columns.columns()...), owners: map[netip.Addr]int32{}, way: make(chan sentBatch, onTheirWay)}
	var o *output
	if kafkalog.IsURL(out) {
		to, err := kafkalog.ParseURL(out, alert.Secret)
		if err != nil {
			return err
		}
		if to.Address() == from.Address() {
			return fmt.Errorf("%s: scored rows do not go where the rows come from", out)
		}
		w, err := kafkalog.NewWriter(sc, to)
		if err != nil {
			return err
		}
		defer w.Close()
		t.sink = w
	} else {
		if o, err = sc.output(out); err != nil {
			return err
		}
		defer o.discard()
		if t.keep = o.file != nil && o.file.Name() != o.name; t.keep && !from.ToEnd {
			return hinted(fmt.Errorf("%s: a file is complete when all is read, and a topic has no end", out), "?until=end reads what is there now; standard output and topics take rows as they come")
		}
		t.sink = lines{o}
	}
	if t.reader, err = kafkalog.NewReader(sc, from, kafkalog.Config{Warn: t.sayWarning}); err != nil {
		return err
	}
	if n := t.reader.Partitions(); n > 1 && sc.lake.by == "" {
		return errors.Join(t.reader.Close(), hinted(fmt.Errorf("%s has %d partitions, so no order of all rows", from.Address(), n), "--partition-by originator: each has all rows of its hosts, in order"))
	}
	offsets, err := t.run()
	if err == nil && o != nil {
		if err = o.commit(); err == nil && t.keep {
			t.reader.Left(offsets)
		}
	}
	if errors.Is(err, context.Canceled) && !from.ToEnd {
		err = nil // that is how it ends
	}
	err = errors.Join(err, t.reader.Close())
	if other, n := t.reader.Others(); n > 0 {
		sc.say("%s of other logs (%s) were left out", plural(n, "row"), other)
	}
	sc.say("%s: %s scored", from.Address(), plural(t.rows.Load(), "row"))
	sc.lake.sayCold(sc.session, sc.cold, sc.place)
	return err
}

func (t *topicScoring) sayWarning(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.warn("%v", err)
}

// run scores batch after batch and returns the offsets up to which rows were
// sent.
func (t *topicScoring) run() (map[int32]int64, error) {
	bar := t.progress(-1, "connections")
	defer bar.Finish()
	reading, stop := context.WithCancelCause(t.Context)
	defer stop(nil)
	// What has been scored is still sent after the user ended the run.
	sending, give := context.WithCancel(context.WithoutCancel(t.Context))
	defer give()
	defer context.AfterFunc(reading, func() { time.AfterFunc(shutdown, give) })()

	offsets := map[int32]int64{}
	arrived := make(chan error, 1)
	go func() { arrived <- t.wait(offsets, stop) }()
	err := t.batches(reading, sending, func(n int) { bar.Add(n) })
	close(t.way)
	waited := <-arrived
	if waited != nil {
		return offsets, waited
	}
	if err == io.EOF {
		err = nil
	}
	return offsets, err
}

// wait waits for the rows of each batch, in order: offsets are committed up to
// the first that did not arrive.
func (t *topicScoring) wait(offsets map[int32]int64, stop context.CancelCauseFunc) (first error) {
	for b := range t.way {
		err := <-b.err
		if err != nil && first == nil {
			first = err
			stop(err)
		}
		if first == nil {
			for _, c := range b.Chunks {
				offsets[c.Part.Number] = c.Next
			}
		}
		b.Done(first == nil && !t.keep)
	}
	return first
}

func (t *topicScoring) batches(reading, sending context.Context, done func(rows int)) error {
	parsers := make([]*zeeklog.Parser, runtime.GOMAXPROCS(0))
	for i := range parsers {
		parsers[i] = zeeklog.NewParser()
	}
	for {
		batch, err := t.reader.Next(reading)
		if err != nil {
			return err
		}
		t.side(len(batch.Chunks), func(worker, i int) { batch.Chunks[i].Parse(parsers[worker], t.names) })
		for _, c := range batch.Chunks {
			if err := t.observeChunk(c); err != nil {
				batch.Done(false)
				return err
			}
			done(len(c.Block.Rows))
		}
		out := make([][]kafkalog.Row, len(batch.Chunks))
		t.side(len(batch.Chunks), func(_, i int) { out[i] = t.render(batch.Chunks[i]) })
		b := sentBatch{batch, make(chan error, 1)}
		t.sink.Send(sending, slices.Concat(out...), func(err error) { b.err <- err })
		t.way <- b
	}
}

// side does n things side by side, one worker a core.
func (t *topicScoring) side(n int, do func(worker, i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for worker := range min(n, runtime.GOMAXPROCS(0)) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(worker, i)
			}
		}()
	}
	workers.Wait()
}

// observeChunk counts a chunk's rows in the windows of its partition.
func (t *topicScoring) observeChunk(c *kafkalog.Chunk) error {
	if c.Part.State == nil {
		lake, err := t.newLake(hostsOfPartition(t.reader.Partitions()))
		if err != nil {
			return err
		}
		c.Part.State = lake
	}
	t.lake, t.file = c.Part.State.(*lake), c.Part.Name()
	if c.Replay {
		return t.observeAgain(c)
	}
	if err := t.observe(&c.Block); err != nil {
		return err
	}
	if t.reader.Partitions() > 1 {
		t.oneOwner(c)
	}
	return nil
}

// hostsOfPartition returns how many hosts are kept for each partition of a topic:
// twice its share, as shares differ.
func hostsOfPartition(partitions int) int {
	return min(model.DefaultHosts, max(2*model.DefaultHosts/partitions, leastHosts))
}

const leastHosts = 4096

// observeAgain counts rows that were scored before.
func (t *topicScoring) observeAgain(c *kafkalog.Chunk) error {
	at := blockRow{blk: &c.Block}
	var record stream.Conn
	for i := range c.Block.Rows {
		at.row = &c.Block.Rows[i]
		if !usable(at.row) {
			continue
		}
		if err := t.lake.observe(record.Of(&at.row.Conn), &at); err != nil {
			return &zeeklog.Error{File: t.file, Line: at.row.Line, Err: err}
		}
	}
	return nil
}

// oneOwner warns where rows of an originator lie in several partitions.
func (t *topicScoring) oneOwner(c *kafkalog.Chunk) {
	for i := range c.Block.Rows {
		row := &c.Block.Rows[i]
		if row.Err != nil || t.warned {
			continue
		}
		host := row.Conn.Orig.Addr()
		owner, known := t.owners[host]
		switch {
		case !known && len(t.owners) < maxOwners:
			t.owners[host] = c.Part.Number
		case known && owner != c.Part.Number:
			t.warned = true
			t.sayWarning(fmt.Errorf("rows of %v lie in the partitions %d and %d: their key is not the originator, and scores lack what it did in the other", host, owner, c.Part.Number))
		}
	}
}

// render scores a chunk's rows.
func (t *topicScoring) render(c *kafkalog.Chunk) []kafkalog.Row {
	if c.Replay {
		return nil
	}
	text := t.scoring.render(t.add, nil, &c.Block)
	t.rows.Add(uint64(c.Block.State.(*scoredBlock).batch.Len()))
	return c.Rows(text)
}
