package zeeklog

import (
	"errors"
	"fmt"
	"strings"
)

// What JSON can be that is not one object a line.
var (
	errArray    = errors.New("not JSON lines but a JSON array: jq -c '.[]' makes lines of it")
	errSeveral  = errors.New("not JSON lines but objects without line ends between them: jq -c . writes one a line")
	errIndented = errors.New("not JSON lines but an object over several lines: jq -c . makes one line of it")
)

// notJSONLines says, by its first line, why a log cannot be read as one object
// a line. An object that is only damaged is a bad row like others.
func notJSONLines(line string, names *Names) error {
	text := strings.TrimSpace(line)
	if text[0] == '[' {
		return errArray
	}
	o := jsonObject{text: text, escapes: true, given: names}
	end, err := o.read(0, "")
	if errors.Is(err, errCut) && strings.IndexByte("{[,", text[len(text)-1]) >= 0 {
		return errIndented
	}
	if err == nil && followed(text[end:], 2) {
		return errSeveral
	}
	missing := jsonFields.required &^ o.seen
	if err != nil || missing == 0 {
		return nil
	}
	if path := wrappedRow(text[:end], wrapDepth); path != "" {
		return fmt.Errorf("not a conn.log: its rows are wrapped under keys: jq -c '%s' takes them out", path)
	}
	telling := jsonFields.telling&o.seen != 0
	if !telling && o.seen&(1<<ts|1<<origH) != 0 {
		return nil // another log's row, in a stream of several
	}
	absent := fieldNamesOf(missing)
	err = fmt.Errorf("not a conn.log: no key %s", strings.Join(absent, ", "))
	if !telling {
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

// wrapDepth is how many keys rows are looked for below: Elasticsearch's have
// three (hits.hits[]._source).
const wrapDepth = 5

// wrappedRow finds rows of conn.log inside an object and returns jq's path to
// them, "" where there are none.
func wrappedRow(object string, depth int) (path string) {
	members := jsonMembers{text: object, escapes: true}
	for depth > 0 {
		m, ok, err := members.next()
		if err != nil || !ok {
			return ""
		}
		key, value := jqKey(m.key), object[m.value:m.end]
		if key == "" {
			continue
		}
		if value[0] == '[' {
			first := skipSpace(value, 1)
			list := jsonMembers{text: value, escapes: true}
			if first >= len(value) || value[first] != '{' {
				continue
			}
			end, err := list.nestedEnd(first)
			if err != nil {
				return ""
			}
			key, value = key+"[]", value[first:end]
		}
		switch {
		case isRowText(value):
			return key + "|fromjson"
		case value[0] != '{':
		case isRow(value):
			return key
		default:
			if below := wrappedRow(value, depth-1); below != "" {
				return key + below
			}
		}
	}
	return ""
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
func isRow(object string) bool {
	const enough = 1<<origH | 1<<respH | 1<<proto
	o := jsonObject{text: object, escapes: true}
	_, err := o.read(0, "")
	return err == nil && o.seen&enough == enough
}

// isRowText is isRow for an object that was made a string, as container
// runtimes and log shippers do.
func isRowText(value string) bool {
	if !strings.HasPrefix(value, `"{`) {
		return false
	}
	text, err := unquoteJSON(value)
	return err == nil && isRow(text)
}
