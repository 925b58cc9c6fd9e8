package zeeklog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// jsonFields says which keys a row of conn.log has, as bits: all of required
// and at least one of telling, which no other log of Zeek has.
var jsonFields = func() (bits struct{ required, telling uint32 }) {
	bits.telling = 1<<connState | 1<<missedBytes | 1<<origPkts
	for f := range numField {
		if columns[f].required {
			bits.required |= 1 << f
		}
	}
	return bits
}()

var (
	errNotObject = errors.New("not a JSON object")
	errAfterEnd  = errors.New("text after the JSON object's end")
)

// parseJSON parses a row that is a JSON object.
func (p *Parser) parseJSON(l *layout, row *Row) error {
	o := jsonObject{text: row.Raw, escapes: p.escapes, unset: l.unset, given: l.given, context: jsonContext{unset: l.unset, fields: p.pairs[:0]}}
	for f := range o.values {
		o.values[f] = l.unset
	}
	end, err := o.read(skipSpace(o.text, 0), "")
	row.unknown, p.pairs = o.unknown, o.context.fields
	if err != nil {
		return err
	}
	if skipSpace(o.text, end) < len(o.text) {
		return errAfterEnd
	}
	if missing := jsonFields.required &^ o.seen; missing != 0 {
		return otherRow(o.text, field(bits.TrailingZeros32(missing)))
	}
	if jsonFields.telling&o.seen == 0 {
		return otherRow(o.text, connState)
	}
	if err := o.values.parse(&row.Conn, l, false); err != nil {
		return err
	}
	row.Conn.Absent &^= row.Conn.Set
	row.Conn.Context = p.contextOfPairs()
	if o.array {
		row.Conn.TunnelParents = o.parents
		row.Conn.Set |= conn.TunnelParents
	}
	return nil
}

// jsonObject is one row on its way into a conn.Conn.
type jsonObject struct {
	text    string
	escapes bool   // text can have backslashes
	unset   string // the text of unset values
	given   *Names // what the caller said of the keys

	seen    uint32 // fields that were there, as bits
	next    field  // the one expected next: Zeek keeps its order
	unknown bool   // there were keys that conn.log does not have
	values  texts
	array   bool // tunnel_parents was an array: parents
	parents []string
	context jsonContext
}

// read reads the object at text[i:], whose keys are preceded by prefix in
// conn.log ("id." for a nested id), and returns its end.
func (o *jsonObject) read(i int, prefix string) (int, error) {
	members := jsonMembers{text: o.text, at: i, escapes: o.escapes}
	for {
		m, ok, err := members.next()
		if err != nil || !ok {
			return members.at, err
		}
		value := o.text[m.value:m.end]
		if f := o.find(prefix, m.key); f != noField {
			o.next = f + 1
			o.seen |= 1 << f
			if err := o.set(f, value); err != nil {
				return 0, &fieldError{f, err}
			}
		} else if nested := nestedIn(prefix, m.key, value); nested != "" {
			if _, err := o.read(m.value, nested); err != nil {
				return 0, err
			}
		} else if err := o.context.add(prefix, m.key, value); err != nil {
			return 0, err
		} else {
			o.unknown = true
		}
	}
}

// find returns the field prefix+key or noField.
func (o *jsonObject) find(prefix, key string) field {
	const skipped = 4 // unset fields are left out; rarely more than four in a row
	for f := o.next; f < numField && f <= o.next+skipped; f++ {
		if name := columns[f].name; len(name) == len(prefix)+len(key) &&
			name[len(prefix):] == key && name[:len(prefix)] == prefix {
			return f
		}
	}
	if f := fieldNamed(prefix + key); f != noField || o.given == nil {
		return f
	}
	return o.given.field(prefix + key)
}

// set keeps the text of a field's value.
func (o *jsonObject) set(f field, value string) (err error) {
	o.array = o.array && f != tunnelParents
	switch {
	case value[0] == '"':
		o.values[f], err = unquoteJSON(value)
		return err
	case value == "null":
		o.values[f] = o.unset
	case value[0] == '[' && f == tunnelParents:
		var parents []string
		if err := json.Unmarshal([]byte(value), &parents); err != nil {
			return fmt.Errorf("%s is not an array of strings", quote(value))
		}
		if o.array, o.parents = true, parents; len(parents) == 0 {
			o.parents = nil // as from TSV
		}
	case value[0] == '{':
		return o.setExtended(f, value)
	case value[0] == '[':
		return fmt.Errorf("%s where one value belongs", quote(value))
	default:
		o.values[f] = value
	}
	return nil
}

func unquoteJSON(text string) (string, error) {
	if strings.IndexByte(text, '\\') < 0 {
		return text[1 : len(text)-1], nil
	}
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return "", fmt.Errorf("%s is not a JSON string", quote(text))
	}
	return s, nil
}

// jsonNotation writes values as Zeek's JSON writer does
// (src/threading/formatters/JSON.cc). Doubles have the fewest digits that give
// them back; one time in a thousand Zeek's (Grisu2) have more digits for the
// same double, never those of a score.
type jsonNotation struct{}

func (jsonNotation) count(dst []byte, v uint64) []byte { return strconv.AppendUint(dst, v, 10) }
func (jsonNotation) boolean(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }
func (jsonNotation) text(dst []byte, s string) []byte  { return appendQuoted(dst, s) }

func (n jsonNotation) seconds(dst []byte, m conn.Micros) []byte { return n.double(dst, m.Seconds()) }

// double follows rapidjson: decimal between 10^-6 and 10^21, always with a
// point there.
func (jsonNotation) double(dst []byte, f float64) []byte {
	start := len(dst)
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		s := strconv.FormatFloat(f, 'e', -1, 64) // has e-07 and e+21 where rapidjson has e-7 and e21
		return append(dst, strings.NewReplacer("e-0", "e-", "e+", "e").Replace(s)...)
	}
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

func (jsonNotation) addr(dst []byte, a netip.Addr) []byte {
	return append(appendAddr(append(dst, '"'), a), '"')
}

func (jsonNotation) set(dst []byte, elements []string) []byte {
	dst = append(dst, '[')
	for i, s := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, s)
	}
	return append(dst, ']')
}
