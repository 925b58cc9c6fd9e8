package zeeklog

import "strings"

// Tagged finds the row in an object whose only member it is, under the name of
// its log, as Zeek's Kafka writer has it: {"conn": {…}}. The row is
// object[start:end]; ok is false for any other text.
func Tagged(object string) (log string, start, end int, ok bool) {
	members := jsonMembers{text: object, at: skipSpace(object, 0), escapes: strings.IndexByte(object, '\\') >= 0}
	m, ok, err := members.next()
	if err != nil || !ok || object[m.value] != '{' || members.at >= len(object) || object[members.at] != '}' {
		return "", 0, 0, false
	}
	if skipSpace(object, members.at+1) < len(object) {
		return "", 0, 0, false
	}
	return m.key, m.value, m.end, true
}

// SetObjects makes a block of JSON rows that come one by one, not as a file:
// text has one a line, none of them empty. file is their name in messages and
// line the first one's number. Parse then gives a row for each line, and
// AddColumns a line for each row.
func (blk *Block) SetObjects(text, file string, line int, names *Names) {
	l := start(JSON)
	l.given = names
	blk.file, blk.line, blk.text, blk.head = file, line, text, 0
	blk.before, blk.layout, blk.part = l, l, wholeLines
}
