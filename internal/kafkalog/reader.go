package kafkalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Part is a partition that is being read.
type Part struct {
	Number int32
	State  any // the caller's: what the hosts of the partition did. It begins anew with the part

	topic     string
	committed int64 // the group's offset at the start
	live      int64 // the first one that was not given before
	next      int64 // after the last one given now
}

// Name returns the partition's in messages.
func (p *Part) Name() string { return fmt.Sprintf("%s[%d]", p.topic, p.Number) }

// Config is what a Reader needs to know.
type Config struct {
	Since map[int32]int64 // offsets up to which rows were given, where it is more than the group's
	Warn  func(error)
}

// Reader reads a topic: as one of a group, or all of it. Next and Close are for
// one goroutine.
type Reader struct {
	Config
	topic  *Topic
	client *kgo.Client
	begun  chan struct{} // closed once there is a client
	count  int           // partitions of the topic

	mu      sync.Mutex
	changed sync.Cond
	parts   map[int32]*Part
	given   bool            // there was an assignment
	ends    map[int32]int64 // with ToEnd
	busy    int             // batches that are not done
	others  map[string]uint64
	keyless bool            // a row had no key
	kept    map[int32]int64 // the offsets before which rows are not given again
	left    map[int32]int64 // the offsets before which rows have left
	mark    map[int32]int64 // of these, those that the group does not know
}

const (
	sessionTimeout = 10 * time.Second // after which a dead reader's partitions go to others
	commitEvery    = time.Second
	metadataWait   = 30 * time.Second
	drainWait      = 20 * time.Second // for rows on their way, when partitions go to others
	maxFetch       = 16 << 20         // bytes that are read ahead of Next
	pollRows       = 16 * chunkRows
)

// NewReader begins to read.
func NewReader(ctx context.Context, t *Topic, c Config) (*Reader, error) {
	r := &Reader{Config: c, topic: t, parts: map[int32]*Part{}, others: map[string]uint64{}, kept: maps.Clone(c.Since), left: map[int32]int64{}, mark: map[int32]int64{}, begun: make(chan struct{})}
	r.changed.L = &r.mu
	if r.kept == nil {
		r.kept = map[int32]int64{}
	}
	o := append(t.options(),
		kgo.FetchMaxBytes(maxFetch),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // the last record of a transaction is none of its rows
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if t.Group != "" {
		o = append(o,
			kgo.ConsumerGroup(t.Group), kgo.ConsumeTopics(t.Name), kgo.BlockRebalanceOnPoll(),
			kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(sessionTimeout/4),
			kgo.AutoCommitMarks(), kgo.AutoCommitInterval(commitEvery),
			kgo.AdjustFetchOffsetsFn(r.assigned),
			kgo.OnPartitionsRevoked(func(ctx context.Context, c *kgo.Client, lost map[string][]int32) { r.revoked(ctx, c, lost, true) }),
			kgo.OnPartitionsLost(func(ctx context.Context, c *kgo.Client, lost map[string][]int32) { r.revoked(ctx, c, lost, false) }),
		)
	}
	// The number of partitions and their ends are asked for before reading begins.
	asking, err := kgo.NewClient(t.options()...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Address(), err)
	}
	defer asking.Close()
	numbers, err := partitions(ctx, asking, t)
	if err != nil {
		return nil, err
	}
	r.count = len(numbers)
	starts, ends, err := r.bounds(ctx, kadm.NewClient(asking))
	if err != nil {
		return nil, err
	}
	if t.ToEnd {
		r.ends = ends
	}
	if t.Group == "" {
		from := map[int32]kgo.Offset{}
		for _, n := range numbers {
			from[n] = kgo.NewOffset().At(starts[n])
			r.parts[n] = r.part(n, starts[n], starts[n])
		}
		r.given = true
		o = append(o, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{t.Name: from}))
	}
	if r.client, err = kgo.NewClient(o...); err != nil {
		return nil, fmt.Errorf("%s: %w", t.Address(), err)
	}
	close(r.begun)
	return r, nil
}

// partitions returns those of a topic that exists.
func partitions(ctx context.Context, client *kgo.Client, t *Topic) ([]int32, error) {
	ctx, cancel := context.WithTimeout(ctx, metadataWait)
	defer cancel()
	topics, err := kadm.NewClient(client).ListTopics(ctx, t.Name)
	if err == nil {
		err = topics[t.Name].Err
	}
	if errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, fmt.Errorf("%s: there is no topic %s: make it with kafka-topics.sh --create", t.Address(), t.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Address(), err)
	}
	return topics[t.Name].Partitions.Numbers(), nil
}

