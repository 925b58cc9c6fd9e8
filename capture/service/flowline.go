package service

// flowLine gathers the lines of a stream that ends them with CR, LF or CRLF,
// for protocols whose lines and counted messages alternate (binpac's
// FlowBuffer, auxil/binpac/lib/binpac_buffer.cc).
type flowLine struct {
	buf     []byte
	afterCR bool // a LF at the beginning of the next block belongs to the last line
}

// next takes a line from b, without its end; false: all of b was kept.
func (l *flowLine) next(b *[]byte) ([]byte, bool) {
	if l.afterCR && len(*b) > 0 && (*b)[0] == '\n' {
		l.afterCR = false
		*b = (*b)[1:]
	}
	for i, c := range *b {
		if c != '\r' && c != '\n' {
			continue
		}
		if c == '\r' {
			l.afterCR = true
		}
		line := (*b)[:i]
		*b = (*b)[i+1:]
		if len(l.buf) > 0 {
			l.keep(line)
			line = l.buf
			l.buf = l.buf[:0]
		}
		return line, true
	}
	l.keep(*b)
	*b = nil
	return nil, false
}

func (l *flowLine) keep(b []byte) {
	l.buf = append(l.buf, b[:min(len(b), max(0, maxLine-len(l.buf)))]...)
}

// counted prepares for a message of counted length behind the lines.
func (l *flowLine) counted(b *[]byte) {
	if l.afterCR && len(*b) > 0 {
		if (*b)[0] == '\n' {
			*b = (*b)[1:]
		}
		l.afterCR = false
	}
}

func (l *flowLine) discard() { l.buf = l.buf[:0] }
