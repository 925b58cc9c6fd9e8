package alert

import "github.com/zeek-iforest/zeek-iforest/capture/zeeklog"

// Source is where a Watcher's rows come from.
type Source interface {
	// Next reads and parses the next block; zeeklog.ErrIdle says that there is
	// none now. If windows are kept for a part of the rows, blk.State is that
	// part's *feature.Hosts.
	Next(blk *zeeklog.Block) error

	// Place is where the next block begins.
	Place() Place

	// Left says that no alert of the rows before these offsets waits any more.
	Left(offsets map[int32]int64)

	Close()
}

// Place says how far a source was read.
type Place struct {
	Position *zeeklog.Position `json:"position,omitempty"` // in a file
	Offsets  map[int32]int64   `json:"offsets,omitempty"`  // in a topic's partitions; not changed once it is made

	Logs map[string]LogPlace `json:"logs,omitempty"` // in several logs, by their paths
}

// fileSource is a log that is followed.
type fileSource struct{ *zeeklog.Tail }

func (f fileSource) Place() Place {
	at := f.Position()
	return Place{Position: &at}
}

func (f fileSource) Left(map[int32]int64) {}

// feed is a Source, or several logs together.
type feed interface {
	// read reads what take needs; ErrIdle says that there is nothing now. The watcher
	// is not locked.
	read() error
	// take hands rows to the watcher, which is locked.
	take(*Watcher) error
	Place() Place
	Left(offsets map[int32]int64)
	Close()
}

// blocks is the feed of a Source.
type blocks struct {
	Source
	blk zeeklog.Block
}

func (b *blocks) read() error { return b.Next(&b.blk) }

func (b *blocks) take(w *Watcher) error {
	if w.Model == nil && len(b.blk.Rows) > 0 && w.counts.Rows == 0 && !b.blk.HasColumn("anomaly_score") {
		return ErrNoScores
	}
	w.block(&b.blk)
	return nil
}
