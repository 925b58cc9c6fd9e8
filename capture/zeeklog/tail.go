package zeeklog

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// ErrIdle says that there is nothing new in a followed log at the moment.
var ErrIdle = errors.New("nothing new in the log")

// startBytes is how much of a log's beginning identifies it: Zeek's header has
// some 700 bytes, so rows and their uids are among it.
const startBytes = 4096

// doneFiles is how many files that were read to their end are remembered.
const doneFiles = 8

// FileID identifies a log by its place on disk and by its first bytes: a
// rotated log keeps the former until it is compressed or moved to another disk,
// and the latter for ever.
type FileID struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Length int    `json:"length"` // of the beginning that Start is of
	Start  string `json:"start"`  // SHA-256 of it, hexadecimal
}

// Position says how far a log was read. Reading on from it gives each row of
// the log once.
type Position struct {
	File   FileID   `json:"file"`
	Offset int64    `json:"offset"`         // of the first byte not yet read, decompressed
	Line   int      `json:"line"`           // that begins there, 1-based
	Header string   `json:"header"`         // the header lines that hold there
	Rows   bool     `json:"rows"`           // whether the file had any row up to there
	Done   []FileID `json:"done,omitempty"` // files read to their end before this one
	Since  int64    `json:"since"`          // rotated files written before it have been read, nanoseconds since 1970
}

// Tail follows a log that Zeek writes: through rotation, truncation and
// replacement, each row once. It is not safe for concurrent use.
//
// Rotation is seen when another file stands under the log's name. The old one
// is then read to its end, then those that were rotated away in between, then
// the new one.
type Tail struct {
	warn    func(error)
	path    string
	archive func() []string
	open    func(path string) (io.ReadCloser, error)

	source  *source
	waiting []*source // rotated, to be read before path
	parser  *Parser
	done    []FileID
	lastMod int64
	started bool
	stale   bool // the last look for rotated files was before the last one was read
}

// Follow follows the log at path from a position, or from its beginning when
// from is nil. archive lists the files that may be rotated parts of the log, in
// any order; open opens one of them and decompresses it. warn is told of files
// that cannot be read and of rows that are lost.
func Follow(path string, from *Position, warn func(error), archive func() []string, open func(path string) (io.ReadCloser, error)) *Tail {
	t := &Tail{warn: warn, path: path, archive: archive, open: open, parser: NewParser()}
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
			return ErrIdle
		}
		s := t.source
		err := s.next(blk)
		switch {
		case err == nil:
			t.parser.Parse(blk)
			s.took(blk)
			return nil
		case errors.Is(err, ErrIdle):
			if !t.gone(s) {
				return ErrIdle
			}
		case err != io.EOF:
			t.warn(err)
			s.broken = true // until another file takes its place
			if s.follow {
				continue
			}
		}
		t.finish(s)
	}
}

// Position is where the next block begins.
func (t *Tail) Position() Position {
	p := Position{Done: slices.Clone(t.done), Since: t.lastMod}
	if s := t.source; s != nil {
		s.identify()
		p.File, p.Offset, p.Line, p.Header, p.Rows = s.id, s.offset, s.line, s.header, s.rows
	}
	return p
}

// Close closes the files.
func (t *Tail) Close() {
	for _, s := range append(t.waiting, t.source) {
		if s != nil {
			s.file.Close()
		}
	}
	t.waiting, t.source = nil, nil
}

// advance opens the next file and reports whether there is one.
func (t *Tail) advance() bool {
	if len(t.waiting) == 0 && t.stale {
		t.queue(t.lastMod) // rotated while others were read
		t.stale = false
	}
	if len(t.waiting) > 0 {
		t.source, t.waiting, t.stale = t.waiting[0], t.waiting[1:], true
		return true
	}
	f, err := os.Open(t.path)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !t.started {
			t.warn(err)
		}
		t.started = true
		return false
	}
	t.started = true
	t.source = newSource(t.path, f, true)
	return true
}

// gone reports whether a followed file, read to its end, is not the log any
// more. The first time it notices, it gives the writer one more turn.
func (t *Tail) gone(s *source) bool {
	if s.leaving {
		return true
	}
	info, err := os.Stat(t.path)
	if err != nil {
		return false // between two files
	}
	switch {
	case !os.SameFile(info, s.info):
		s.leaving = true
	case info.Size() < s.readTo || s.rewritten(info):
		// Copied and truncated: what was written before the copy is in it.
		at := t.Position()
		if rest := t.find(at.File, at.Offset, true); rest != nil {
			rest.from(&at)
			t.waiting = append(t.waiting, rest)
		} else if !s.broken {
			t.warn(fmt.Errorf("%s: truncated after line %d, and no copy of it is found: rows written just before may be lost", s.name, s.line-1))
		}
		return true
	}
	return false
}

