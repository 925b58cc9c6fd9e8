package zeeklog

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// MaxLine is the length from which on a line is not parsed, in bytes. Such a
// line is one bad row; AddColumns passes all of it through.
const MaxLine = 1 << 20

// blockSize is about the length of a block. Its rows stay in a core's cache.
const blockSize = 128 << 10

// Block is a part of a log: header lines and comments, then rows under one
// header. It can be reused: Next and Parse overwrite it.
type Block struct {
	Rows  []Row // filled by (*Parser).Parse, in the order of the log
	State any   // the caller's, untouched here

	fields []Field // of the rows of a log that is not conn.log

	file   string
	line   int    // of the log, where text begins
	text   string // whole lines, or a piece of a line longer than MaxLine
	head   int    // text[:head] are header lines and comments
	before *layout
	layout *layout // for text[head:]
	part   part
}

// part says what a block's text is.
type part uint8

const (
	wholeLines part = iota
	linePiece       // of a line longer than MaxLine
	lastPiece       // of it: counts as its row
)

// Blocks cuts a log into blocks. It is not safe for concurrent use; the blocks
// are independent of it and of each other.
type Blocks struct {
	r    io.Reader
	file string
	err  error // of r

	buf      []byte
	pos, end int  // buf[pos:end] is not yet cut
	long     bool // inside a line longer than MaxLine

	rest     string // cut from buf, not yet returned
	restPart part
	line     int     // where rest begins
	names    *Names  // the caller's
	origin   *layout // before the first header line
	layout   *layout
	usable   bool // some header was that of a conn.log
}

// NewBlocks returns the blocks of the log in r. The format is recognised by
// its content. file is the log's name in messages. Memory is bounded,
// whatever r holds.
func NewBlocks(r io.Reader, file string) *Blocks {
	return &Blocks{r: r, file: file, line: 1, buf: make([]byte, blockSize)}
}

// Format returns the log's format, known after the first call of Next.
func (b *Blocks) Format() Format {
	if b.layout == nil {
		return TSV
	}
	return b.layout.format
}

// Next reads the next block and returns io.EOF after the last one. It returns
// as soon as a line is there, so that a pipe is followed without delay.
//
// Another error ends the log: it is not a conn.log, or reading failed; an
// incomplete last line is then left out.
func (b *Blocks) Next(blk *Block) error {
	for b.rest == "" {
		data, part, err := b.take()
		if err == io.EOF {
			return err
		} else if err != nil {
			if b.line == 1 {
				return fmt.Errorf("%s: before the end of the first line: %w", b.file, err)
			}
			return fmt.Errorf("%s: after line %d: %w", b.file, b.line-1, err)
		}
		b.rest, b.restPart = string(data), part
		if part == lastPiece {
			break // can be empty
		}
	}
	text := b.rest
	blk.file, blk.line, blk.part, blk.before = b.file, b.line, b.restPart, b.layout
	head, err := b.readHead(text)
	if err != nil {
		return err
	}
	cut := len(text)
	if b.layout != nil && b.Format() == TSV && b.restPart == wholeLines {
		cut = head + b.layout.nextMeta(text[head:])
	}
	if cut > head && b.layout != nil {
		if b.layout.err == nil {
			b.usable = true
		} else if !b.usable {
			return fmt.Errorf("%s:%d: %w", b.file, b.line+strings.Count(text[:head], "\n"), b.layout.refused(text[:head]))
		}
	}
	blk.text, blk.head, blk.layout = text[:cut], head, b.layout
	if blk.before == nil {
		if blk.before = b.origin; blk.before == nil {
			blk.before = start(TSV)
		}
	}
	b.rest = text[cut:]
	b.line += strings.Count(blk.text, "\n")
	return nil
}

