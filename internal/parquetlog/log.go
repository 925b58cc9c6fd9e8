// Package parquetlog reads conn.log from Parquet and writes it back with columns
// added. The columns are named as Zeek names them, id.orig_h, with another
// separator, id_orig_h, or nested, id{orig_h}. Only the columns that a score is
// made of are decoded for it.
package parquetlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Magic is what a Parquet file begins with.
const Magic = "PAR1"

// Log is a Parquet file of conn.log's columns. It is safe for concurrent use.
type Log struct {
	name    string
	closer  io.Closer
	file    *parquet.File
	leaves  []leaf
	decoded []column       // those that connections are made of
	named   map[string]int // all leaves by name
	lacks   conn.Fields    // fields that have no column
}

// leaf is a column as it lies in the file.
type leaf struct {
	name string // with points between the levels
	node parquet.LeafColumn
}

// column is one that is decoded.
type column struct {
	name   string // conn.log's
	at     int    // among the leaves
	decode decoder
}

// Columns says which columns connections are made of.
type Columns bool

// What connections are wanted for.
const (
	Scored Columns = false // what a score is made of
	All    Columns = true  // also what names them, and what learning looks at
)

// Open opens a file and checks that it has conn.log's columns.
func Open(path string, wanted Columns) (*Log, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	var l *Log
	if err == nil {
		l, err = open(f, info.Size(), path, wanted)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	l.closer = f
	return l, nil
}

// errDamaged is of a file that is no Parquet all through.
var errDamaged = errors.New("the Parquet data is damaged")

// mended makes an error of a panic: the library takes what stands in a file for
// granted here and there.
func mended(err *error) {
	if what := recover(); what != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, what)
	}
}

// checkFooter checks that the footer is no longer than the file: the library
// makes memory for what its length says, 4 GiB at most.
func checkFooter(f io.ReaderAt, size int64) error {
	end := make([]byte, 8)
	if size < int64(len(Magic)+len(end)) {
		return fmt.Errorf("%w: %d bytes are too few", errDamaged, size)
	}
	if n, err := f.ReadAt(end, size-int64(len(end))); n < len(end) {
		return err
	}
	if footer := int64(binary.LittleEndian.Uint32(end)); footer > size-int64(len(Magic)+len(end)) {
		return fmt.Errorf("%w: a footer of %d bytes in a file of %d", errDamaged, footer, size)
	}
	return nil
}

