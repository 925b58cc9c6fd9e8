package zeeklog

import "strings"

// Column is a column to add.
type Column struct {
	Name string // "anomaly_score"
	Type string // Zeek's, for the #types line: "double", "string"
}

// AddColumns writes logs through in their own format with columns added, all
// else byte for byte. It is safe for concurrent use.
//
// A new column comes last. A column of that name that is there already keeps
// its place and gets the new values. An unset value is the log's #unset_field
// in TSV and empty in CSV; in JSON the key is left out. Rows that cannot be
// used get unset values.
type AddColumns struct {
	columns []Column
	keys    []string // the names as JSON keys, with colon
}

// NewAddColumns returns a writer that adds the columns in the order given.
func NewAddColumns(columns ...Column) *AddColumns {
	a := &AddColumns{columns: columns}
	for _, c := range columns {
		a.keys = append(a.keys, string(appendQuoted(nil, c.Name))+":")
	}
	return a
}

// Append appends the text of a parsed block. values sets v, which is unset
// before and as long as there are columns, for blk.Rows[i]; it is called for
// the rows without error, in order. Where a is nil nothing is appended and values
// gets no v.
func (a *AddColumns) Append(dst []byte, blk *Block, values func(i int, v []Value)) []byte {
	if a == nil {
		for i := range blk.Rows {
			if blk.Rows[i].Err == nil {
				values(i, nil)
			}
		}
		return dst
	}
	dst = a.appendHead(dst, blk)
	r := rewriter{AddColumns: a, layout: blk.layout, values: make([]Value, len(a.columns))}
	if blk.layout != nil {
		r.places, r.replaces = a.places(blk.layout)
	}
	done := blk.head
	for i := range blk.Rows {
		row := &blk.Rows[i]
		clear(r.values)
		if row.Err == nil {
			values(i, r.values)
		}
		dst = append(dst, blk.text[done:row.end-len(row.Raw)]...)
		if blk.layout.format == JSON {
			dst = r.appendObject(dst, row)
		} else {
			dst = r.appendFields(dst, row)
		}
		done = row.end
	}
	return append(dst, blk.text[done:]...)
}

// appendHead appends header lines and comments; the lines with names and types
// are extended.
func (a *AddColumns) appendHead(dst []byte, blk *Block) []byte {
	l := blk.before
	text := blk.text[:blk.head]
	if strings.HasPrefix(text, byteOrderMark) && blk.line == 1 {
		dst, text = append(dst, byteOrderMark...), text[len(byteOrderMark):]
	}
	for at := 0; at < len(text); {
		line, next := cutLine(text, at)
		end := at + len(line)
		if line != "" && l.format != JSON {
			l = l.header(line)
			line = a.headerLine(l, line)
		}
		dst = append(append(dst, line...), text[end:next]...)
		at = next
	}
	return dst
}

// headerLine extends a header line under the layout l that it led to.
func (a *AddColumns) headerLine(l *layout, line string) string {
	places, _ := a.places(l)
	rest, meta := line, false
	if l.format == TSV {
		rest, meta = l.cutMeta(line)
	}
	switch {
	case meta && strings.HasPrefix(rest, "types"):
		fields := strings.Split(rest, l.sep) // the first is the key itself
		for k, c := range a.columns {
			if i := places[k] + 1; i == 0 {
				fields = append(fields, c.Type)
			} else if i < len(fields) {
				fields[i] = c.Type
			}
		}
		return line[:len(line)-len(rest)] + strings.Join(fields, l.sep)
	case !meta || strings.HasPrefix(rest, "fields"):
		for k, c := range a.columns {
			if places[k] < 0 {
				line += l.sep + c.Name
			}
		}
	}
	return line
}

// places returns for each column to add where it stands already, else −1.
func (a *AddColumns) places(l *layout) (places []int, replaces bool) {
	for _, c := range a.columns {
		i := l.index(c.Name)
		places = append(places, i)
		replaces = replaces || i >= 0
	}
	return places, replaces
}

// rewriter appends rows under one layout.
type rewriter struct {
	*AddColumns
	layout   *layout
	places   []int
	replaces bool
	values   []Value // of the row
	fields   []string
}

// appendFields appends a TSV or CSV row.
func (r *rewriter) appendFields(dst []byte, row *Row) []byte {
	l := r.layout
	if !r.replaces {
		dst = append(dst, row.Raw...)
	} else if l.format == CSV {
		r.fields = splitCSV(r.fields[:0], row.Raw)
		dst = r.appendReplaced(dst, row.Raw)
	} else {
		r.fields = splitTSV(r.fields[:0], row.Raw, l.sep)
		dst = r.appendReplaced(dst, row.Raw)
	}
	for k := range r.values {
		if r.places[k] < 0 {
			dst = r.appendValue(append(dst, l.sep...), k)
		}
	}
	return dst
}

// appendReplaced appends the row's fields with the old values replaced, or the
// row as it stands if it has more or fewer fields than the header.
func (r *rewriter) appendReplaced(dst []byte, raw string) []byte {
	if len(r.fields) != len(r.layout.names) {
		return append(dst, raw...)
	}
	for k, i := range r.places {
		if i >= 0 {
			r.fields[i] = string(r.appendValue(nil, k))
		}
	}
	for i, field := range r.fields {
		if i > 0 {
			dst = append(dst, r.layout.sep...)
		}
		dst = append(dst, field...)
	}
	return dst
}

// appendValue appends the k-th value to a TSV or CSV row.
func (r *rewriter) appendValue(dst []byte, k int) []byte {
	v := &r.values[k]
	switch {
	case r.layout.format == CSV && v.kind == unsetValue:
		return dst
	case r.layout.format == CSV:
		return v.append(dst, csvNotation{})
	case v.kind == unsetValue:
		return append(dst, r.layout.unset...)
	}
	return v.append(dst, &r.layout.tsvNotation)
}
