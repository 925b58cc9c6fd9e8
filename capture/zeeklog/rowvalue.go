package zeeklog

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Value returns the text of the column of that name in the row last read, also
// of a column that conn.log does not know, such as a label. Where the log's
// last column holds several names with spaces between (netflowlabeler, IoT-23:
// "tunnel_parents   label   detailed-label"), each is found. It is false if
// there is no such column or key.
func (r *Reader) Value(row *Row, name string) (string, bool) {
	l := r.block.layout
	if l == nil {
		return "", false
	}
	if l.format == JSON {
		return jsonValue(row.Raw, name)
	}
	for i, names := range l.names {
		part := 0
		for j, n := range strings.Fields(names) {
			if n == name {
				part = j + 1
			}
		}
		if part == 0 {
			continue
		}
		var fields []string
		if l.format == CSV {
			if fields = splitCSV(nil, row.Raw); i < len(fields) {
				fields[i] = unquote(fields[i])
			}
		} else {
			fields = strings.Split(row.Raw, l.sep)
		}
		if i >= len(fields) {
			return "", false
		}
		if !strings.Contains(names, " ") {
			return fields[i], true
		}
		parts := strings.Fields(fields[i])
		if part > len(parts) {
			return "", false
		}
		return parts[part-1], true
	}
	return "", false
}

// jsonValue returns the text of a key's value: of a string its content.
func jsonValue(object, name string) (string, bool) {
	var values map[string]any
	d := json.NewDecoder(strings.NewReader(object))
	d.UseNumber()
	if d.Decode(&values) != nil {
		return "", false
	}
	value, ok := values[name]
	if !ok || value == nil {
		return "", false
	}
	return fmt.Sprint(value), true
}