func open(f io.ReaderAt, size int64, name string, wanted Columns) (l *Log, err error) {
	defer mended(&err)
	if err := checkFooter(f, size); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(f, size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	l = &Log{name: name, file: file, named: map[string]int{}}
	seen := map[string]bool{}
	for i, path := range file.Schema().Columns() {
		node, _ := file.Schema().Lookup(path...)
		at := leaf{strings.Join(path, "."), node}
		l.leaves = append(l.leaves, at)
		l.named[at.name] = i
		ours, ok := zeeklog.ConnColumn(at.name)
		if !ok || seen[ours] || decoders[ours] == nil || unscored[ours] && wanted == Scored {
			continue
		}
		seen[ours] = true
		decode, err := decoders[ours](node.Node)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", at.name, err)
		}
		l.decoded = append(l.decoded, column{ours, i, decode})
	}
	l.decoded = append(l.decoded, contextColumns(l.leaves)...)
	for name := range decoders {
		if !seen[name] && (wanted == All || !unscored[name]) {
			l.lacks |= zeeklog.AbsentOf(name)
		}
	}
	var missing []string
	for _, name := range []string{"ts", "id.orig_h", "id.resp_h", "id.resp_p", "proto", "conn_state"} {
		if !seen[name] {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("not a conn.log: no column %s", strings.Join(missing, ", "))
	}
	return l, nil
}

// Close closes the file.
func (l *Log) Close() error { return l.closer.Close() }

// Name returns the file's path.
func (l *Log) Name() string { return l.name }

// Groups returns the number of row groups.
func (l *Log) Groups() int { return len(l.file.RowGroups()) }

// HasColumn reports whether there is a column of that name.
func (l *Log) HasColumn(name string) bool {
	_, ok := l.named[name]
	return ok
}

// Group is one row group, decoded. It can be reused.
type Group struct {
	Rows  []Row
	First int64 // number of its first row in the file, from 1

	log   *Log
	group parquet.RowGroup
	buf   []parquet.Value
	texts texts
}

// rowsAtOnce is for how many rows memory is made before they have come: what a
// file says of itself may be wrong.
const rowsAtOnce = 1 << 17

// Read decodes the columns of a row group that connections are made of. Rows
// that cannot be used have an Err.
func (l *Log) Read(i int, g *Group) error {
	groups := l.file.RowGroups()
	g.log, g.group, g.First = l, groups[i], 1
	for _, before := range groups[:i] {
		g.First += before.NumRows()
	}
	g.texts = texts{}
	rows := g.group.NumRows()
	g.Rows = slices.Grow(g.Rows[:0], int(min(max(rows, 0), rowsAtOnce)))
	for n, c := range l.decoded {
		err := g.each(c.at, rows, func(row int, v parquet.Value) {
			if n == 0 {
				g.Rows = append(g.Rows, Row{Conn: conn.Conn{Absent: l.lacks}})
			}
			if err := c.decode(&g.Rows[row].Conn, v, &g.texts); err != nil && g.Rows[row].Err == nil {
				g.Rows[row].Err = g.bad(row, c.name, err)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// bad names a row.
func (g *Group) bad(row int, field string, err error) error {
	return &zeeklog.Error{File: g.log.name, Line: int(g.First) + row, Field: field, Err: err}
}

// Whole returns the numbers of a column of whole numbers; a row without one has an
// error in the second slice, which is nil if all have one.
func (g *Group) Whole(name string) ([]int64, []bool, error) {
	at, ok := g.log.named[name]
	if !ok {
		return nil, nil, fmt.Errorf("%s: no column %s", g.log.name, name)
	}
	if kind := g.log.leaves[at].node.Node.Type().Kind(); kind != parquet.Int64 && kind != parquet.Int32 {
		return nil, nil, fmt.Errorf("%s: column %s has no whole numbers", g.log.name, name)
	}
	numbers, set := make([]int64, len(g.Rows)), make([]bool, len(g.Rows))
	err := g.each(at, int64(len(g.Rows)), func(row int, v parquet.Value) {
		if set[row] = !v.IsNull(); set[row] {
			numbers[row] = wholeOf(v)
		}
	})
	return numbers, set, err
}

// each calls do with each value of a column that has one for each row.
func (g *Group) each(at int, rows int64, do func(row int, v parquet.Value)) error {
	row := 0
	err := g.pages(at, func(values []parquet.Value) error {
		if int64(row+len(values)) > rows {
			return fmt.Errorf("%w: more values than %d rows", errDamaged, rows)
		}
		for _, v := range values {
			do(row, v)
			row++
		}
		return nil
	})
	if err == nil && int64(row) < rows {
		err = g.column(at, fmt.Errorf("%w: %d values for %d rows", errDamaged, row, rows))
	}
	return err
}

// column says in which column an error is.
func (g *Group) column(at int, err error) error {
	return fmt.Errorf("%s: column %s: %w", g.log.name, g.log.leaves[at].name, err)
}

const valuesAtOnce = 4096

// pages hands over the values of a column chunk, some at a time.
func (g *Group) pages(at int, take func([]parquet.Value) error) (err error) {
	defer func() {
		if errors.Is(err, errDamaged) {
			err = g.column(at, err)
		}
	}()
	defer mended(&err)
	if g.buf == nil {
		g.buf = make([]parquet.Value, valuesAtOnce)
	}
	pages := g.group.ColumnChunks()[at].Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
		values := page.Values()
		for done := false; !done; {
			n, err := values.ReadValues(g.buf)
			if done = err == io.EOF; err != nil && !done {
				parquet.Release(page)
				return fmt.Errorf("%w: %w", errDamaged, err)
			}
			if n == 0 && !done {
				continue
			}
			if err := take(g.buf[:n]); err != nil {
				parquet.Release(page)
				return err
			}
		}
		parquet.Release(page)
	}
}
