package zeeklog

import (
	"fmt"
	"strings"
)

const byteOrderMark = "\ufeff"

// headerSeparators are tried on a header line that is only names, in this
// order; Zeek's tsv option writes any separator.
var headerSeparators = [...]string{"\t", ",", ";", "|", " ", "\x01", "\x1f"}

// detect recognises the format by the first line that is not blank. origin is
// the layout before it, and head how much of text comes before the first row or
// the first header line; there is no layout when all of text is blank.
func detect(text string, names *Names, ahead func(string) string) (origin, l *layout, head int, err error) {
	if err := pcapInstead(text); err != nil {
		return nil, nil, 0, err
	}
	if strings.HasPrefix(text, byteOrderMark) {
		head = len(byteOrderMark)
	}
	var line string
	next := head
	for line == "" {
		if head = next; head == len(text) {
			return nil, nil, head, nil
		}
		line, next = cutLine(text, head)
	}
	if i := strings.IndexByte(line, '\r'); i >= 0 && !strings.Contains(text[:next], "\r\n") {
		return nil, nil, head, errOnlyCR
	}
	origin = (&layout{format: TSV, meta: defaultMeta, given: names}).again()
	if prefix, ok := metaPrefix(line); ok {
		origin.meta = prefix
		return origin, origin, head, nil
	}
	if line[0] == '#' {
		return origin, origin, head, nil
	}
	if first := strings.TrimLeft(line, " \t"); strings.HasPrefix(first, "{") || strings.HasPrefix(first, "[") {
		if names.ordered() != nil {
			return nil, nil, head, fmt.Errorf("JSON has no order of columns: --columns-in takes pairs of keys here, as src=id.orig_h,dst=id.resp_h")
		}
		if names != nil && names.schema != nil {
			if err := notJSONLinesOf(line); err != nil {
				return nil, nil, head, err
			}
		} else if err := notJSONLines(line, func() string { return ahead(text[head:]) }, names); err != nil {
			return nil, nil, head, err
		}
		origin = start(JSON)
		origin.given = names
		return origin, origin, head, nil
	}
	if names.ordered() != nil {
		origin, header, err := detectOrdered(line, names)
		if header {
			head = next
		}
		return origin, origin, head, err
	}
	if origin, l, err = detectHeader(line, names); err != nil {
		return nil, nil, head, err
	}
	return origin, l, next, nil
}

// detectHeader recognises a header line that is only names, or Zeek's #fields
// line with another prefix.
func detectHeader(line string, names *Names) (origin, l *layout, err error) {
	for _, sep := range headerSeparators {
		origin := separatedBy(sep, names)
		first, _, _ := strings.Cut(line, sep)
		if prefix, ok := strings.CutSuffix(first, "fields"); ok && len(first) < len(line) {
			origin.format, origin.meta = TSV, prefix
		}
		l := origin.header(line)
		if l.err == nil {
			return origin, l, nil
		}
		if err == nil && len(l.names) > 1 && len(l.absent) < int(numField) && sep != " " {
			err = l.refused("")
		}
	}
	if err == nil {
		err = notALog(line)
	}
	return nil, nil, err
}

// detectOrdered recognises the separator of a log whose columns the caller
// named, and whether its first line is a header all the same: then there is no
// time where the time belongs.
func detectOrdered(line string, names *Names) (origin *layout, header bool, err error) {
	most := 0
	for _, sep := range headerSeparators {
		l := separatedBy(sep, names).again()
		l.sep = sep
		fields := strings.Split(line, sep)
		if l.format == CSV {
			fields = splitCSV(nil, line)
		}
		if len(fields) != len(l.names) {
			most = max(most, len(fields))
			continue
		}
		for i, f := range l.fields {
			if f == ts {
				_, err := parseTime(unquote(fields[i]))
				return l, err != nil && fields[i] != l.unset, nil
			}
		}
	}
	return nil, false, fmt.Errorf("%d columns where --columns-in names %d", most, len(names.ordered()))
}

// separatedBy returns the layout before a header line of names with sep between.
func separatedBy(sep string, names *Names) *layout {
	format := TSV
	if sep == "," {
		format = CSV
	}
	l := start(format)
	l.sep, l.given = sep, names
	return l
}
