package zeeklog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Format is how a log is written down.
type Format uint8

const (
	TSV  Format = iota // Zeek's, or with one line of names as header (LogAscii's tsv option)
	JSON               // one object a line
	CSV                // RFC 4180 with one line of names as header, a row a line
)

// String returns the name of the format, as in messages.
func (f Format) String() string { return [...]string{"TSV", "JSON", "CSV"}[f] }

// layout is what header lines say about the rows after them. It is immutable:
// header lines make a new one.
type layout struct {
	format Format
	tsvNotation
	meta     string   // what header lines begin with; "" if their keys alone tell them
	given    *Names   // what the caller said of the columns
	names    []string // of the columns
	fields   []field  // the same
	places   []int    // of a log that is not conn.log, in place of fields: of the columns in its Schema, or −1
	context  []contextColumn
	absent   []field     // conn.log's that have no column
	lacks    conn.Fields // the bits of absent
	compound field       // the one in a column of several names and values with spaces between, else noField
	err      error       // why no row under this header can be used
	missing  []string    // err: columns that each conn.log has
	renamed  []string    // err: these columns are missing beside others that only a conn.log has
}

// start returns the layout before any header line: Zeek's defaults
// (scripts/base/frameworks/logging/main.zeek).
func start(format Format) *layout {
	l := &layout{format: format, meta: defaultMeta, err: errNoFields}
	l.sep, l.setSep, l.empty, l.unset = "\t", ",", "(empty)", "-"
	switch format {
	case JSON:
		l.err = nil
	case CSV:
		l.sep = ","
	}
	return l
}

// again returns the layout in which another log begins under l: what was found out
// about the file as a whole stays.
func (l *layout) again() *layout {
	next := start(l.format)
	next.meta, next.given = l.meta, l.given
	if order := l.given.ordered(); order != nil {
		next.setNames(order)
	}
	return next
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
		if isOpen(line) {
			next.err = fmt.Errorf("the CSV header: %w", errOpenQuote)
		}
		return &next
	}
	rest, meta := l.cutMeta(line)
	if !meta {
		if l.names != nil {
			return l
		}
		next.setNames(strings.Split(line, l.sep)) // LogAscii's tsv option
		return &next
	}
	if value, ok := strings.CutPrefix(rest, "separator "); ok {
		next = *l.again() // a new log begins
		if next.sep = unescape(value); next.sep == "" {
			next.sep = "\t"
		}
		return &next
	}
	key, value, _ := strings.Cut(rest, l.sep)
	switch key {
	case "set_separator":
		if next.setSep = unescape(value); next.setSep == "" {
			next.setSep = l.setSep // nothing cannot separate
		}
	case "empty_field":
		next.empty = unescape(value)
	case "unset_field":
		next.unset = unescape(value)
	case "fields":
		next.setNames(strings.Split(value, l.sep))
	default:
		return l
	}
	return &next
}

// setNames sets the columns, by the caller's names where those are given. A
// labelled log (netflowlabeler, IoT-23) can hold
// several names in its last column, with spaces between: "tunnel_parents
// label   detailed-label".
func (l *layout) setNames(names []string) {
	l.names, l.fields, l.compound, l.err = names, make([]field, len(names)), noField, nil
	l.absent, l.lacks, l.missing, l.renamed = nil, 0, nil, nil
	l.context = contextColumns(names)
	if s := l.schema(); s != nil {
		l.setSchema(s, names)
		return
	}
	if order := l.given.ordered(); order != nil {
		if len(order) != len(names) {
			l.err = fmt.Errorf("%d columns where --columns-in names %d", len(names), len(order))
			return
		}
		names, l.names, l.context = order, order, contextColumns(order)
	}
	var seen [numField + 1]bool
	for i, name := range names {
		first, _, several := strings.Cut(name, " ")
		f := l.fieldNamed(first)
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
		l.lacks |= absentBits[f]
		if columns[f].required || f == connState { // conn_state is in no other log of Zeek
			missing = append(missing, columns[f].name)
		}
	}
	if l.missing = missing; missing != nil {
		if seen[connState] || seen[missedBytes] || seen[origPkts] {
			l.renamed = missing
		}
		l.err = fmt.Errorf("not a conn.log: no column %s", strings.Join(missing, ", "))
	}
}

// fieldNamed returns the field that a column is, or noField.
func (l *layout) fieldNamed(name string) field {
	if f := fieldNamed(name); f != noField {
		return f
	}
	return l.given.field(name)
}

// refused is why a log cannot be read at all whose first header, head, made l.
func (l *layout) refused(head string) error {
	if l.schema() != nil {
		return l.refusedSchema(head)
	}
	if l.missing != nil && l.renamed == nil {
		if path := l.pathOf(head); path != "" {
			return fmt.Errorf("not a conn.log but %s.log: no column %s", path, strings.Join(l.missing, ", "))
		}
	}
	return withOtherNames(l.err, l.renamed)
}

// withOtherNames adds to an error how to say what missing columns are called.
func withOtherNames(err error, missing []string) error {
	if missing == nil {
		return err
	}
	return fmt.Errorf("%w; if they have other names: --columns-in NAME=%s", err, strings.Join(missing, ",NAME="))
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
