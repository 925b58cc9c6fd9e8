package zeeklog

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Schema says which columns of a log other than conn.log are read. Rows then
// have Fields in place of a Conn; all other columns go through as those of
// conn.log do.
type Schema struct {
	Log      string   // #path, "dns"
	Columns  []string // in Zeek's order
	Required []string // which each row has
	Telling  []string // of which a row has at least one, and no other log of Zeek
}

// place returns where the column stands in Columns, −1 where it does not.
func (s *Schema) place(name string) int { return slices.Index(s.Columns, name) }

// missing says what is not there that makes rows of the log, by whether a
// column or a key is; "" for nothing.
func (s *Schema) missing(has func(place int) bool) string {
	var missing []string
	for _, name := range s.Required {
		if !has(s.place(name)) {
			missing = append(missing, name)
		}
	}
	if !slices.ContainsFunc(s.Telling, func(name string) bool { return has(s.place(name)) }) {
		missing = append(missing, s.Telling...)
	}
	return strings.Join(missing, ", ")
}

// Of says that the log is one of that schema. It is called before the first
// Next, and not beside Named.
func (b *Blocks) Of(s *Schema) *Blocks {
	b.names = s.Names()
	return b
}

// Of is as (*Blocks).Of, before the first Read.
func (r *Reader) Of(s *Schema) *Reader {
	r.blocks.Of(s)
	return r
}

// schema returns what the caller said that the log is, nil for conn.log.
func (l *layout) schema() *Schema {
	if l == nil || l.given == nil {
		return nil
	}
	return l.given.schema
}

// setSchema sets the columns of a log that is not conn.log.
func (l *layout) setSchema(s *Schema, names []string) {
	l.places = make([]int, len(names))
	seen := make([]bool, len(s.Columns))
	for i, name := range names {
		p := s.place(name)
		if p >= 0 && seen[p] {
			p = -1
		}
		if l.places[i] = p; p >= 0 {
			seen[p] = true
		}
	}
	if missing := s.missing(func(place int) bool { return seen[place] }); missing != "" {
		l.err = fmt.Errorf("not a %s.log: no column %s", s.Log, missing)
	}
}

// refusedSchema is why a log cannot be read at all whose first header is head.
func (l *layout) refusedSchema(head string) error {
	for line := range strings.Lines(head) {
		rest, _ := l.cutMeta(strings.TrimRight(line, "\r\n"))
		if key, path, ok := strings.Cut(rest, l.sep); ok && key == "path" && path != l.schema().Log {
			return fmt.Errorf("not a %s.log but %s.log", l.schema().Log, path)
		}
	}
	return l.err
}

// Field is the value of a column of a Schema in a row. Its text is a part of the
// block's, or of the row's own where there were escapes.
type Field struct {
	text string
	is   presence
	from *layout
}

type presence uint8

const (
	noColumn presence = iota
	unsetField
	plainField   // text as the log writes it
	decodedField // text that is what it stands for
	listField    // a JSON array
)

// Absent reports whether the log has no such column. JSON leaves out what is
// unset: there a field is never absent.
func (f *Field) Absent() bool { return f.is == noColumn }

// IsSet reports whether there is a value.
func (f *Field) IsSet() bool { return f.is > unsetField }

// Text returns the value of a string.
func (f *Field) Text() string {
	if f.is != plainField {
		return f.text
	}
	return f.from.text(f.text, true)
}

// Elements yields the elements of a vector or set. An error says that it is none.
func (f *Field) Elements(yield func(string)) error {
	switch {
	case f.is == listField:
		var list []any
		d := json.NewDecoder(strings.NewReader(f.text))
		d.UseNumber()
		if err := d.Decode(&list); err != nil {
			return fmt.Errorf("%s is not an array", quote(f.text))
		}
		for _, e := range list {
			if e == nil { // unset
				yield("-")
				continue
			}
			yield(fmt.Sprint(e))
		}
	case f.is == decodedField:
		yield(f.text)
	case f.is == plainField && f.text != f.from.empty:
		for text, more := f.text, true; more; {
			var element string
			element, text, more = strings.Cut(text, f.from.setSep)
			yield(f.from.text(element, true))
		}
	}
	return nil
}

