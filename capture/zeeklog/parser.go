package zeeklog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Row is one row of a log.
type Row struct {
	Conn conn.Conn
	Line int    // 1-based
	Raw  string // the line without its end; of a line longer than MaxLine the last piece
	Err  error  // an *Error when the row cannot be used: then Conn means nothing

	end     int  // of Raw in the block's text
	unknown bool // JSON: the object has keys that conn.log has not
}

// Parser parses blocks. It is not safe for concurrent use: one for each
// goroutine.
type Parser struct {
	names   interner
	ends    []int    // of a TSV row's fields
	fields  []string // of a CSV row
	context []byte   // of a row's id.ctx
	pairs   []contextField
	escapes bool // the block has a backslash
}

// NewParser returns a parser.
func NewParser() *Parser { return &Parser{} }

// Parse fills blk.Rows. It allocates only for errors, for tunnel_parents and
// for values with escapes, once blk has been used before.
func (p *Parser) Parse(blk *Block) {
	blk.Rows, blk.fields = blk.Rows[:0], blk.fields[:0]
	switch blk.part {
	case linePiece:
		return
	case lastPiece:
		line, _ := cutLine(blk.text, 0)
		row := blk.addRow(blk.line, line, len(line))
		row.Err = &Error{File: blk.file, Line: blk.line, Err: errLongLine}
		return
	}
	p.escapes = strings.IndexByte(blk.text, '\\') >= 0
	number := blk.line + strings.Count(blk.text[:blk.head], "\n")
	for at := blk.head; at < len(blk.text); number++ {
		line, next := cutLine(blk.text, at)
		if line != "" {
			p.parseRow(blk, blk.addRow(number, line, at+len(line)))
		}
		at = next
	}
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes", MaxLine)

func (blk *Block) addRow(number int, line string, end int) *Row {
	if n := len(blk.Rows); n < cap(blk.Rows) {
		blk.Rows = blk.Rows[:n+1]
	} else {
		blk.Rows = append(blk.Rows, Row{})
	}
	row := &blk.Rows[len(blk.Rows)-1]
	*row = Row{Line: number, Raw: line, end: end}
	if s := blk.layout.schema(); s != nil {
		blk.addFields(s)
	}
	return row
}

func (p *Parser) parseRow(blk *Block, row *Row) {
	var err error
	switch l := blk.layout; {
	case l.err != nil:
		err = l.err
	case l.schema() != nil:
		p.parseOther(blk, row)
		return
	case l.format == TSV:
		err = p.parseTSV(l, row)
	case l.format == JSON:
		err = p.parseJSON(l, row)
	default:
		err = p.parseCSV(l, row)
	}
	if err == nil {
		if row.Conn.Has(conn.Service) {
			row.Conn.Service = p.names.intern(row.Conn.Service)
		}
		if row.Conn.Has(conn.History) {
			row.Conn.History = p.names.intern(row.Conn.History)
		}
		return
	}
	e := &Error{File: blk.file, Line: row.Line, Err: err}
	var at *fieldError
	if errors.As(err, &at) {
		e.Field, e.Err = columns[at.field].name, at.err
	}
	row.Err = e
}

// parseOther parses a row of a log that is not conn.log.
func (p *Parser) parseOther(blk *Block, row *Row) {
	err := p.parseFields(blk.layout, row, blk.Fields(len(blk.Rows)-1))
	if err == nil {
		return
	}
	e, ok := err.(*Error)
	if !ok {
		e = &Error{Err: err}
	}
	e.File, e.Line = blk.file, row.Line
	row.Err = e
}

// interner keeps one copy of each of the names met most recently, so that the
// names of services and histories do not keep a block alive. Its size is fixed.
type interner [1 << 10]string

// intern returns an equal string with memory of its own.
func (t *interner) intern(s string) string {
	var h uint32 = 2166136261 // FNV-1a
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	slot := &t[(h^h>>15)%uint32(len(t))]
	if *slot != s {
		*slot = strings.Clone(s)
	}
	return *slot
}
