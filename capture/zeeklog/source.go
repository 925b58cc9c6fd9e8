package zeeklog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// source is one file being read.
type source struct {
	name   string
	file   io.ReadCloser
	plain  io.ReaderAt   // the same, nil for what is decompressed
	stream *bufio.Reader // of what is decompressed
	info   fs.FileInfo
	follow bool // it is the log itself, to which more is written
	final  bool // nothing more comes: a last line without its end is a row
	names  *Names
	warn   func(error)
	blocks *Blocks

	carry string // the header of the content before, for content that has none
	same  bool   // the content before was in this same file
	begun bool   // the first line is whole, and looked at
	ahead []byte // read, to be given to blocks

	header  string // the header lines in force
	skip    int64  // bytes of header put before the file's own
	base    int64  // in the file, of where reading began, and all holes since
	taken   int64  // bytes that blocks gave back, without skipped ones
	fed     int64  // bytes that blocks were given, without skipped ones
	holes   []hole // not yet in base
	inLine  bool   // the last byte read was not a line's end
	offset  int64  // of the next block
	line    int
	rows    bool
	readTo  int64  // in the file
	drop    int64  // rows that end there or before were read before
	known   FileID // the file that they were read of
	layout  *layout
	scanned fs.FileInfo // a hole without anything behind it was seen then

	id      FileID
	start   []byte // the text's beginning, where it is read from there
	atStart bool   // nothing but start was read so far
	idle    bool   // there was nothing new at the last look
	changed bool   // it is not what it was, seen once
	leaving bool   // another has its name, seen once
	broken  bool   // it is not a log
	left    bool   // it was read to its end once
	looks   int    // at it since then, without anything new
	size    int64  // when it was read to its end

	begin *beginning // of a rotated file
	old   bool       // it can only be one of which a part is owed
}

// hole is a run of zero bytes that was not given to blocks.
type hole struct {
	at     int64 // in the bytes given to blocks
	length int64 // by which the file is longer than these
}

func (t *Tail) newSource(name string, f io.ReadCloser) *source {
	s := &source{name: name, file: f, line: 1, names: t.names, warn: t.warn, atStart: true}
	if file, ok := f.(interface{ Stat() (fs.FileInfo, error) }); ok {
		s.info, _ = file.Stat()
		s.id.Device, s.id.Inode = inode(s.info)
	}
	s.plain, _ = f.(io.ReaderAt)
	s.blocks = NewBlocks(s, name).Named(t.names)
	return s
}

// from continues at a position in the file, which begins with start.
func (s *source) from(p *Position, start []byte) {
	p.File.Device, p.File.Inode = s.id.Device, s.id.Inode
	s.id, s.header, s.offset, s.line, s.rows = p.File, p.Header, p.Offset, p.Line, p.Rows
	s.base, s.readTo, s.begun, s.idle = p.Offset, p.Offset, true, true
	s.start = start[:min(int64(len(start)), p.Offset-p.File.Hole)]
	s.atStart = len(s.start) < startBytes && int64(len(s.start)) == p.Offset-p.File.Hole
	s.putBefore(p.Line)
}

// Read gives the file's text to Blocks: behind a header where the file has
// none, and without holes.
func (s *source) Read(p []byte) (int, error) {
	for len(s.ahead) == 0 || !s.begun {
		n, err := s.text(p)
		if s.begun {
			return n, err
		}
		s.ahead = append(s.ahead, p[:n]...)
		if line, whole := firstLine(s.ahead); whole || err == io.EOF || len(s.ahead) >= MaxLine {
			s.begun = true
			s.beginText(line)
			if len(s.ahead) == 0 {
				return 0, err
			}
		} else if n == 0 {
			return 0, err
		}
	}
	n := copy(p, s.ahead)
	s.ahead = s.ahead[n:]
	return n, nil
}

// putBefore puts the header in front of the text, which begins with that line.
func (s *source) putBefore(line int) {
	header := headerText(s.header)
	if s.header == jsonHeader { // the next row may be a bad one
		s.blocks.layout = start(JSON)
		s.blocks.layout.given = s.names
		s.blocks.origin, s.blocks.usable = s.blocks.layout, true
	}
	s.skip = int64(len(header))
	s.ahead = append([]byte(header), s.ahead...)
	s.blocks.line = line - strings.Count(header, "\n")
}

// beginText puts the header of the content before in front of text that has
// none: the log was copied and emptied, and its writer goes on. Then the first
// row may be torn.
func (s *source) beginText(line string) {
	if s.carry == "" || hasHeader(line, s.carry, s.names, s.same) {
		return
	}
	s.header = s.carry
	s.putBefore(1)
}

// text reads the file but for its holes, and remembers its beginning.
func (s *source) text(p []byte) (int, error) {
	n, err := s.withoutHoles(p)
	if s.atStart {
		s.start = append(s.start, p[:min(n, startBytes-len(s.start))]...)
		s.atStart = len(s.start) < startBytes
	}
	if s.fed += int64(n); n > 0 {
		s.inLine = p[n-1] != '\n'
		return n, nil
	}
	if err == io.EOF && s.plain != nil && !s.final {
		err = ErrIdle // more may come
	}
	return 0, err
}