// finish leaves a file that was read to its end and finds what was rotated
// after it.
func (t *Tail) finish(s *source) {
	s.identify()
	since := t.lastMod
	t.remember(s)
	s.file.Close()
	t.source = nil
	if s.follow {
		t.queue(since)
	}
}

func (t *Tail) remember(s *source) {
	id := s.id
	if !s.rows {
		id.Start, id.Length = "", 0 // a header alone identifies no file
	}
	t.done = append(t.done, id)
	if len(t.done) > doneFiles {
		t.done = t.done[len(t.done)-doneFiles:]
	}
	t.lastMod = max(t.lastMod, s.modified())
}

// source is one file being read.
type source struct {
	name   string
	file   io.ReadCloser
	info   fs.FileInfo // nil for what is decompressed
	follow bool        // it is the log itself, to which more is written
	blocks *Blocks

	header string // the header lines in force
	skip   int64  // bytes of header put before the file's own
	offset int64  // of the next block
	line   int
	rows   bool
	readTo int64 // bytes read from the file
	layout *layout

	id      FileID
	start   []byte // the file's beginning, while it is read from there
	seen    int64  // mtime at the last look
	leaving bool
	broken  bool
}

func newSource(name string, f io.ReadCloser, follow bool) *source {
	s := &source{name: name, file: f, follow: follow, line: 1}
	if file, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
		s.info, _ = file.Stat()
		s.id.Device, s.id.Inode = inode(s.info)
		s.seen = s.modified()
	}
	s.blocks = NewBlocks(s, name)
	return s
}

// from continues at a position in the file, at which it stands already.
func (s *source) from(p *Position) {
	s.header, s.skip, s.offset, s.line, s.rows = p.Header, int64(len(p.Header)), p.Offset, p.Line, p.Rows
	s.readTo, s.id.Length, s.id.Start = p.Offset, p.File.Length, p.File.Start
	s.blocks = NewBlocks(io.MultiReader(strings.NewReader(p.Header), s), s.name)
	s.blocks.line = p.Line - strings.Count(p.Header, "\n")
}

// Read reads the file, as Blocks wants it.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	if s.readTo == int64(len(s.start)) && len(s.start) < startBytes {
		s.start = append(s.start, p[:min(n, startBytes-len(s.start))]...)
	}
	s.readTo += int64(n)
	if n > 0 {
		return n, nil
	}
	if err == io.EOF && s.follow && !s.leaving {
		err = ErrIdle
	}
	return 0, err
}

func (s *source) next(blk *Block) error {
	if s.broken {
		return ErrIdle
	}
	err := s.blocks.Next(blk)
	if errors.Is(err, ErrIdle) {
		s.blocks.err = nil // more may come
	}
	return err
}

// took counts a block that was read.
func (s *source) took(blk *Block) {
	n := int64(len(blk.text))
	skipped := min(n, s.skip)
	s.skip -= skipped
	s.offset += n - skipped
	s.line = blk.line + strings.Count(blk.text, "\n")
	s.rows = s.rows || len(blk.Rows) > 0
	if skipped == 0 && blk.layout != s.layout && blk.head > 0 {
		if head := blk.text[:blk.head]; strings.Contains(head, "#separator") || s.header == "" {
			s.header = head
		} else {
			s.header += head
		}
	}
	s.layout = blk.layout
}

// modified is when the file was last written, in nanoseconds since 1970.
func (s *source) modified() int64 {
	if f, ok := s.file.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			return info.ModTime().UnixNano()
		}
	}
	if s.info != nil {
		return s.info.ModTime().UnixNano()
	}
	return 0
}

// identify takes the fingerprint of as much of the file's beginning as was read.
func (s *source) identify() {
	want := int(min(s.offset, startBytes))
	if want <= s.id.Length {
		return
	}
	start := s.start
	if f, ok := s.file.(io.ReaderAt); ok && len(start) < want {
		start = make([]byte, want)
		if _, err := f.ReadAt(start, 0); err != nil {
			return
		}
	}
	if len(start) >= want {
		s.id.Length, s.id.Start = want, fingerprint(start[:want])
	}
}

// rewritten reports whether the file begins otherwise than it did: truncated,
// and longer again than it was.
func (s *source) rewritten(info fs.FileInfo) bool {
	if now := info.ModTime().UnixNano(); now == s.seen {
		return false
	} else {
		s.seen = now
	}
	f, ok := s.file.(io.ReaderAt)
	if !ok || s.id.Length == 0 {
		s.identify()
		return false
	}
	start := make([]byte, s.id.Length)
	_, err := f.ReadAt(start, 0)
	return err == io.EOF || err == nil && fingerprint(start) != s.id.Start
}

func fingerprint(start []byte) string {
	sum := sha256.Sum256(start)
	return hex.EncodeToString(sum[:])
}
