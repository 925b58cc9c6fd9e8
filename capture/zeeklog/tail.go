package zeeklog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// ErrIdle says that there is nothing new in a followed log at the moment.
var ErrIdle = errors.New("nothing new in the log")

// Log is a log that is followed.
type Log struct {
	Path    string
	Names   *Names                                   // of its columns, or nil if its header tells them
	Warn    func(error)                              // is told of files that cannot be read, and of rows that are lost or may come twice
	Archive func() []string                          // lists the files that may be rotated parts of the log, in any order
	Open    func(path string) (io.ReadCloser, error) // opens one of them that is compressed
}

// Tail follows a log that Zeek writes: through rotation, truncation and
// replacement, each row once. It is not safe for concurrent use.
//
// A file is known by what it begins with, so it may be renamed, moved, copied
// or compressed. Rotation is seen when another file stands under the log's
// name, or when the file there does not hold any more what was read of it. The
// old one is then read to its end, then those that were rotated away in
// between, then the new one.
type Tail struct {
	path    string
	names   *Names
	warn    func(error)
	archive func() []string
	open    func(path string) (io.ReadCloser, error)
	now     func() time.Time

	source  *source
	waiting []*source // to be read before path
	late    []*source // read to their end, their writers may not have noticed
	parser  *Parser
	header  string // in force where the last file ended
	at      FileID // where the log was on disk when it was opened; nothing behind a start
	done    []FileID
	owed    []FileID
	lastMod int64
	before  int64
	judged  map[string]judgement // files that are not to be looked at before they change
	said    string               // why the log cannot be opened
	stale   bool                 // the last look for rotated files was before the last one was read
	unripe  bool                 // a rotated file is still being written
	looks   int                  // at an idle log
}

// judgement is what was found out about a file.
type judgement struct {
	info fs.FileInfo
	err  error // to be said when nothing changes any more
}

// Follow follows the log from a position, or from its beginning when from is
// nil: then what was rotated before is left out.
func (l Log) Follow(from *Position) *Tail {
	t := &Tail{path: l.Path, names: l.Names, warn: l.Warn, archive: l.Archive, open: l.Open, now: time.Now, parser: NewParser(), judged: map[string]judgement{}}
	if from != nil {
		t.resume(from)
	} else {
		t.skipRotated()
	}
	return t
}

// Next reads and parses the next block. ErrIdle means that there is none now:
// call again after some time, 0.2 s for example. It looks for a rotation only
// when it returns ErrIdle, so that a file is given that much time to be
// completed after its name has gone.
func (t *Tail) Next(blk *Block) error {
	for {
		if t.source == nil && !t.advance() {
			if t.turn() {
				continue
			}
			return ErrIdle
		}
		s := t.source
		if s.follow && s.idle && t.emptied(s) {
			if s.changed {
				t.reopen(s)
				continue
			}
			s.changed = true // its writer has one more turn
			return ErrIdle
		}
		s.changed, s.idle = false, false
		err := s.next(blk)
		switch {
		case err == nil:
			t.parser.Parse(blk)
			s.took(blk)
			return nil
		case errors.Is(err, ErrIdle):
			if s.idle = true; s.follow && !t.gone(s) {
				if t.turn() {
					continue
				}
				return ErrIdle
			}
			if !s.final && s.complete() {
				s.final = true
				continue
			}
		case err != io.EOF:
			if s.follow || s.plain != nil || !t.retry(s, err) {
				t.warn(err)
			}
			if s.broken = true; s.follow { // until another file takes its place
				continue
			}
		}
		t.finish(s)
	}
}

// Position returns where the next block begins.
func (t *Tail) Position() Position {
	p := Position{Done: slices.Clone(t.done), Owed: slices.Clone(t.owed), Since: t.lastMod, Before: t.before, Header: t.header}
	if s := t.source; s != nil {
		s.identify()
		p.File, p.Offset, p.Line, p.Rows = s.id, s.offset, s.line, s.rows
		if s.rows || s.header != "" {
			p.Header = s.header
		}
		if s.drop > s.offset { // read anew, up to there without its rows
			p.Owed = append(p.Owed, t.id(s))
			p.File, p.Offset, p.Line, p.Rows, p.Header = FileID{}, 0, 1, false, t.header
		}
	}
	for _, s := range t.waiting {
		if s.rows || s.drop > 0 {
			p.Owed = append(p.Owed, t.id(s))
		}
	}
	return p
}

// id identifies a source and says how far it was read, by this Tail or before.
func (t *Tail) id(s *source) FileID {
	if s.offset < s.drop {
		return s.known
	}
	return *s.identify()
}

// Close closes the files.
func (t *Tail) Close() {
	for _, s := range append(append(t.waiting, t.late...), t.source) {
		if s != nil {
			s.file.Close()
		}
	}
	t.waiting, t.late, t.source = nil, nil, nil
}

// advance opens the next file and reports whether there is one.
func (t *Tail) advance() bool {
	if len(t.waiting) == 0 && t.stale {
		t.queue(false) // rotated while others were read
		t.stale = false
	}
	if len(t.waiting) > 0 {
		t.source, t.waiting, t.stale = t.waiting[0], t.waiting[1:], true
		return true
	}
	s, err := t.openLog()
	if err != nil {
		if text := err.Error(); !errors.Is(err, fs.ErrNotExist) && text != t.said {
			t.warn(err)
			t.said = text
		}
		return false
	}
	t.said = ""
	t.place(s)
	t.source, t.at = s, FileID{Device: s.id.Device, Inode: s.id.Inode}
	return true
}

