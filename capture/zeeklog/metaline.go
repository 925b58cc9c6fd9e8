package zeeklog

import (
	"regexp"
	"strings"
)

// defaultMeta is Zeek's LogAscii::meta_prefix.
const defaultMeta = "#"

// metaKeys are the keys of header lines. Without a prefix they alone tell
// header lines from rows.
var metaKeys = [...]string{"separator", "set_separator", "empty_field", "unset_field", "path", "open", "fields", "types", "close"}

// separatorLine is the first line of Zeek's header; the writer escapes what of
// the separator is not printable.
var separatorLine = regexp.MustCompile(`^(.{0,32}?)separator ((?:\\x[0-9a-fA-F]{2}|[^0-9A-Za-z\\]){1,16})$`)

// metaPrefix finds LogAscii::meta_prefix in the first line of a log.
func metaPrefix(line string) (prefix string, ok bool) {
	if m := separatorLine.FindStringSubmatch(line); m != nil {
		return m[1], true
	}
	return "", false
}

// cutMeta returns what stands behind the prefix of a header line or comment,
// and false for other lines.
func (l *layout) cutMeta(line string) (rest string, ok bool) {
	if l.meta != "" {
		return strings.CutPrefix(line, l.meta)
	}
	if strings.HasPrefix(line, "separator ") {
		return line, true
	}
	for _, key := range metaKeys {
		if rest, ok := strings.CutPrefix(line, key); ok && strings.HasPrefix(rest, l.sep) {
			return line, true
		}
	}
	return "", false
}

// metaAt reports whether a header line or comment begins at text[at:].
func (l *layout) metaAt(text string, at int) bool {
	if l.meta != "" {
		return strings.HasPrefix(text[at:], l.meta)
	}
	line, _ := cutLine(text, at)
	_, ok := l.cutMeta(line)
	return ok
}

// nextMeta returns where the next header line or comment begins behind the
// first line of text.
func (l *layout) nextMeta(text string) int {
	if l.meta == defaultMeta {
		return nextHash(text)
	}
	_, at := cutLine(text, 0)
	for at < len(text) && !l.metaAt(text, at) {
		_, at = cutLine(text, at)
	}
	return at
}

// nextHash is nextMeta for Zeek's own prefix.
func nextHash(text string) int {
	for i := 0; i < len(text); i++ {
		j := strings.IndexByte(text[i:], '#')
		if j < 0 {
			break
		}
		if i += j; i > 0 && text[i-1] == '\n' {
			return i
		}
	}
	return len(text)
}

// changes reports whether a header line has a meaning for the rows after it;
// others are comments.
func (l *layout) changes(line string) bool {
	rest, _ := l.cutMeta(line)
	for _, key := range [...]string{"fields", "separator", "set_separator", "empty_field", "unset_field", "types"} {
		if strings.HasPrefix(rest, key) {
			return true
		}
	}
	return false
}