// bounds returns the offsets of the first rows and those after the last ones.
func (r *Reader) bounds(ctx context.Context, admin *kadm.Client) (starts, ends map[int32]int64, err error) {
	starts, ends = map[int32]int64{}, map[int32]int64{}
	for _, list := range []struct {
		to  map[int32]int64
		get func(context.Context, ...string) (kadm.ListedOffsets, error)
	}{{starts, admin.ListStartOffsets}, {ends, admin.ListCommittedOffsets}} {
		offsets, err := list.get(ctx, r.topic.Name)
		if err == nil {
			err = offsets.Error()
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: offsets: %w", r.topic.Address(), err)
		}
		offsets.Each(func(o kadm.ListedOffset) { list.to[o.Partition] = o.Offset })
	}
	return starts, ends, nil
}

func (r *Reader) part(n int32, from, live int64) *Part {
	return &Part{Number: n, topic: r.topic.Name, live: live, next: from}
}

// assigned decides where reading of partitions begins: some rows before those
// that were not given yet.
func (r *Reader) assigned(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	select {
	case <-r.begun: // the group may give partitions before NewClient has returned
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	starts, ends, err := r.bounds(ctx, kadm.NewClient(r.client))
	if err != nil {
		return nil, err
	}
	// Partitions that were lost, as the broker was away, may come back while rows
	// of them are on their way.
	arriving, cancel := context.WithTimeout(ctx, drainWait)
	defer cancel()
	r.drain(arriving)
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, offset := range offsets[r.topic.Name] {
		start, committed := starts[n], offset.EpochOffset().Offset
		live := committed
		if left := r.left[n]; left > live && left <= ends[n] {
			r.mark[n] = left
		}
		live = max(live, r.left[n], r.kept[n])
		switch {
		case live > ends[n]:
			r.Warn(fmt.Errorf("%s[%d]: rows up to %d were read, but there are only %d: the topic was made anew; it is read from its beginning", r.topic.Name, n, live, ends[n]))
			live = start
		case live < start:
			if live > 0 {
				r.Warn(fmt.Errorf("%s[%d]: rows %d to %d were deleted before they were read", r.topic.Name, n, live, start-1))
			}
			live = start
		}
		from := start
		if r.topic.Rewind < live-start {
			from = live - r.topic.Rewind
		}
		r.parts[n] = r.part(n, from, live)
		r.parts[n].committed = committed
		offsets[r.topic.Name][n] = kgo.NewOffset().At(from)
	}
	r.given = true
	return offsets, nil
}

// revoked waits until what is on its way has left, so that the next reader does
// not repeat it.
func (r *Reader) revoked(ctx context.Context, client *kgo.Client, lost map[string][]int32, commit bool) {
	ctx, cancel := context.WithTimeout(ctx, drainWait)
	defer cancel()
	if commit {
		r.drain(ctx)
		if err := client.CommitMarkedOffsets(ctx); err != nil {
			r.Warn(fmt.Errorf("%s: offsets are not committed, rows may be read twice: %w", r.topic.Address(), err))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range lost[r.topic.Name] {
		delete(r.parts, n)
	}
}

// drain waits until no batch is on its way.
func (r *Reader) drain(ctx context.Context) {
	defer context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.changed.Broadcast()
	})()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.busy > 0 && ctx.Err() == nil {
		r.changed.Wait()
	}
}

// Partitions returns how many the topic has.
func (r *Reader) Partitions() int { return r.count }

// Batch is what Next gives.
type Batch struct {
	Chunks []*Chunk
	reader *Reader
}

// Next returns the next rows: io.EOF after the last with ToEnd, the context's
// error when that ends. Done must be called for each batch.
func (r *Reader) Next(ctx context.Context) (*Batch, error) {
	for {
		r.client.AllowRebalance()
		if r.atEnd() {
			return nil, io.EOF
		}
		fetches := r.poll(ctx)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.faults(fetches); err != nil {
			return nil, err
		}
		b := &Batch{reader: r}
		r.mu.Lock()
		r.commit(r.mark)
		clear(r.mark)
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			if part := r.parts[p.Partition]; part != nil {
				b.Chunks = append(b.Chunks, r.chunks(part, p.Records)...)
			}
		})
		if r.keyless && r.count > 1 {
			r.mu.Unlock()
			return nil, fmt.Errorf("%s: rows without key in %d partitions: those of an originator must lie in one, so write them with its address as key, or into one partition", r.topic.Address(), r.count)
		}
		if len(b.Chunks) > 0 {
			r.busy++
			r.mu.Unlock()
			return b, nil
		}
		r.mu.Unlock()
	}
}

