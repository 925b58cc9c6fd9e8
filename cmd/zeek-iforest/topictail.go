package main

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/alert"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// topicTail is a topic as watch follows it.
type topicTail struct {
	ctx     context.Context
	reader  *kafkalog.Reader
	warn    func(error)
	scores  bool // rows are scored here, so windows are kept
	parser  *zeeklog.Parser
	names   *zeeklog.Names
	chunks  []*kafkalog.Chunk // read, not yet given
	offsets map[int32]int64
}

// watchTopic follows a topic from where the state or the group ended.
func (s *session) watchTopic(w *alert.Watcher, url, state string) error {
	t, err := kafkalog.ParseURL(url, alert.Secret)
	switch {
	case err != nil:
		return err
	case t.Group == "":
		return hinted(errors.New("no group to keep the offsets in"), t.Address()+"?group=NAME names one")
	case t.ToEnd:
		return errors.New("until=end means nothing with watch")
	}
	name := t.Address() + "?group=" + t.Group
	if state, err = stateDir(state, name); err != nil {
		return err
	}
	s.say("watching %s, state in %s", name, state)
	return w.RunFrom(s, state, name, func(from alert.Place) (alert.Source, error) {
		if w.Model == nil {
			t.Rewind = 0
		}
		r, err := kafkalog.NewReader(s, t, kafkalog.Config{Since: from.Offsets, Warn: w.Warn})
		if err != nil {
			return nil, err
		}
		return &topicTail{ctx: s, reader: r, warn: w.Warn, scores: w.Model != nil, parser: zeeklog.NewParser(), names: s.names, offsets: maps.Clone(from.Offsets)}, nil
	})
}

// idleAfter is how long Next waits for rows.
const idleAfter = 100 * time.Millisecond

func (t *topicTail) Next(blk *zeeklog.Block) error {
	for {
		if len(t.chunks) == 0 {
			ctx, cancel := context.WithTimeout(t.ctx, idleAfter)
			batch, err := t.reader.Next(ctx)
			idle := ctx.Err() != nil
			cancel()
			switch {
			case err != nil && idle:
				return zeeklog.ErrIdle
			case err != nil:
				return err
			}
			t.chunks = batch.Chunks
			batch.Done(false) // Left says when
		}
		c := t.chunks[0]
		t.chunks = t.chunks[1:]
		hosts := t.hosts(c.Part)
		c.Parse(t.parser, t.names)
		t.passed(c)
		if !c.Replay {
			*blk = c.Block
			blk.State = hosts
			return nil
		}
		record := stream.Conn{Hosts: hosts}
		for i := range c.Block.Rows {
			if row := &c.Block.Rows[i]; row.Err == nil {
				row.Err = stream.Observe(record.Of(&row.Conn))
			}
		}
	}
}

// passed remembers that a chunk has been given; a snapshot of before stays.
func (t *topicTail) passed(c *kafkalog.Chunk) {
	if c.Replay {
		return
	}
	next := maps.Clone(t.offsets)
	if next == nil {
		next = map[int32]int64{}
	}
	next[c.Part.Number] = c.Next
	t.offsets = next
	t.reader.Keep(c.Part.Number, c.Next)
}

// hosts returns what the hosts of a partition did, or nil if nothing is scored.
func (t *topicTail) hosts(p *kafkalog.Part) *feature.Hosts {
	if p.State == nil && t.scores {
		if t.reader.Partitions() > 1 {
			p.State = feature.NewPartition(hostsOfPartition(t.reader.Partitions()))
		} else {
			p.State = feature.NewHosts(model.DefaultHosts)
		}
	}
	hosts, _ := p.State.(*feature.Hosts)
	return hosts
}

func (t *topicTail) Place() alert.Place { return alert.Place{Offsets: t.offsets} }

func (t *topicTail) Left(offsets map[int32]int64) { t.reader.Left(offsets) }

func (t *topicTail) Close() {
	if err := t.reader.Close(); err != nil {
		t.warn(err)
	}
}
