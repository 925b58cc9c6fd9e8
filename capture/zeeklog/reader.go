package zeeklog

import "io"

// Reader reads the rows of a log one after the other. It is not safe for
// concurrent use.
type Reader struct {
	blocks *Blocks
	parser *Parser
	block  Block
	next   int
	err    error
}

// NewReader returns a reader of the log in r, TSV, JSON or CSV by content.
// file is the log's name in messages.
func NewReader(r io.Reader, file string) *Reader {
	return &Reader{blocks: NewBlocks(r, file), parser: NewParser()}
}

// Read reads the next row and returns io.EOF after the last one. When the row
// cannot be used the error is its *Error, row.Raw and row.Line are set all the
// same, and the next Read goes on. Any other error ends the log, see
// (*Blocks).Next; it then comes again.
func (r *Reader) Read(row *Row) error {
	for r.next == len(r.block.Rows) {
		if r.err != nil {
			return r.err
		}
		if r.err = r.blocks.Next(&r.block); r.err != nil {
			r.block.Rows = nil
			r.next = 0
			return r.err
		}
		r.parser.Parse(&r.block)
		r.next = 0
	}
	*row = r.block.Rows[r.next]
	r.next++
	return row.Err
}

// Format returns the log's format, known after the first call of Read.
func (r *Reader) Format() Format { return r.blocks.Format() }
