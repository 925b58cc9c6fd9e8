package zeeklog

import (
	"bytes"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

const (
	// surveyed is how many rows at the beginning of a JSON log tell what it
	// lacks: it leaves out what is unset, so one row does not.
	surveyed = 64
	// answered is how many of them must have been answered.
	answered = 20
)

// inAnswered is what Zeek sets of each connection that was answered, but for one
// of no duration.
const inAnswered = conn.Duration | conn.OrigBytes | conn.RespBytes

// lacks returns the fields that a JSON log does not have, by its first rows; text
// is read already. It depends on these rows alone, not on how they come in, and
// waits for them only where the first ones make it doubtful.
func (b *Blocks) lacks(text string) conn.Fields {
	for {
		more := text + string(b.buf[b.pos:b.end])
		set, established, rows := survey(b.layout, more, b.err != nil)
		switch missing := inAnswered &^ set; {
		case missing == 0:
			return 0
		case rows < surveyed && b.err == nil && len(more) < MaxLine:
			b.fillLine()
		case established < answered:
			return 0
		default:
			return missing
		}
	}
}

// fillLine reads until another line ends or nothing more comes.
func (b *Blocks) fillLine() {
	for n := b.end - b.pos; b.err == nil && n < MaxLine; n = b.end - b.pos {
		b.fill()
		if bytes.IndexByte(b.buf[b.pos+n:b.end], '\n') >= 0 {
			return
		}
	}
}

// survey says which fields the first rows have between them, and how many were
// answered; an unfinished last line counts at the end only.
func survey(l *layout, text string, end bool) (set conn.Fields, established, rows int) {
	p := NewParser()
	p.escapes = true
	for at := 0; at < len(text) && rows < surveyed && set&inAnswered != inAnswered; {
		line, next := cutLine(text, at)
		if next == len(text) && !strings.HasSuffix(text, "\n") && !end {
			break
		}
		if at = next; line == "" {
			continue
		}
		rows++
		row := Row{Raw: line}
		if p.parseJSON(l, &row) != nil {
			continue
		}
		set |= row.Conn.Set
		if row.Conn.State.Established() {
			established++
		}
	}
	return set, established, rows
}