// Time returns the value of a time.
func (f *Field) Time() (conn.Micros, error) { return parseTime(f.text) }

// Seconds returns the value of an interval.
func (f *Field) Seconds() (conn.Micros, error) { return ParseSeconds(f.text) }

// ParseSeconds parses an interval, such as an element of a vector of them.
func ParseSeconds(s string) (conn.Micros, error) { return parseSeconds(s) }

// Count returns the value of a count.
func (f *Field) Count() (uint64, error) { return parseCount(f.text) }

// Addr returns the value of an addr.
func (f *Field) Addr() (netip.Addr, error) { return parseAddr(f.text) }

// Port returns the value of a port.
func (f *Field) Port() (uint16, error) { return parsePort(f.text) }

// Fields returns the values of the columns of the Schema in the i-th row of the
// block, in the order of the schema, and one more for Context; they stay until
// the next Parse.
func (blk *Block) Fields(i int) []Field {
	n := len(blk.layout.schema().Columns) + 1
	return blk.fields[i*n : (i+1)*n]
}

// Context returns that of the row with these Fields, see conn.Host.
func Context(fields []Field) string { return fields[len(fields)-1].text }

// Fields returns those of the row last read.
func (r *Reader) Fields() []Field { return r.block.Fields(r.next - 1) }

// addFields makes room for the fields of another row.
func (blk *Block) addFields(s *Schema) []Field {
	n, more := len(blk.fields), len(s.Columns)+1
	blk.fields = slices.Grow(blk.fields, more)[:n+more]
	fields := blk.fields[n:]
	clear(fields)
	return fields
}

// parseFields parses a row of a log that is not conn.log. Of JSON it says
// whether there are unknown keys.
func (p *Parser) parseFields(l *layout, row *Row, fields []Field) error {
	switch l.format {
	case JSON:
		return p.jsonFields(l, row, fields)
	case CSV:
		if p.fields = splitCSV(p.fields[:0], row.Raw); isOpen(row.Raw) {
			return errOpenQuote
		}
	default:
		p.fields = splitTSV(p.fields[:0], row.Raw, l.sep)
	}
	if len(p.fields) != len(l.places) {
		return wrongColumns(len(p.fields), l)
	}
	for i, place := range l.places {
		if place < 0 {
			continue
		}
		f := Field{text: p.fields[i], is: plainField, from: l}
		if l.format == CSV {
			f.text = unquote(f.text)
		}
		switch {
		case same(f.text, l.unset) || l.format == CSV && f.text == "":
			f.text, f.is = "", unsetField
		case i == 0 && l.format == TSV && p.escapes && f.text != "" && f.text[0] == '\\': // else it would begin as a header line does
			f.text = unescape(f.text)
		}
		fields[place] = f
	}
	fields[len(fields)-1].text = p.contextOf(l)
	return nil
}

// jsonFields parses a JSON object.
func (p *Parser) jsonFields(l *layout, row *Row, fields []Field) error {
	s := l.schema()
	for i := range fields {
		fields[i] = Field{is: unsetField, from: l}
	}
	o := schemaObject{schema: s, layout: l, text: row.Raw, escapes: p.escapes, fields: fields, context: jsonContext{unset: l.unset, fields: p.pairs[:0]}}
	end, err := o.read(skipSpace(row.Raw, 0), "")
	row.unknown = true
	p.pairs = o.context.fields
	if err != nil {
		return err
	}
	if skipSpace(row.Raw, end) < len(row.Raw) {
		return errAfterEnd
	}
	fields[len(fields)-1].text = p.contextOfPairs()
	missing := s.missing(func(place int) bool { return o.seen>>place&1 != 0 })
	if missing == "" {
		return nil
	}
	if kind := kindOf(row.Raw); kind != "" && kind != s.Log+".log" {
		return keyError(fmt.Sprintf("not a row of %s.log but of %s: no %s", s.Log, kind, missing))
	}
	return keyError(fmt.Sprintf("not a row of %s.log: no %s", s.Log, missing))
}

