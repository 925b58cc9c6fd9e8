package alert

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Followed is one of several logs that are watched together.
type Followed struct {
	Path  string       // where it is, and what it is known by in the state
	Rows  Rows         // nil for conn.log
	Model *model.Model // for rows without a score, or nil
}

// reading is a log whose rows are taken.
type reading struct {
	path   string // of several logs: where it is
	rows   Rows   // nil for conn.log
	model  *model.Model
	stream stream.Stream
	hosts  *feature.Hosts // of conn.log, where the source has none apart
}

func (f *Followed) reading() *reading {
	r := newReading(f.Rows, f.Model)
	r.path = f.Path
	return r
}

func newReading(rows Rows, m *model.Model) *reading {
	r := &reading{rows: rows, model: m, stream: stream.Stream{Model: m}}
	if m != nil && rows == nil {
		r.hosts = feature.NewHosts(model.DefaultHosts)
	}
	return r
}

// logBlocks are the blocks of a log: a Tail, or files.
type logBlocks interface {
	Next(*zeeklog.Block) error // and parses it; ErrIdle or io.EOF: there is none now
	Position() zeeklog.Position
	Close()
}

// merged reads several logs together, each row once, in the order of their times
// as far as the logs have been written. It is a feed.
type merged struct{ logs []*mergedLog }

type mergedLog struct {
	Followed
	*reading
	zeeklog.Clock
	blocks logBlocks
	blk    zeeklog.Block
	at     int              // of its rows, the next
	before zeeklog.Position // where the block begins
	skip   int              // rows that were seen to before this began
	idle   bool
	looked bool // its first rows have been looked at
}

// LogPlace says how far one of several logs was read.
type LogPlace struct {
	zeeklog.Position
	Seen int `json:"seen,omitempty"` // rows behind the position that were seen to
}

// Fill reads the log's next block where its rows have all been taken, and reports
// whether it has a row.
func (l *mergedLog) Fill() (bool, error) {
	for l.at == len(l.blk.Rows) {
		if l.idle {
			return false, nil
		}
		l.before = l.blocks.Position()
		err := l.blocks.Next(&l.blk)
		if errors.Is(err, zeeklog.ErrIdle) || err == io.EOF {
			l.blk.Rows, l.at, l.idle = l.blk.Rows[:0], 0, true
			return false, nil
		} else if err != nil {
			return false, err
		}
		l.at = min(l.skip, len(l.blk.Rows))
		l.skip -= l.at
		if !l.looked && len(l.blk.Rows) > 0 {
			if l.looked = true; l.model == nil && !l.blk.HasColumn("anomaly_score") {
				return false, fmt.Errorf("%s: %w", l.Path, ErrNoScores)
			}
		}
		if l.at < len(l.blk.Rows) {
			l.setTime()
		}
	}
	return true, nil
}

// setTime finds the time of the next row.
func (l *mergedLog) setTime() {
	row := &l.blk.Rows[l.at]
	switch {
	case row.Err != nil:
	case l.rows == nil:
		l.Conn(&row.Conn)
	default:
		l.Fields(l.blk.Fields(l.at))
	}
}

// next returns the log with the earliest row that was not taken, or nil if there is
// none now.
func (m *merged) next() (*mergedLog, error) {
	first, ok, err := zeeklog.Earliest(m.logs)
	if err == nil && !ok {
		for _, l := range m.logs {
			l.idle = false
		}
	}
	return first, err
}

// took goes on to the log's next row.
func (l *mergedLog) took() {
	if l.at++; l.at < len(l.blk.Rows) {
		l.setTime()
	}
}

// Place returns how far each log was read.
func (m *merged) Place() Place {
	p := Place{Logs: map[string]LogPlace{}}
	for _, l := range m.logs {
		if l.at < len(l.blk.Rows) {
			p.Logs[l.Path] = LogPlace{l.before, l.at}
		} else {
			p.Logs[l.Path] = LogPlace{l.blocks.Position(), l.skip}
		}
	}
	return p
}

// Left does nothing: files need not be told.
func (m *merged) Left(map[int32]int64) {}

// Close closes the logs.
func (m *merged) Close() {
	for _, l := range m.logs {
		l.blocks.Close()
	}
}

// read reads the next block of each log whose rows have all been taken.
func (m *merged) read() error {
	first, err := m.next()
	if err == nil && first == nil {
		return zeeklog.ErrIdle
	}
	return err
}

// mergedRows is how many rows are taken before the state is looked after.
const mergedRows = 1024

// take takes some rows, up to the last of a block.
func (m *merged) take(w *Watcher) error {
	for range mergedRows {
		l, err := m.next()
		if l == nil || err != nil {
			return err
		}
		w.reading = l.reading
		w.oneRow(&l.blk, l.at)
		l.took()
		w.seen()
		if l.at == len(l.blk.Rows) {
			return nil
		}
	}
	return nil
}

// RunLogs is Run for several logs that share the budget; name is what they are
// known by in the state.
func (w *Watcher) RunLogs(ctx context.Context, dir, name string, logs []Followed, follow func(i int, from *zeeklog.Position) *zeeklog.Tail) error {
	w.cases = stream.NewCases()
	return w.run(ctx, dir, name, func(from Place) (feed, error) {
		m := &merged{}
		for i, of := range logs {
			l := &mergedLog{Followed: of, reading: of.reading()}
			var at *zeeklog.Position
			if place, known := from.Logs[of.Path]; known {
				at, l.skip = &place.Position, place.Seen
			}
			l.blocks = tailBlocks{follow(i, at)}
			m.logs = append(m.logs, l)
		}
		return m, nil
	})
}

// tailBlocks are the blocks of a log that is followed.
type tailBlocks struct{ *zeeklog.Tail }

// DryRunLogs is DryRun for several logs, of which open opens one file after the
// other and returns io.EOF behind the last.
func (w *Watcher) DryRunLogs(ctx context.Context, logs []Followed, names func(i int) *zeeklog.Names, open func(i int) (io.ReadCloser, string, error), each func(*Alert)) error {
	if err := w.allow.read(); err != nil {
		return err
	}
	m := &merged{}
	w.cases = stream.NewCases()
	defer m.Close()
	for i, of := range logs {
		files := &fileBlocks{names: names(i), parser: zeeklog.NewParser(), open: func() (io.ReadCloser, string, error) { return open(i) }}
		m.logs = append(m.logs, &mergedLog{Followed: of, reading: of.reading(), blocks: files})
	}
	for ctx.Err() == nil {
		err := m.read()
		if errors.Is(err, zeeklog.ErrIdle) {
			return nil
		} else if err == nil {
			err = m.take(w)
		}
		w.flush(each)
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// fileBlocks are the blocks of files, one after the other.
type fileBlocks struct {
	names  *zeeklog.Names
	parser *zeeklog.Parser
	open   func() (io.ReadCloser, string, error)
	file   io.ReadCloser
	blocks *zeeklog.Blocks
}

func (f *fileBlocks) Next(blk *zeeklog.Block) error {
	for {
		if f.file == nil {
			file, name, err := f.open()
			if err != nil {
				return err
			}
			f.file, f.blocks = file, zeeklog.NewBlocks(file, name).Named(f.names)
		}
		err := f.blocks.Next(blk)
		if err != io.EOF {
			if err == nil {
				f.parser.Parse(blk)
			}
			return err
		}
		f.Close()
	}
}

func (f *fileBlocks) Position() zeeklog.Position { return zeeklog.Position{} }

func (f *fileBlocks) Close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}