func (t *Tail) openLog() (*source, error) {
	info, err := os.Stat(t.path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: it is not a regular file, and only those can be followed", t.path)
	}
	if err != nil {
		return nil, err
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, err
	}
	s := t.newSource(t.path, f)
	s.follow, s.carry = true, t.header
	s.same = t.at == (FileID{}) || s.id.Device == t.at.Device && s.id.Inode == t.at.Inode
	return s, nil
}

// emptied reports whether the file does not hold any more what was read of it.
func (t *Tail) emptied(s *source) bool { return !s.intact(s.stat()) }

// reopen leaves the content that was in the file before: it was copied, or
// moved to another file, and what was written before that is there.
func (t *Tail) reopen(s *source) {
	id := t.id(s)
	if s.rows {
		t.owe(id)
	}
	t.keepHeader(s)
	t.source = nil
	s.file.Close()
	t.queue(true)
	if s.rows && t.lost(id) {
		t.warn(fmt.Errorf("%s: emptied or written anew after line %d, and no copy of it is found: rows written just before may be lost", s.name, s.line-1))
	}
}

// gone reports whether a followed file, read to its end, is not the log any
// more. The first time it notices, it gives the writer one more turn.
func (t *Tail) gone(s *source) bool {
	if s.leaving {
		return true
	}
	info, err := os.Stat(t.path)
	if err == nil { // else between two files
		s.leaving = !os.SameFile(info, s.info)
	}
	return false
}

// finish leaves a file that was read to its end and finds what was rotated
// after it.
func (t *Tail) finish(s *source) {
	if !t.keepForLater(s) {
		s.file.Close()
	}
	t.keepHeader(s)
	t.remember(s)
	t.source = nil
	if s.follow {
		s.follow = false
		t.queue(false)
	}
}

func (t *Tail) keepHeader(s *source) {
	if s.header != "" {
		t.header = s.header
	}
}

// remember notes that a file was read.
func (t *Tail) remember(s *source) {
	if !s.left {
		s.left = true
		t.lastMod = max(t.lastMod, min(s.modified(), t.now().UnixNano()))
	}
	if !s.rows {
		return // nothing to read twice
	}
	id := *s.identify()
	t.done = slices.DeleteFunc(t.done, func(d FileID) bool { return d.First != "" && d.First == id.First && d.Hole == id.Hole })
	if t.done = append(t.done, id); len(t.done) > doneFiles {
		t.done = t.done[len(t.done)-doneFiles:]
	}
}

// lateLooks is how often a file that was read to its end is looked at for rows
// of a writer that has not noticed, when there is nothing else to do; lateFiles
// is how many such files stay open.
const (
	lateLooks = 300
	lateFiles = 4
)

// archiveLooks is after how many idle looks rotated files are looked for in any
// case: a log can be copied and emptied without a trace in the log itself.
const archiveLooks = 150

// keepForLater keeps a file open whose writer may not know that it was rotated.
func (t *Tail) keepForLater(s *source) bool {
	if s.plain == nil || s.broken || s.final {
		return false
	}
	if len(t.late) == lateFiles {
		t.close(0)
	}
	t.late, s.size = append(t.late, s), s.stat().Size()
	return true
}

// close closes a file that was kept; a last line without its end is then a row.
func (t *Tail) close(i int) {
	s := t.late[i]
	t.late = slices.Delete(t.late, i, i+1)
	if s.unfinished() == "" {
		s.file.Close()
		return
	}
	s.final = true
	t.waiting = append(t.waiting, s)
}

// lookLate lines up files again to which their writers have written late.
func (t *Tail) lookLate() {
	t.late = slices.DeleteFunc(t.late, func(s *source) bool {
		if s.stat().Size() <= s.size {
			return false
		}
		s.looks = 0
		t.waiting = append(t.waiting, s)
		return true
	})
}

// turn looks, when the log is idle, whether there is something else to read.
func (t *Tail) turn() bool {
	t.lookLate()
	for i := len(t.late) - 1; i >= 0; i-- {
		if t.late[i].looks++; t.late[i].looks > lateLooks {
			t.close(i)
		}
	}
	if t.looks++; t.unripe || t.looks%archiveLooks == 0 {
		t.queue(false)
	}
	if len(t.waiting) == 0 {
		return false
	}
	if t.source != nil {
		t.waiting = append(t.waiting, t.source) // it is the newest
		t.source = nil
	}
	return true
}

// retry reports whether a rotated file that cannot be read to its end is still
// being written; it is then read again when it has changed.
func (t *Tail) retry(s *source, err error) bool {
	info, _ := os.Stat(s.name)
	if info == nil || !t.fresh(info) {
		return false
	}
	if s.rows || s.drop > 0 {
		t.owe(t.id(s))
	}
	t.judged[s.name], t.unripe = judgement{s.info, err}, true
	s.rows = false // it is not done
	return true
}

// fresh reports whether a file may still be written to.
func (t *Tail) fresh(info fs.FileInfo) bool {
	age := t.now().Sub(info.ModTime())
	return -time.Minute < age && age < time.Minute
}

// complete reports whether the last line is a row although it has no end.
func (s *source) complete() bool {
	line := s.unfinished()
	if line == "" || s.broken {
		return false
	}
	blocks, blk := NewBlocks(strings.NewReader(headerText(s.header)+line+"\n"), "").Named(s.names), Block{}
	for {
		if err := blocks.Next(&blk); err != nil {
			return false
		}
		if NewParser().Parse(&blk); len(blk.Rows) > 0 {
			return blk.Rows[0].Err == nil
		}
	}
}
