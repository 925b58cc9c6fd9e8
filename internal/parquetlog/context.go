package parquetlog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// contextColumns returns the columns of id.ctx, in the order of their names.
func contextColumns(leaves []leaf) (columns []column) {
	for at, l := range leaves {
		name, ok := zeeklog.ContextField(l.name)
		if ok && !l.node.Node.Repeated() {
			columns = append(columns, column{name, at, contextField(name)})
		}
	}
	slices.SortStableFunc(columns, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return slices.CompactFunc(columns, func(a, b column) bool { return a.name == b.name })
}

// contextField adds a field to a row's context.
func contextField(name string) decoder {
	return func(c *conn.Conn, v parquet.Value, t *texts) error {
		if v.IsNull() {
			return nil
		}
		t.context = conn.AppendContext(append(t.context[:0], c.Context...), name, contextValue(v))
		text := t.context[:min(len(t.context), conn.MaxContext)]
		known, ok := t.contexts[string(text)]
		if !ok {
			if t.contexts == nil {
				t.contexts = map[string]string{}
			}
			known = string(text)
			t.contexts[known] = known
		}
		c.Context = known
		return nil
	}
}

// contextValue returns the text that Zeek would log.
func contextValue(v parquet.Value) string {
	switch v.Kind() {
	case parquet.Int32, parquet.Int64:
		return strconv.FormatInt(wholeOf(v), 10)
	case parquet.Boolean:
		return map[bool]string{true: "T", false: "F"}[v.Boolean()]
	}
	return v.String()
}
