package zeeklog

import (
	"errors"
	"fmt"
	"strings"
)

// errNotLines is JSON that is not one object a line; jq with the path to the
// rows makes that of it.
type errNotLines struct {
	what string // "a JSON array"
	path string // of jq, or "" if no rows are found
	then string // what jq does where the rows are not wrapped
}

func (e *errNotLines) Error() string {
	switch e.path {
	case "", ".":
		return "not JSON lines but " + e.what + ": " + e.then
	case ".[]":
		return "not JSON lines but " + e.what + ": jq -c '.[]' makes lines of it"
	}
	return "not JSON lines but " + e.what + " with wrapped rows: jq -c '" + e.path + "' makes lines of them"
}

// Beginnings of what is not JSON lines.
const (
	anArray     = "a JSON array"
	several     = "objects without line ends between them"
	overSeveral = "an object over several lines"
)

// notJSONLines says why a log cannot be read as one object a line, by its first
// line; more is what is known of the text from there. An object that is only
// damaged is a bad row like others.
func notJSONLines(line string, more func() string, names *Names) error {
	text := strings.TrimSpace(line)
	if text[0] == '[' {
		return &errNotLines{anArray, rowsIn(more(), names), "jq -c '.[]' makes lines of it"}
	}
	o := jsonObject{text: text, escapes: true, given: names}
	end, err := o.read(0, "")
	if errors.Is(err, errCut) && strings.IndexByte("{[,", text[len(text)-1]) >= 0 {
		return &errNotLines{overSeveral, rowsIn(more(), names), "jq -c . makes one line of it"}
	}
	if err == nil && followed(text[end:], 2) {
		return &errNotLines{several, rowsIn(text, names), "jq -c . writes one a line"}
	}
	missing := jsonFields.required &^ o.seen
	if err != nil || missing == 0 {
		return nil
	}
	if path := rowsIn(text[:end], names); path != "" && path != "." {
		return fmt.Errorf("not a conn.log: its rows are wrapped under keys: jq -c '%s' takes them out", path)
	}
	telling := jsonFields.telling&o.seen != 0
	if !telling && o.seen&(1<<ts|1<<origH) != 0 {
		return nil // another log's row, in a stream of several
	}
	absent := fieldNamesOf(missing)
	err = fmt.Errorf("not a conn.log: no key %s", strings.Join(absent, ", "))
	if !telling {
		if kind := kindOf(text); kind != "" {
			err = fmt.Errorf("%w: a row of %s", err, kind)
		}
		absent = nil
	}
	return withOtherNames(err, absent)
}

// followed reports whether n whole objects follow on the line: two writers can
// have got into each other's way, but not three.
func followed(text string, n int) bool {
	for i := 0; n > 0; n-- {
		i = skipSpace(text, i)
		list := jsonMembers{text: text, escapes: true}
		if i >= len(text) || text[i] != '{' {
			return false
		}
		var err error
		if i, err = list.nestedEnd(i); err != nil {
			return false
		}
	}
	return true
}

// fieldNamesOf names fields given as bits.
func fieldNamesOf(fields uint32) (names []string) {
	for f := range numField {
		if fields&(1<<f) != 0 {
			names = append(names, columns[f].name)
		}
	}
	return names
}

// wrapDepth is how many keys and arrays rows are looked for below:
// Elasticsearch's have four (hits.hits[]._source).
const wrapDepth = 8

// rowsIn finds rows of conn.log in JSON text, of which the end may be missing,
// and returns jq's path to them: "." for the value itself, or "" if there are
// none.
func rowsIn(text string, names *Names) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
	w := wrapped{names}
	if path, ok := w.path(text, wrapDepth); ok {
		if !strings.HasPrefix(path, ".") {
			path = "." + path
		}
		return path
	}
	return ""
}

// wrapped looks for rows.
type wrapped struct{ names *Names }

// path is jq's path from a value to rows in it, and whether there are any.
func (w wrapped) path(value string, depth int) (string, bool) {
	switch {
	case value == "":
		return "", false
	case value[0] == '"':
		return "|fromjson", w.isRowText(value)
	case value[0] == '[':
		if first := skipSpace(value, 1); first < len(value) && depth > 0 {
			list := jsonMembers{text: value, escapes: true}
			end, err := list.valueEnd(first)
			if err != nil {
				end = len(value)
			}
			below, ok := w.path(value[first:end], depth-1)
			return "[]" + below, ok
		}
		return "", false
	case value[0] != '{':
		return "", false
	case w.isRow(value):
		return "", true
	}
	members := jsonMembers{text: value, escapes: true}
	for depth > 0 {
		m, ok, err := members.next()
		if cut := errors.Is(err, errCut) && m.value > m.start && m.value < len(value); !ok && !cut {
			break
		} else if cut {
			m.end = len(value)
		}
		if key := jqKey(m.key); key != "" {
			if below, ok := w.path(value[m.value:m.end], depth-1); ok {
				return key + below, true
			}
		}
		if err != nil {
			break
		}
	}
	return "", false
}

// jqKey is jq's path for a key, "" for one that would need quoting twice.
func jqKey(key string) string {
	plain := key != ""
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', '0' <= c && c <= '9' && i > 0:
		case c < ' ', c == '\'', c == '"', c == '\\', c == '$', c >= 0x7f:
			return ""
		default:
			plain = false
		}
	}
	if plain {
		return "." + key
	}
	return `."` + key + `"`
}

// isRow reports whether an object is a row of conn.log, as far as its keys tell.
func (w wrapped) isRow(object string) bool {
	const enough = 1<<origH | 1<<respH | 1<<proto
	o := jsonObject{text: object, escapes: true, given: w.names}
	_, err := o.read(0, "")
	return (err == nil || errors.Is(err, errCut)) && o.seen&enough == enough
}

// isRowText is isRow for an object that was made a string, as container
// runtimes and log shippers do.
func (w wrapped) isRowText(value string) bool {
	if !strings.HasPrefix(value, `"{`) || len(value) < 3 || value[len(value)-1] != '"' {
		return false
	}
	text, err := unquoteJSON(value)
	return err == nil && w.isRow(text)
}
