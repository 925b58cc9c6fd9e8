package parquetlog

import (
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

// Writer writes the columns of logs as they are, in their compression, and
// columns added to them, in ZSTD. A column of an added one's name is replaced.
type Writer struct {
	w      *parquet.GenericWriter[any]
	from   []int // the leaf of the log that each leaf is, -1 for an added one
	added  []int // the leaf of each added column
	leaves []leaf
}

// root is the root of a schema in the order of its columns; parquet.Group
// sorts them.
type root struct {
	parquet.Group
	fields []parquet.Field
}

func (r root) Fields() []parquet.Field { return r.fields }

// typed are the types of Zeek that are added.
var typed = map[string]parquet.Node{
	"double": parquet.Leaf(parquet.DoubleType),
	"count":  parquet.Uint(64),
	"string": parquet.String(),
}

// NewWriter returns a writer of logs with the columns of l, or with those of
// them that keep names where it names any.
func NewWriter(w io.Writer, l *Log, keep []string, columns ...zeeklog.Column) (_ *Writer, err error) {
	defer mended(&err)
	for _, name := range keep {
		if !slices.ContainsFunc(l.file.Schema().Fields(), func(f parquet.Field) bool { return f.Name() == name }) {
			return nil, fmt.Errorf("no column %s to keep", name)
		}
	}
	r := root{Group: parquet.Group{}}
	put := func(f parquet.Field) { r.fields, r.Group[f.Name()] = append(r.fields, f), f }
	isAdded := func(name string) bool {
		return slices.ContainsFunc(columns, func(c zeeklog.Column) bool { return c.Name == name })
	}
	for _, f := range l.file.Schema().Fields() {
		if !isAdded(f.Name()) && (len(keep) == 0 || slices.Contains(keep, f.Name())) {
			put(f)
		}
	}
	for _, c := range columns {
		node, ok := typed[c.Type]
		if !ok {
			return nil, fmt.Errorf("column %s: no Parquet type for %s", c.Name, c.Type)
		}
		put(parquet.Group{c.Name: parquet.Optional(parquet.Compressed(node, &parquet.Zstd))}.Fields()[0])
	}
	schema := parquet.NewSchema(l.file.Schema().Name(), r)
	out := &Writer{
		w:      parquet.NewGenericWriter[any](w, schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("zeek-iforest", "", "")),
		added:  make([]int, len(columns)),
		leaves: l.leaves,
	}
	source := map[string]int{}
	for i, path := range l.file.Schema().Columns() {
		source[fmt.Sprint(path)] = i
	}
	for i, path := range schema.Columns() {
		at, ok := source[fmt.Sprint(path)]
		for k, c := range columns {
			if len(path) == 1 && path[0] == c.Name {
				out.added[k], at, ok = i, -1, true
			}
		}
		if !ok {
			return nil, fmt.Errorf("column %v has no place", path)
		}
		out.from = append(out.from, at)
	}
	return out, nil
}

// Takes says whether the groups of l have the columns of the first log.
func (w *Writer) Takes(l *Log) error {
	same := slices.EqualFunc(w.leaves, l.leaves, func(a, b leaf) bool {
		return a.name == b.name && a.node.Node.Type().Kind() == b.node.Node.Type().Kind() &&
			a.node.MaxDefinitionLevel == b.node.MaxDefinitionLevel && a.node.MaxRepetitionLevel == b.node.MaxRepetitionLevel
	})
	if !same {
		return fmt.Errorf("%s: other columns than in the first log", l.name)
	}
	return nil
}

// Written is a row group that has been encoded but not yet written.
type Written struct {
	group *parquet.ConcurrentRowGroupWriter
}

// Encode encodes a group with the values of the added columns, one slice for
// each of them, of float64, uint64 and string, or nil for an unset one. It may
// run for several groups at once.
func (w *Writer) Encode(g *Group, values [][]any) (_ Written, err error) {
	defer mended(&err)
	out := w.w.BeginRowGroup()
	columns := out.ColumnWriters()
	for i, at := range w.from {
		if at < 0 {
			continue
		}
		if err := g.copyTo(columns[i], at); err != nil {
			return Written{}, err
		}
	}
	encoded := make([]parquet.Value, 0, valuesAtOnce)
	for k, i := range w.added {
		for rest := values[k]; len(rest) > 0; {
			n := min(len(rest), valuesAtOnce)
			encoded = encoded[:0]
			for _, v := range rest[:n] {
				p, level := valueOf(v), 1
				if v == nil {
					level = 0
				}
				encoded = append(encoded, p.Level(0, level, i))
			}
			if _, err := columns[i].WriteRowValues(encoded); err != nil {
				return Written{}, err
			}
			rest = rest[n:]
		}
	}
	return Written{out}, out.Flush()
}

func valueOf(v any) parquet.Value {
	switch v := v.(type) {
	case float64:
		return parquet.DoubleValue(v)
	case uint64:
		return parquet.Int64Value(int64(v))
	case string:
		return parquet.ByteArrayValue([]byte(v))
	}
	return parquet.NullValue()
}

// copyTo copies a column chunk, whole rows at a time.
func (g *Group) copyTo(w *parquet.ColumnWriter, at int) error {
	var open []parquet.Value // of a row that may go on
	repeated := g.log.leaves[at].node.MaxRepetitionLevel > 0
	err := g.pages(at, func(values []parquet.Value) error {
		if !repeated {
			_, err := w.WriteRowValues(values)
			return err
		}
		for _, v := range values {
			open = append(open, v.Clone())
		}
		end := len(open) - 1
		for end > 0 && open[end].RepetitionLevel() > 0 {
			end--
		}
		if end <= 0 {
			return nil
		}
		_, err := w.WriteRowValues(open[:end])
		open = append(open[:0], open[end:]...)
		return err
	})
	if err == nil && len(open) > 0 {
		_, err = w.WriteRowValues(open)
	}
	return err
}

// Write writes the next group.
func (w *Writer) Write(g Written) error {
	_, err := g.group.Commit()
	return err
}

// Close writes the file's end.
func (w *Writer) Close() error { return w.w.Close() }
