package zeeklog

import (
	"fmt"
	"strings"
)

const byteOrderMark = "\ufeff"

// detect recognises the format by the first line that is not blank. head is
// how much of text comes before the first row or the first line with #; the
// layout is nil when all of it is blank.
func detect(text string) (l *layout, head int, err error) {
	if strings.HasPrefix(text, byteOrderMark) {
		head = len(byteOrderMark)
	}
	var line string
	next := head
	for line == "" {
		if head = next; head == len(text) {
			return nil, head, nil
		}
		line, next = cutLine(text, head)
	}
	switch {
	case line[0] == '#':
		return start(TSV), head, nil
	case line[0] == '{':
		return start(JSON), head, nil
	case !strings.Contains(line, "id.orig_h"):
		return nil, head, notALog(line)
	case strings.Contains(line, "\t"):
		return start(TSV).header(line), next, nil
	default:
		return start(CSV).header(line), next, nil
	}
}

// notALog says what the first line is instead.
func notALog(line string) error {
	for _, magic := range [...]string{"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x0a\x0d\x0d\x0a"} {
		if strings.HasPrefix(line, magic) {
			return fmt.Errorf("not a conn.log but a pcap: use replay")
		}
	}
	return fmt.Errorf("not a conn.log: expected Zeek's header (#fields), a JSON object, or a CSV header with conn.log's column names, found %s", quote(line))
}
