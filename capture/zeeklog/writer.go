package zeeklog

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Writer writes a conn.log as Zeek 8.0 does, all columns in Zeek's order, with
// added columns after them. It is not safe for concurrent use.
type Writer struct {
	w        io.Writer
	notation notation
	layout   *layout
	extra    []Column
	keys     []string // JSON: `"ts":`, for conn.log's columns and the extra ones
	buf      []byte
}

const writeSize = 64 << 10

// NewWriter returns a writer of TSV or of JSON lines. opened is what the #open
// line says, in local time as Zeek has it; the zero time leaves the line out.
func NewWriter(w io.Writer, format Format, opened time.Time, extra ...Column) (*Writer, error) {
	return NewLogWriter(w, "conn", format, opened, extra...)
}

// NewLogWriter is NewWriter for a log of another #path that has conn.log's
// columns.
func NewLogWriter(w io.Writer, path string, format Format, opened time.Time, extra ...Column) (*Writer, error) {
	out := &Writer{w: w, layout: start(format), extra: extra}
	switch format {
	case TSV:
		out.notation = &out.layout.tsvNotation
		out.header(path, opened)
	case JSON:
		out.notation = jsonNotation{}
		for _, name := range out.names() {
			out.keys = append(out.keys, string(appendQuoted(nil, name))+":")
		}
	default:
		return nil, fmt.Errorf("a conn.log is written as TSV or JSON, not as %v", format)
	}
	return out, nil
}

// names returns the columns' names.
func (w *Writer) names() (names []string) {
	for i := range columns {
		names = append(names, columns[i].name)
	}
	for _, c := range w.extra {
		names = append(names, c.Name)
	}
	return names
}

// header writes the lines of src/logging/writers/ascii/Ascii.cc, WriteHeader.
func (w *Writer) header(path string, opened time.Time) {
	types := make([]string, 0, len(columns)+len(w.extra))
	for i := range columns {
		types = append(types, columns[i].typ)
	}
	for _, c := range w.extra {
		types = append(types, c.Type)
	}
	w.buf = append(w.buf, `#separator \x09`+"\n"...)
	w.meta("#set_separator", w.layout.setSep)
	w.meta("#empty_field", w.layout.empty)
	w.meta("#unset_field", w.layout.unset)
	w.meta("#path", path)
	w.stamp("#open", opened)
	w.meta("#fields", w.names()...)
	w.meta("#types", types...)
}

func (w *Writer) meta(key string, values ...string) {
	w.buf = append(append(append(w.buf, key...), '\t'), strings.Join(values, "\t")...)
	w.buf = append(w.buf, '\n')
}

func (w *Writer) stamp(key string, t time.Time) {
	if !t.IsZero() {
		w.meta(key, t.Format("2006-01-02-15-04-05"))
	}
}

// Write writes a row; values are those of the added columns, in their order.
func (w *Writer) Write(c *conn.Conn, values ...Value) error {
	if len(values) != len(w.extra) {
		return fmt.Errorf("conn.log: %d values for %d added columns", len(values), len(w.extra))
	}
	if w.keys == nil {
		w.row(c, values)
	} else {
		w.object(c, values)
	}
	w.buf = append(w.buf, '\n')
	if len(w.buf) >= writeSize {
		return w.Flush()
	}
	return nil
}

func (w *Writer) row(c *conn.Conn, values []Value) {
	for f := range numField {
		if f > 0 {
			w.buf = append(w.buf, w.layout.sep...)
		}
		if f.isSet(c) {
			w.buf = columns[f].write(w.buf, c, w.notation)
		} else {
			w.buf = append(w.buf, w.layout.unset...)
		}
	}
	for k := range values {
		w.buf = append(w.buf, w.layout.sep...)
		if v := &values[k]; v.kind != unsetValue {
			w.buf = v.append(w.buf, w.notation)
		} else {
			w.buf = append(w.buf, w.layout.unset...)
		}
	}
}

func (w *Writer) object(c *conn.Conn, values []Value) {
	separator := byte('{') // a comma later: ts is always there
	for f := range numField {
		if f.isSet(c) {
			w.buf = append(append(w.buf, separator), w.keys[f]...)
			w.buf = columns[f].write(w.buf, c, w.notation)
			separator = ','
		}
	}
	for k := range values {
		if v := &values[k]; v.kind != unsetValue {
			w.buf = append(append(w.buf, separator), w.keys[int(numField)+k]...)
			w.buf = v.append(w.buf, w.notation)
		}
	}
	w.buf = append(w.buf, '}')
}

// Flush writes what is still in the buffer.
func (w *Writer) Flush() error {
	_, err := w.w.Write(w.buf)
	w.buf = w.buf[:0]
	return err
}

// Close writes #close, unless closed is the zero time or the format JSON, and
// flushes. It does not close the underlying writer.
func (w *Writer) Close(closed time.Time) error {
	if w.keys == nil {
		w.stamp("#close", closed)
	}
	return w.Flush()
}
