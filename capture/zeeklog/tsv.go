package zeeklog

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// parseTSV parses a row under l's columns.
func (p *Parser) parseTSV(l *layout, row *Row) error {
	line := row.Raw
	p.ends = append(appendSeparators(p.ends[:0], line, l.sep), len(line))
	if len(p.ends) != len(l.fields) {
		return wrongColumns(len(p.ends), l)
	}
	var v texts
	for _, f := range l.absent {
		v[f] = l.unset
	}
	start := 0
	for i, end := range p.ends {
		v[l.fields[i]] = line[start:end]
		start = end + len(l.sep)
	}
	if p.escapes && line[0] == '\\' { // else the row would begin as a header line does
		if f := l.fields[0]; !keepsEscapes[f] {
			v[f] = unescape(line[:p.ends[0]])
		}
	}
	if l.compound != noField {
		v[l.compound], _, _ = strings.Cut(v[l.compound], " ")
	}
	if err := v.parse(&row.Conn, l, p.escapes); err != nil || l.context == nil {
		return err
	}
	context := p.context[:0]
	for _, c := range l.context {
		start := 0
		if c.at > 0 {
			start = p.ends[c.at-1] + len(l.sep)
		}
		context = appendContext(context, c.name, line[start:p.ends[c.at]], l, p.escapes)
	}
	row.Conn.Context = p.keepContext(context)
	return nil
}

// keepsEscapes are the fields whose escapes (*texts).parse resolves.
var keepsEscapes = [numField + 1]bool{uid: true, service: true, history: true, tunnelParents: true, noField: true}

// splitTSV appends the fields of a line.
func splitTSV(fields []string, line, sep string) []string {
	for more := true; more; {
		var field string
		field, line, more = strings.Cut(line, sep)
		fields = append(fields, field)
	}
	return fields
}

func wrongColumns(n int, l *layout) error {
	return fmt.Errorf("%d columns where the header names %d", n, len(l.names))
}

// tsvNotation writes values as Zeek's TSV writer does
// (src/threading/formatters/Ascii.cc).
type tsvNotation struct{ sep, setSep, empty, unset string }

func (n *tsvNotation) seconds(dst []byte, m conn.Micros) []byte { return appendSeconds(dst, m) }
func (n *tsvNotation) count(dst []byte, v uint64) []byte        { return strconv.AppendUint(dst, v, 10) }
func (n *tsvNotation) double(dst []byte, f float64) []byte      { return appendDouble(dst, f) }
func (n *tsvNotation) addr(dst []byte, a netip.Addr) []byte     { return appendAddr(dst, a) }

func (n *tsvNotation) boolean(dst []byte, b bool) []byte {
	if b {
		return append(dst, 'T')
	}
	return append(dst, 'F')
}

func (n *tsvNotation) text(dst []byte, s string) []byte {
	return n.reserved(dst, s, n.sep)
}

// reserved appends text. What would read as unset or empty has its first byte
// escaped.
func (n *tsvNotation) reserved(dst []byte, s string, separators ...string) []byte {
	switch s {
	case "":
		return append(dst, n.empty...)
	case n.unset, n.empty:
		dst = append(dst, '\\', 'x', hexDigits[s[0]>>4], hexDigits[s[0]&15])
		return appendEscaped(dst, s[1:], separators...)
	}
	return appendEscaped(dst, s, separators...)
}

func (n *tsvNotation) set(dst []byte, elements []string) []byte {
	if len(elements) == 0 {
		return append(dst, n.empty...)
	}
	for i, s := range elements {
		if i > 0 {
			dst = append(dst, n.setSep...)
		}
		dst = n.reserved(dst, s, n.sep, n.setSep)
	}
	return dst
}
