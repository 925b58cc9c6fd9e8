package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/zeek-iforest/zeek-iforest/capture"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// captured reads the connections of a capture, a few batches ahead of whoever
// learns from them or scores them, so that the two share the work of two
// cores.
type captured struct {
	*session
	name  string
	keep  bool          // all batches, for again
	ahead chan *batch   // read, in order
	used  chan *batch   // may be filled again
	over  chan struct{} // closed: nothing more is wanted
	once  sync.Once

	batch *batch // the one being handed out
	place int    // in it
	kept  []*batch
}

// batch is some rows, and what the reader had counted by then.
type batch struct {
	rows  []conn.Conn
	err   error // behind the rows; io.EOF at the end
	stats capture.Stats
}

const batchRows = 512

func readAhead(s *session, reader *capture.Reader, name string) *captured {
	const batches = 4
	c := &captured{
		session: s, name: name, batch: &batch{},
		ahead: make(chan *batch, batches), used: make(chan *batch, batches), over: make(chan struct{}),
	}
	go func() {
		defer reader.Close()
		for {
			var b *batch
			select {
			case b = <-c.used:
			default:
				b = &batch{rows: make([]conn.Conn, 0, batchRows)}
			}
			b.fill(reader)
			select {
			case c.ahead <- b:
			case <-c.over:
				return
			}
			if b.err != nil {
				return
			}
		}
	}()
	return c
}

func (b *batch) fill(reader *capture.Reader) {
	b.rows = b.rows[:0]
	for len(b.rows) < batchRows {
		b.rows = b.rows[:len(b.rows)+1]
		if b.err = reader.Read(&b.rows[len(b.rows)-1]); b.err != nil {
			b.rows = b.rows[:len(b.rows)-1]
			break
		}
	}
	b.stats = reader.Stats()
}

// stop ends the reading ahead.
func (c *captured) stop() { c.once.Do(func() { close(c.over) }) }

// next is learn.Fit's. The row's slices are lent until the next call, or kept.
func (c *captured) next(row *conn.Conn) error {
	for c.place == len(c.batch.rows) {
		if _, err := c.rows(); err != nil {
			return err
		}
		c.place = 0
	}
	*row = c.batch.rows[c.place]
	c.place++
	return nil
}

// rows gives the next rows, at least one, lent until the next call or kept:
// damage in the file ends it like its end, counted as unusable.
func (c *captured) rows() ([]conn.Conn, error) {
	for {
		if err := c.batch.err; err != nil {
			if err != io.EOF {
				c.unused(fmt.Errorf("%s: %w", c.name, err))
				c.batch.err = io.EOF
			}
			return nil, io.EOF
		}
		if err := c.turn(); err != nil {
			return nil, err
		}
		if c.place = len(c.batch.rows); c.place > 0 {
			return c.batch.rows, nil
		}
	}
}

// turn takes the next batch.
func (c *captured) turn() error {
	if c.Err() != nil {
		return c.Err()
	}
	if c.keep {
		c.kept = append(c.kept, c.batch)
	} else if cap(c.batch.rows) > 0 {
		select {
		case c.used <- c.batch:
		default:
		}
	}
	select {
	case c.batch = <-c.ahead:
		return nil
	case <-c.Done():
		c.batch = &batch{}
		return c.Err()
	}
}

// again gives the rows that were kept once more.
func (c *captured) again() func() ([]conn.Conn, error) {
	all := append(c.kept, c.batch)
	c.kept = nil
	return func() ([]conn.Conn, error) {
		if len(all) == 0 {
			return nil, io.EOF
		}
		rows := all[0].rows
		all[0], all = nil, all[1:]
		return rows, nil
	}
}

// remark says what the reader's counters tell the user.
func (c *captured) remark() {
	stats := c.batch.stats
	if reasons := stats.LeftOut(); reasons != "" {
		tell := c.say
		if stats.Unusable() > 0 {
			tell = c.warn
		}
		tell("%s: left out of %s: %s", c.name, plural(stats.Packets, "packet"), reasons)
	}
	if stats.MostlyBadChecksums() && stats.Packets > 0 {
		c.warn("%s: %d of %d packets have wrong checksums and were left out, as Zeek does", c.name,
			stats.BadChecksums+stats.Skipped[capture.SkipIPChecksum], stats.Packets)
		c.say("hint: where the capturing host's network card computed them, -C takes the packets all the same")
	}
	for line := range strings.Lines(stats.Limits()) {
		c.warn("%s: %s", c.name, strings.TrimSuffix(line, "\n"))
	}
}