// withoutHoles reads up to the next hole, or what is behind it. A hole within a
// line ends the line.
func (s *source) withoutHoles(p []byte) (int, error) {
	n, err := s.peek(p)
	if n == 0 || p[0] != 0 {
		if zero := bytes.IndexByte(p[:n], 0); zero > 0 {
			n, err = zero, nil
		}
		s.advance(n)
		return n, err
	}
	if s.scanned != nil && unchanged(s.scanned, s.stat()) {
		return 0, io.EOF
	}
	began := s.readTo
	for n > 0 && p[0] == 0 {
		s.advance(zeros(p[:n]))
		n, err = s.peek(p)
	}
	if n == 0 && s.plain != nil && !s.final {
		s.readTo, s.scanned = began, s.stat() // perhaps only room for what is to come
		return 0, err
	}
	length := s.readTo - began
	s.warn(fmt.Errorf("%s: %d zero bytes at byte %d are skipped: the log was emptied while its writer went on behind them, or they were never written", s.name, length, began))
	if s.atStart && len(s.start) == 0 {
		s.id.Hole = length
	} else {
		s.atStart = false
	}
	if s.inLine {
		s.holes = append(s.holes, hole{s.fed + 1, length - 1})
		p[0] = '\n'
		return 1, nil
	}
	s.holes = append(s.holes, hole{s.fed, length})
	return s.withoutHoles(p)
}

// peek reads what comes next, and advance goes on behind n bytes of it.
func (s *source) peek(p []byte) (int, error) {
	if s.plain != nil {
		return s.plain.ReadAt(p, s.readTo)
	}
	if s.stream == nil {
		s.stream = bufio.NewReaderSize(s.file, 64<<10)
	}
	_, err := s.stream.Peek(1)
	next, _ := s.stream.Peek(s.stream.Buffered())
	n := copy(p, next)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (s *source) advance(n int) {
	s.readTo += int64(n)
	if s.stream != nil {
		_, _ = s.stream.Discard(n) // it was peeked at
	}
}

func zeros(p []byte) int {
	return len(p) - len(bytes.TrimLeft(p, "\x00"))
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

// took counts a block that was read and parsed, and leaves out its rows that
// were read before.
func (s *source) took(blk *Block) {
	n := int64(len(blk.text))
	skipped := min(n, s.skip)
	s.skip -= skipped
	s.taken += n - skipped
	for len(s.holes) > 0 && s.holes[0].at <= s.taken {
		s.base += s.holes[0].length
		s.holes = s.holes[1:]
	}
	if blk.part == linePiece {
		return // reading can go on only where a line begins
	}
	s.offset = s.base + s.taken
	s.line = blk.line + strings.Count(blk.text, "\n")
	if own := int(skipped); blk.layout != s.layout && blk.head > own {
		if head, whole := lastHeader(blk.text[own:blk.head]); whole || s.header == "" {
			s.header = head
		} else {
			s.header += head
		}
	}
	if s.layout = blk.layout; s.header == "" && s.layout != nil {
		s.header = s.layout.headerGiven()
	}
	if len(blk.Rows) == 0 {
		return
	}
	if !s.rows {
		s.rows = true
		s.id.First = fingerprint(blk.Rows[0].Raw)
	}
	last := &blk.Rows[len(blk.Rows)-1]
	s.id.Last, s.id.LastLength, s.id.LastEnd = fingerprint(last.Raw), len(last.Raw), s.end(blk, last)
	fresh := 0
	for fresh < len(blk.Rows) && s.end(blk, &blk.Rows[fresh]) <= s.drop {
		fresh++
	}
	blk.Rows = blk.Rows[fresh:]
}

// end returns where a row of the block that was taken last ends in the file.
func (s *source) end(blk *Block, row *Row) int64 {
	return s.offset - int64(len(blk.text)-row.end)
}

// unfinished returns the last line, when it has no end yet.
func (s *source) unfinished() string {
	b := s.blocks
	return string(b.buf[b.pos:b.end]) + string(s.ahead)
}

// stat returns what the file is like now.
func (s *source) stat() fs.FileInfo {
	if f, ok := s.file.(interface{ Stat() (fs.FileInfo, error) }); ok {
		if info, err := f.Stat(); err == nil {
			return info
		}
	}
	return s.info
}

// modified returns when the file was last written, in nanoseconds since 1970.
func (s *source) modified() int64 {
	if info := s.stat(); info != nil {
		return info.ModTime().UnixNano()
	}
	return 0
}

// unchanged reports whether nothing was written to a file between two looks.
func unchanged(a, b fs.FileInfo) bool {
	return a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) && os.SameFile(a, b)
}

// identify takes the fingerprint of as much of the file's beginning as was read.
func (s *source) identify() *FileID {
	s.id.Size = s.offset
	want := int(min(s.offset-s.id.Hole, startBytes))
	if want <= s.id.Length {
		return &s.id
	}
	if want = min(want, len(s.start)); want > s.id.Length { // less before a hole
		s.id.Length, s.id.Start = want, fingerprint(s.start[:want])
	}
	return &s.id
}

// intact reports whether the file still holds what was read of it: at its
// beginning and where reading stopped.
func (s *source) intact(info fs.FileInfo) bool {
	if info.Size() < s.readTo {
		return false
	}
	if s.plain == nil {
		return true
	}
	start := make([]byte, len(s.start))
	_, err := s.plain.ReadAt(start, s.id.Hole)
	return (err == nil || err == io.EOF) && bytes.Equal(start, s.start) && s.id.lastIn(s.plain)
}
