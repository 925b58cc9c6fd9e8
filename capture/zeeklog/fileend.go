package zeeklog

import (
	"bufio"
	"bytes"
	"io"
	"io/fs"
	"math"
	"strings"
)

// lastIn reports whether the last row that was read of a file stands where it
// stood. It does where nothing is known of it.
func (id *FileID) lastIn(f io.ReaderAt) bool {
	if id.Last == "" {
		return true
	}
	if id.LastLength > 2*MaxLine || int64(id.LastLength) > id.LastEnd {
		return false
	}
	row := make([]byte, id.LastLength)
	n, err := f.ReadAt(row, id.LastEnd-int64(id.LastLength))
	return n == len(row) && (err == nil || err == io.EOF) && fingerprint(row) == id.Last
}

// endOfLast finds the last row that was read of a file in other content and
// returns where it ends there.
func (id *FileID) endOfLast(f io.ReaderAt) (end int64, found bool) {
	if id.Last == "" {
		return 0, false
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, math.MaxInt64), 64<<10)
	var at int64
	var long []byte // the beginning of a line longer than the buffer
	for {
		part, err := r.ReadSlice('\n')
		at += int64(len(part))
		if err == bufio.ErrBufferFull {
			if len(long) <= MaxLine {
				long = append(long, part...)
			}
			continue
		}
		line := part
		if long != nil {
			line, long = append(long, part...), nil
		}
		text := bytes.TrimSuffix(line, []byte("\n"))
		text = bytes.TrimLeft(bytes.TrimSuffix(text, []byte("\r")), "\x00")
		if len(text) == id.LastLength && fingerprint(text) == id.Last {
			end, found = at-int64(len(line))+int64(len(line)-len(bytes.TrimLeft(line, "\x00")))+int64(len(text)), true
		}
		if err != nil {
			return end, found
		}
	}
}

// beginningOf reads what a file begins with, up to its first row. A file that
// is not a log has none.
func (t *Tail) beginningOf(name string, f io.Reader, same bool) *beginning {
	s := &source{name: name, file: io.NopCloser(f), names: t.names, warn: func(error) {}, carry: t.header, same: same, atStart: true}
	s.blocks = NewBlocks(s, name).Named(t.names)
	var blk Block
	b := &beginning{}
	for s.fed < 64<<10 && b.first == "" {
		if err := s.blocks.Next(&blk); err != nil {
			if err != io.EOF {
				b.err = err
			}
			break
		}
		NewParser().Parse(&blk)
		if len(blk.Rows) > 0 {
			b.first, b.whole = fingerprint(blk.Rows[0].Raw), blk.Rows[0].end < len(blk.text)
		}
	}
	b.text = s.start
	return b
}

// firstLine returns the first line that is not blank, and whether it is whole.
func firstLine(text []byte) (line string, whole bool) {
	rest := string(text)
	for rest != "" {
		whole = strings.IndexByte(rest, '\n') >= 0
		var next int
		line, next = cutLine(rest, 0)
		if rest = rest[next:]; strings.TrimPrefix(line, byteOrderMark) != "" {
			return line, whole
		}
	}
	return line, false
}

// jsonHeader stands for the header of JSON, which has none: what a row begins
// with.
const jsonHeader = "{"

// headerText returns a header as a log begins with it.
func headerText(header string) string {
	if header == jsonHeader {
		return ""
	}
	return header
}

// hasHeader reports whether a log that begins with the line says itself what
// its columns are, or is none. carry is the header of the content before it; in
// the same file even a torn row is taken for one under it.
func hasHeader(line, carry string, names *Names, same bool) bool {
	_, l, _, err := detect(line+"\n", names, func(text string) string { return text })
	if err == nil {
		return l != nil
	}
	if isBinary(line) {
		return true
	}
	if same || carry == jsonHeader {
		return !same
	}
	blocks, blk := NewBlocks(strings.NewReader(carry+line+"\n"), "").Named(names), Block{}
	for {
		if err := blocks.Next(&blk); err != nil {
			return true
		}
		if NewParser().Parse(&blk); len(blk.Rows) > 0 {
			return blk.Rows[0].Err != nil && !strings.Contains(line, blk.layout.sep)
		}
	}
}

// headerGiven returns a header that says of rows under l what is known of them
// without one.
func (l *layout) headerGiven() string {
	switch order := l.given.ordered(); {
	case l.format == JSON:
		return jsonHeader
	case order != nil:
		return strings.Join(order, l.sep) + "\n"
	}
	return ""
}

// lastHeader returns the header lines from the last one on with which a header
// of Zeek's begins, and whether there is one.
func lastHeader(head string) (from string, whole bool) {
	from = head
	for at := 0; at < len(head); {
		line, next := cutLine(head, at)
		prefix, ok := metaPrefix(strings.TrimPrefix(line, byteOrderMark))
		if ok && !strings.HasSuffix(prefix, "set_") { // set_separator, with spaces between columns
			from, whole = head[at:], true
		}
		at = next
	}
	return from, whole
}

// isPacked reports by its first bytes that a file is compressed.
func isPacked(start []byte) bool {
	for _, magic := range [...]string{
		"\x1f\x8b", "\x1f\x9d", "\x28\xb5\x2f\xfd", "BZh", "\xfd7zXZ", "\x04\x22\x4d\x18", "\x02\x21\x4c\x18", "LZIP", "\x89LZO", "PK\x03\x04", "7z\xbc\xaf",
	} {
		if bytes.HasPrefix(start, []byte(magic)) {
			return true
		}
	}
	return len(start) >= 4 && start[0]>>4 == 5 && string(start[1:4]) == "\x2a\x4d\x18" // zstd's skippable frame
}

// isFile reports whether info is that of a file with content.
func isFile(info fs.FileInfo) bool { return info.Mode().IsRegular() && info.Size() > 0 }
