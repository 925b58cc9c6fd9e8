package zeeklog

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// contextColumn is a column of id.ctx, which says what tells connections of the
// same addresses apart: id.ctx.vlan.
type contextColumn struct {
	name string // "vlan"
	at   int    // its place in the row
}

// contextColumns returns those of a log in the order of their names; most have none.
func contextColumns(names []string) (columns []contextColumn) {
	for at, name := range names {
		field, ok := ContextField(name)
		if ok && !slices.ContainsFunc(columns, func(c contextColumn) bool { return c.name == field }) {
			columns = append(columns, contextColumn{field, at})
		}
	}
	slices.SortFunc(columns, func(a, b contextColumn) int { return strings.Compare(a.name, b.name) })
	return columns
}

// ContextField returns the name of the field of id.ctx that a column is: "vlan"
// of id.ctx.vlan. The names may have another separator, as id's.
func ContextField(column string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(column, "id")
	if !ok {
		return "", false
	}
	sep, name, ok := strings.Cut(rest, "ctx")
	if !ok || sep == "" || !isSeparator(sep) {
		return "", false
	}
	name, ok = strings.CutPrefix(name, sep)
	return name, ok && name != ""
}

// appendContext appends a field where it is set.
func appendContext(dst []byte, name, value string, l *layout, escaped bool) []byte {
	if same(value, l.unset) {
		return dst
	}
	return conn.AppendContext(dst, name, l.text(value, escaped))
}

// keepContext gives the context its own memory.
func (p *Parser) keepContext(context []byte) string {
	p.context = context[:0]
	if len(context) == 0 {
		return ""
	}
	context = context[:min(len(context), conn.MaxContext)]
	return p.names.intern(unsafe.String(unsafe.SliceData(context), len(context))) // which keeps a clone
}

// contextField is a field of id.ctx in a JSON row.
type contextField struct{ name, value string }

// jsonContext gathers those of a row.
type jsonContext struct {
	unset  string
	fields []contextField
}

// nestedIn returns what precedes the keys of an object within a row, "id." or
// "id.ctx."; "" if it is neither.
func nestedIn(prefix, key, value string) string {
	switch {
	case value[0] != '{':
	case prefix == "" && key == "id":
		return "id."
	case prefix == "id." && key == "ctx":
		return "id.ctx."
	}
	return ""
}

// add takes over a key and its value where it is one of id.ctx's.
func (c *jsonContext) add(prefix, key, value string) (err error) {
	if prefix == "" && (len(key) < len("id.ctx.") || key[0] != 'i') {
		return nil
	}
	name, ok := ContextField(prefix + key)
	if !ok {
		return nil
	}
	switch value[0] {
	case '"':
		if value, err = unquoteJSON(value); err != nil {
			return &Error{Field: prefix + key, Err: err}
		}
	case '{', '[':
		return nil
	default:
		switch value {
		case "null":
			return nil
		case "true":
			value = "T"
		case "false":
			value = "F"
		}
	}
	if value != c.unset {
		c.fields = append(c.fields, contextField{name, value})
	}
	return nil
}

// contextOfPairs returns the context of the row with those fields.
func (p *Parser) contextOfPairs() string {
	if len(p.pairs) == 0 {
		return ""
	}
	slices.SortStableFunc(p.pairs, func(a, b contextField) int { return strings.Compare(a.name, b.name) })
	context, before := p.context[:0], ""
	for _, f := range p.pairs {
		if f.name != before {
			context = conn.AppendContext(context, f.name, f.value)
		}
		before = f.name
	}
	return p.keepContext(context)
}