// poll waits for rows, not for long: there is more to do than to read.
func (r *Reader) poll(ctx context.Context) kgo.Fetches {
	ctx, cancel := context.WithTimeout(ctx, commitEvery/4)
	defer cancel()
	return r.client.PollRecords(ctx, pollRows)
}

// faults tells of what went wrong: what the client tries again is a warning.
func (r *Reader) faults(fetches kgo.Fetches) error {
	for _, f := range fetches.Errors() {
		var loss *kgo.ErrDataLoss
		var session *kgo.ErrGroupSession
		switch {
		case errors.Is(f.Err, context.DeadlineExceeded), errors.Is(f.Err, context.Canceled):
		case errors.As(f.Err, &loss), errors.As(f.Err, &session), kerr.IsRetriable(f.Err):
			r.Warn(fmt.Errorf("%s: %w", r.topic.Address(), f.Err))
		default:
			return fmt.Errorf("%s: %w", r.topic.Address(), f.Err)
		}
	}
	return nil
}

// atEnd reports whether all that was there at the start has been given.
func (r *Reader) atEnd() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.topic.ToEnd || !r.given {
		return false
	}
	for n, p := range r.parts {
		if max(p.next, p.live) < r.ends[n] {
			return false
		}
	}
	return true
}

// chunks makes chunks of a partition's records.
func (r *Reader) chunks(part *Part, records []*kgo.Record) (chunks []*Chunk) {
	var c *Chunk
	for _, record := range records {
		end, bounded := r.ends[part.Number]
		if bounded && record.Offset >= end {
			break
		}
		part.next = record.Offset + 1
		replay := record.Offset < part.live
		if c == nil || c.Replay != replay || len(c.rows) == chunkRows {
			c = &Chunk{Part: part, Replay: replay}
			chunks = append(chunks, c)
		}
		if record.Attrs.IsControl() {
			c.Next = record.Offset + 1
			continue
		}
		if log := c.add(record); log != "" && !replay {
			r.others[log]++
		}
		r.keyless = r.keyless || len(record.Key) == 0
	}
	return chunks
}

// Done ends a batch. If its rows have left, they will not be given again.
func (b *Batch) Done(left bool) {
	r := b.reader
	if left {
		offsets := map[int32]int64{}
		for _, c := range b.Chunks {
			offsets[c.Part.Number] = c.Next
		}
		r.Left(offsets)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
	r.changed.Broadcast()
}

// Left says that the rows before these offsets have left: they are committed
// within a second.
func (r *Reader) Left(offsets map[int32]int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	news := map[int32]int64{}
	for n, offset := range offsets {
		r.left[n] = max(r.left[n], offset)
		if p := r.parts[n]; p != nil && offset > p.committed {
			news[n] = offset
		}
	}
	r.commit(news)
}

// Keep says that the caller keeps what came of the rows of a partition before
// the offset, so that they are not given again where they have not left yet.
func (r *Reader) Keep(partition int32, offset int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kept[partition] = max(r.kept[partition], offset)
}

// commit has offsets committed within a second, with mu held.
func (r *Reader) commit(offsets map[int32]int64) {
	if r.topic.Group == "" || len(offsets) == 0 {
		return
	}
	mark := map[int32]kgo.EpochOffset{}
	for n, offset := range offsets {
		mark[n] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	r.client.MarkCommitOffsets(map[string]map[int32]kgo.EpochOffset{r.topic.Name: mark})
}

// Others returns the rows of other logs that were left out, by log.
func (r *Reader) Others() (text string, n uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for name, rows := range r.others {
		names, n = append(names, name), n+rows
	}
	slices.Sort(names)
	return strings.Join(names, ", "), n
}

// Close commits what has left and leaves the group.
func (r *Reader) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainWait)
	defer cancel()
	r.client.AllowRebalance()
	var err error
	if r.topic.Group != "" {
		if err = r.client.CommitMarkedOffsets(ctx); err != nil {
			err = fmt.Errorf("%s: offsets are not committed, rows will be read twice: %w", r.topic.Address(), err)
		}
	}
	r.client.CloseAllowingRebalance()
	return err
}
