package zeeklog

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrNotALog says that a file is neither conn.log nor anything like it.
var ErrNotALog = errors.New("not a conn.log")

var errPcap = errors.New("not a conn.log but a pcap: replay makes a conn.log of it")

var errOnlyCR = errors.New("lines end with CR alone, as on Macs of old: tr '\\r' '\\n' makes line ends of them")

// pcapInstead says that a capture was given for a log, by its first bytes.
func pcapInstead(text string) error {
	for _, magic := range [...]string{
		"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", // microseconds
		"\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d", // nanoseconds
		"\x34\xcd\xb2\xa1", "\xa1\xb2\xcd\x34", // Kuznetzov's
		"\x0a\x0d\x0d\x0a", // pcapng
	} {
		if strings.HasPrefix(text, magic) {
			return errPcap
		}
	}
	return nil
}

// notALog says what the first line is instead.
func notALog(line string) error {
	const expected = "expected Zeek's header (#fields), a JSON object, or a CSV header with conn.log's column names"
	switch n, names := columnsOfRow(line); {
	case names != "":
		return fmt.Errorf("a row before any header (LogAscii::include_meta = F?): name its columns, if they are Zeek's own with --columns-in %s", names)
	case n > 1:
		return fmt.Errorf("a row before any header (LogAscii::include_meta = F?): name its %d columns in their order with --columns-in NAME,…", n)
	case isBinary(line):
		return fmt.Errorf("%w: %s, found binary data that begins with % x", ErrNotALog, expected, line[:min(len(line), 8)])
	case strings.Contains(line, `{"`):
		return fmt.Errorf("%w: %s, found %s: what stands before the JSON object must be taken off", ErrNotALog, expected, quote(line))
	}
	return fmt.Errorf("%w: %s, found %s", ErrNotALog, expected, quote(line))
}

// columnsOfRow returns how many columns a line has that begins with a time as
// Zeek's rows do, and Zeek's names for them when all of them fit; else 0.
func columnsOfRow(line string) (n int, names string) {
	for _, sep := range headerSeparators {
		fields := strings.Split(line, sep)
		if len(fields) < 6 {
			continue
		}
		if _, err := parseTime(fields[ts]); err != nil {
			continue
		}
		l := start(TSV)
		l.sep = sep
		var order []string
		for i := range len(fields) {
			if i < int(numField) {
				order = append(order, columns[i].name)
			} else {
				order = append(order, "-")
			}
		}
		if l.setNames(order); l.err == nil && NewParser().parseTSV(l, &Row{Raw: line}) == nil {
			return len(fields), strings.Join(order, ",")
		}
		return len(fields), ""
	}
	return 0, ""
}

// IsRow reports whether a line looks like a row that Zeek wrote without a header.
func IsRow(line string) bool {
	n, _ := columnsOfRow(line)
	return n > 0
}

// isBinary reports whether a line is not text.
func isBinary(line string) bool {
	return strings.IndexByte(line, 0) >= 0 || !utf8.ValidString(line)
}

// longBeginning says what a log is whose first line is longer than MaxLine.
func longBeginning(text string, names *Names) error {
	if err := pcapInstead(text); err != nil {
		return err
	}
	switch start := strings.TrimLeft(strings.TrimPrefix(text, byteOrderMark), " \t"); {
	case strings.HasPrefix(start, "["):
		return &errNotLines{anArray, rowsIn(start, names), "jq -c '.[]' makes lines of it"}
	case strings.HasPrefix(start, "{"):
		what := fmt.Sprintf("more than %d bytes of JSON without a line end", MaxLine)
		return &errNotLines{what, rowsIn(start, names), "jq -c with the path to the rows (. where they are not wrapped) makes lines of them"}
	case isBinary(text[:min(len(text), 512)]):
		return fmt.Errorf("not a conn.log: its first line is longer than %d bytes, and binary", MaxLine)
	}
	return fmt.Errorf("not a conn.log: its first line is longer than %d bytes", MaxLine)
}