// readHead reads the header lines at the start of text and returns their length.
func (b *Blocks) readHead(text string) (head int, err error) {
	if b.restPart != wholeLines {
		if b.layout == nil {
			return 0, fmt.Errorf("%s:%d: %w", b.file, b.line, longBeginning(text, b.names))
		}
		return 0, nil
	}
	if b.layout == nil {
		if b.origin, b.layout, head, err = detect(text, b.names, b.ahead); err != nil {
			return 0, fmt.Errorf("%s:%d: %w", b.file, b.line+strings.Count(text[:head], "\n"), err)
		}
		if b.layout != nil && b.Format() == JSON && b.layout.schema() == nil {
			if lacks := b.lacks(text[head:]); lacks != 0 {
				l := *b.layout
				l.lacks, b.layout = lacks, &l
			}
		}
	}
	if b.layout == nil || b.Format() != TSV {
		return head, nil
	}
	for head < len(text) && b.layout.metaAt(text, head) {
		line, next := cutLine(text, head)
		if b.layout.changes(line) {
			b.layout = b.layout.header(line)
		}
		head = next
	}
	return head, nil
}

// documentStart is how much of a JSON document is looked at for its rows.
const documentStart = 64 << 10

// ahead returns text and what follows it, up to documentStart bytes or the end
// of the first value: it waits for a document that cannot be read anyway.
func (b *Blocks) ahead(text string) string {
	for {
		more := text + string(b.buf[b.pos:b.end])
		if len(more) >= documentStart || b.err != nil || isDocument(more) {
			return more[:min(len(more), max(documentStart, len(text)))]
		}
		b.fill()
	}
}

// isDocument reports whether text begins with a whole object or array.
func isDocument(text string) bool {
	text = strings.Trim(text, byteOrderMark+" \t\r\n")
	if text == "" || text[0] != '{' && text[0] != '[' {
		return false
	}
	if end := text[len(text)-1]; end != '}' && end != ']' { // else it is looked at again and again
		return false
	}
	list := jsonMembers{text: text, escapes: true}
	_, err := list.nestedEnd(0)
	return err == nil
}

// cutLine returns the line at start without its end, \n or \r\n, and where the
// next one begins.
func cutLine(text string, start int) (line string, next int) {
	end := strings.IndexByte(text[start:], '\n')
	if end < 0 {
		end, next = len(text), len(text)
	} else {
		end += start
		next = end + 1
	}
	if end > start && text[end-1] == '\r' {
		end--
	}
	return text[start:end], next
}

// take returns what can be cut off the buffer, after reading more if need be.
func (b *Blocks) take() ([]byte, part, error) {
	for {
		pending := b.buf[b.pos:b.end]
		switch i := lineEnd(pending, b.long); {
		case i > 0 && b.long:
			b.pos, b.long = b.pos+i, false
			return pending[:i], lastPiece, nil
		case i > 0:
			b.pos += i
			return pending[:i], wholeLines, nil
		case b.err == io.EOF && b.long:
			b.pos, b.long = b.end, false
			return pending, lastPiece, nil
		case b.err == io.EOF && len(pending) > 0:
			b.pos = b.end
			return pending, wholeLines, nil
		case b.err != nil:
			return nil, 0, b.err
		case len(pending) >= MaxLine:
			b.pos, b.long = b.end, true
			return pending, linePiece, nil
		}
		b.fill()
	}
}

// lineEnd returns the length of the whole lines at the start of data, or of
// the first line only.
func lineEnd(data []byte, first bool) int {
	if first {
		return bytes.IndexByte(data, '\n') + 1
	}
	return bytes.LastIndexByte(data, '\n') + 1
}

// fill reads once, about a block at most.
func (b *Blocks) fill() {
	b.end = copy(b.buf, b.buf[b.pos:b.end])
	b.pos = 0
	if b.end == len(b.buf) {
		b.buf = append(b.buf, make([]byte, len(b.buf))...)
	}
	most := min(len(b.buf), max(blockSize, b.end+blockSize/2))
	for range 100 {
		n, err := b.r.Read(b.buf[b.end:most])
		b.end += n
		if b.err = err; n > 0 || err != nil {
			return
		}
	}
	b.err = io.ErrNoProgress
}