// schemaObject is a JSON row on its way into fields.
type schemaObject struct {
	schema  *Schema
	layout  *layout
	text    string
	escapes bool
	fields  []Field
	context jsonContext
	seen    uint64
	next    int // the column expected next: Zeek keeps its order
}

func (o *schemaObject) read(i int, prefix string) (int, error) {
	members := jsonMembers{text: o.text, at: i, escapes: o.escapes}
	for {
		m, ok, err := members.next()
		if err != nil || !ok {
			return members.at, err
		}
		value := o.text[m.value:m.end]
		place := o.find(prefix, m.key)
		if place < 0 {
			nested := nestedIn(prefix, m.key, value)
			if nested != "" {
				_, err = o.read(m.value, nested)
			} else {
				err = o.context.add(prefix, m.key, value)
			}
			if err != nil {
				return 0, err
			}
			continue
		}
		o.next, o.seen = place+1, o.seen|1<<place
		if err := o.set(&o.fields[place], value); err != nil {
			return 0, &Error{Field: o.schema.Columns[place], Err: err}
		}
	}
}

func (o *schemaObject) find(prefix, key string) int {
	columns := o.schema.Columns
	if o.next < len(columns) {
		if name := columns[o.next]; len(name) == len(prefix)+len(key) && name[:len(prefix)] == prefix && name[len(prefix):] == key {
			return o.next
		}
	}
	if prefix == "" {
		return o.schema.place(key)
	}
	return o.schema.place(prefix + key)
}

func (o *schemaObject) set(f *Field, value string) (err error) {
	*f = Field{from: o.layout}
	switch value[0] {
	case '"':
		f.is = decodedField
		f.text, err = unquoteJSON(value)
	case '[':
		f.is, f.text = listField, value
	case '{':
		return fmt.Errorf("%s where one value belongs", quote(value))
	default:
		if f.is, f.text = decodedField, value; value == "null" {
			f.is, f.text = unsetField, ""
		}
	}
	return err
}

// notJSONLinesOf says why a log of a schema cannot be read as one object a line,
// by its first line.
func notJSONLinesOf(line string) error {
	text := strings.TrimSpace(line)
	if text[0] == '[' {
		return &errNotLines{anArray, ".[]", "jq -c '.[]' makes lines of it"}
	}
	members := jsonMembers{text: text, escapes: true}
	if _, err := members.valueEnd(0); err != nil && strings.IndexByte("{[,", text[len(text)-1]) >= 0 {
		return &errNotLines{overSeveral, "", "jq -c . makes one line of it"}
	}
	return nil
}

// LogOf says of which log of Zeek a text is the beginning, "dns": by its #path
// line, the columns of its header or the first row's keys; "" if these do not
// tell, and for conn.log.
func LogOf(text string) string {
	text = strings.TrimPrefix(text, byteOrderMark)
	first := strings.TrimSpace(text)
	if strings.HasPrefix(first, "{") {
		line, _ := cutLine(first, 0)
		return strings.TrimSuffix(kindOf(line), ".log")
	}
	l := start(TSV)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if prefix, ok := metaPrefix(line); ok {
			l.meta = prefix
		}
		l = l.header(line)
		rest, _ := l.cutMeta(line)
		if path, ok := strings.CutPrefix(rest, "path"+l.sep); ok {
			return logName(`"` + path + `"`)
		}
	}
	line, _ := cutLine(first, 0)
	for _, sep := range headerSeparators {
		names := strings.Split(line, sep)
		has := func(name string) bool { return slices.Contains(names, name) }
		switch {
		case !has("id.orig_h") || has("conn_state"):
		case has("query"):
			return "dns"
		default:
			return strings.TrimSuffix(logOfKeys(has), ".log")
		}
	}
	return ""
}

// Names says that a log's columns are those of the schema, for what follows or
// reads one.
func (s *Schema) Names() *Names { return &Names{schema: s} }
