package zeeklog

import (
	"errors"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// parseCSV parses a row under l's columns. An empty field and "-" are unset.
func (p *Parser) parseCSV(l *layout, row *Row) error {
	p.fields = splitCSV(p.fields[:0], row.Raw)
	if len(p.fields) != len(l.fields) {
		return wrongColumns(len(p.fields), l)
	}
	if isOpen(row.Raw) {
		return errOpenQuote
	}
	var v texts
	for i, f := range l.fields {
		v[f] = unquote(p.fields[i])
	}
	for f := range v {
		if v[f] == "" {
			v[f] = l.unset
		}
	}
	err := v.parse(&row.Conn, l, false)
	row.Conn.Context = p.contextOf(l)
	return err
}

// contextOf returns that of the row in fields, of CSV or of a log that is not conn.log.
func (p *Parser) contextOf(l *layout) string {
	if l.context == nil {
		return ""
	}
	context := p.context[:0]
	for _, c := range l.context {
		text := p.fields[c.at]
		if l.format == CSV {
			if text = unquote(text); text == "" {
				continue
			}
		}
		context = appendContext(context, c.name, text, l, l.format == TSV && p.escapes)
	}
	return p.keepContext(context)
}

// splitCSV appends the fields of a line, quotes included.
func splitCSV(fields []string, line string) []string {
	start, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				fields = append(fields, line[start:i])
				start = i + 1
			}
		}
	}
	return append(fields, line[start:])
}

var errOpenQuote = errors.New("a quotation mark is not closed on its line")

// isOpen reports whether a line ends inside quotes, where a column added would
// become part of the last one.
func isOpen(line string) bool { return strings.Count(line, `"`)%2 != 0 }

// unquote takes off a field's quotes.
func unquote(field string) string {
	if len(field) < 2 || field[0] != '"' || field[len(field)-1] != '"' {
		return field
	}
	return strings.ReplaceAll(field[1:len(field)-1], `""`, `"`)
}

// csvNotation writes values as RFC 4180 does: in quotes where that is needed.
type csvNotation struct{}

func (csvNotation) seconds(dst []byte, m conn.Micros) []byte { return appendSeconds(dst, m) }
func (csvNotation) double(dst []byte, f float64) []byte      { return appendDouble(dst, f) }

func (csvNotation) count(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

func (csvNotation) text(dst []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	dst = append(dst, strings.ReplaceAll(s, `"`, `""`)...)
	return append(dst, '"')
}
