package zeeklog

import "strings"

// HasColumn reports whether the rows of the block have a column of that name.
// JSON has no header: there it is true.
func (blk *Block) HasColumn(name string) bool {
	l := blk.layout
	return l != nil && (l.format == JSON || l.index(name) >= 0)
}

// Unset reports whether the header names the column and the row has no value in
// it. JSON leaves such keys out, so that there it is false.
func (blk *Block) Unset(row *Row, name string) bool {
	l := blk.layout
	if l == nil || l.format == JSON || l.index(name) < 0 {
		return false
	}
	_, set := blk.Value(row, name)
	return !set
}

// Value returns the text of the column of that name in a row of the block, also
// of one that conn.log does not know, as (*Reader).Value does; it is false
// where the value is unset, too. It is meant for columns near the end of a row,
// where packages add theirs, and does not allocate for the values of TSV and
// JSON that have no escapes.
func (blk *Block) Value(row *Row, name string) (string, bool) {
	l := blk.layout
	switch {
	case l == nil:
		return "", false
	case l.format == JSON:
		if !row.unknown {
			return "", false
		}
		if value, ok := plainJSONValue(row.Raw, name); ok {
			return value, true
		}
		if !strings.Contains(row.Raw, name) && strings.IndexByte(row.Raw, '\\') < 0 {
			return "", false // decoding all of it would only say so, too
		}
		return jsonValue(row.Raw, name)
	case l.format == CSV || len(l.sep) != 1:
		r := Reader{block: *blk}
		value, ok := r.Value(row, name)
		return value, ok && value != l.unset
	}
	i := l.index(name)
	if i < 0 {
		return "", false
	}
	// From the end, as the column stands there.
	end := len(row.Raw)
	for n := len(l.names) - 1; n > i; n-- {
		if end = strings.LastIndexByte(row.Raw[:end], l.sep[0]); end < 0 {
			return "", false
		}
	}
	value := row.Raw[strings.LastIndexByte(row.Raw[:end], l.sep[0])+1 : end]
	if value == l.unset {
		return "", false
	}
	return unescape(value), true
}

// plainJSONValue finds a key's value in an object as Zeek writes it: no spaces.
// Inside a string the quotes around the key would be escaped, so it cannot be
// taken for one.
func plainJSONValue(object, name string) (string, bool) {
	at := len(object)
	for {
		at = strings.LastIndex(object[:at], name)
		if at < 0 {
			return "", false
		}
		after := at + len(name)
		if at > 1 && object[at-1] == '"' && (object[at-2] == ',' || object[at-2] == '{') && strings.HasPrefix(object[after:], `":`) {
			break
		}
	}
	value := object[at+len(name)+2:]
	end := strings.IndexAny(value, ",}")
	if end <= 0 || strings.ContainsAny(value[:1], "\"{[ ") || value[:end] == "null" {
		return "", false
	}
	return value[:end], true
}
