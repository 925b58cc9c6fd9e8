package zeeklog

import (
	"errors"
	"fmt"
	"strings"
)

// Format is how a log is written down.
type Format uint8

const (
	TSV  Format = iota // Zeek's, or with one line of names as header (LogAscii's tsv option)
	JSON               // one object a line
	CSV                // RFC 4180 with one line of names as header, a row a line
)

// String is the name of the format, as in messages.
func (f Format) String() string { return [...]string{"TSV", "JSON", "CSV"}[f] }

// layout is what header lines say about the rows after them. It is immutable:
// header lines make a new one.
type layout struct {
	format Format
	tsvNotation
	names    []string // of the columns
	fields   []field  // the same
	absent   []field  // conn.log's that have no column
	compound field    // the one in a column of several names and values with spaces between, else noField
	err      error    // why no row under this header can be used
}

// start is the layout before any header line: Zeek's defaults
// (scripts/base/frameworks/logging/main.zeek).
func start(format Format) *layout {
	l := &layout{format: format, err: errNoFields}
	l.sep, l.setSep, l.empty, l.unset = "\t", ",", "(empty)", "-"
	switch format {
	case JSON:
		l.err = nil
	case CSV:
		l.sep = ","
	}
	return l
}

var errNoFields = errors.New("no #fields line before the first row")

// header returns the layout after a header line (without its end).
func (l *layout) header(line string) *layout {
	next := *l
	if l.format == CSV {
		names := splitCSV(nil, line)
		for i := range names {
			names[i] = unquote(names[i])
		}
		next.setNames(names)
		return &next
	}
	if value, ok := strings.CutPrefix(line, "#separator "); ok {
		next = *start(TSV) // a new log begins
		if next.sep = unescape(value); next.sep == "" {
			next.sep = "\t"
		}
		return &next
	}
	key, value, _ := strings.Cut(line, l.sep)
	switch key {
	case "#set_separator":
		if next.setSep = unescape(value); next.setSep == "" {
			next.setSep = l.setSep // nothing cannot separate
		}
	case "#empty_field":
		next.empty = unescape(value)
	case "#unset_field":
		next.unset = unescape(value)
	case "#fields":
		next.setNames(strings.Split(value, l.sep))
	default:
		if l.names != nil || strings.HasPrefix(line, "#") {
			return l
		}
		next.setNames(strings.Split(line, l.sep)) // LogAscii's tsv option
	}
	return &next
}

// changesLayout reports whether a line that begins with # has a meaning for
// the rows after it; others are comments.
func changesLayout(line string) bool {
	for _, key := range [...]string{"#fields", "#separator", "#set_separator", "#empty_field", "#unset_field", "#types"} {
		if strings.HasPrefix(line, key) {
			return true
		}
	}
	return false
}

// setNames sets the columns. A labelled log (netflowlabeler, IoT-23) can hold
// several names in its last column, with spaces between: "tunnel_parents
// label   detailed-label".
func (l *layout) setNames(names []string) {
	l.names, l.fields, l.compound, l.err = names, make([]field, len(names)), noField, nil
	l.absent = nil
	var seen [numField + 1]bool
	for i, name := range names {
		first, _, several := strings.Cut(name, " ")
		f := fieldNamed(first)
		if f == noField || seen[f] {
			f, several = noField, false
		}
		if l.fields[i], seen[f] = f, true; several {
			l.compound = f
		}
	}
	var missing []string
	for f := range numField {
		if seen[f] {
			continue
		}
		l.absent = append(l.absent, f)
		if columns[f].required || f == connState { // conn_state is in no other log of Zeek
			missing = append(missing, columns[f].name)
		}
	}
	if missing != nil {
		l.err = fmt.Errorf("not a conn.log: no column %s", strings.Join(missing, ", "))
	}
}

// index returns the position of a column, -1 when there is none.
func (l *layout) index(name string) int {
	for i, n := range l.names {
		if n == name {
			return i
		}
	}
	return -1
}
