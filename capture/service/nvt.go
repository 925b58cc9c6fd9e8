package service

// nvtLines cuts one side's stream into lines ended by LF or CRLF and drops the
// Telnet options between, as FTP's control connection has them
// (src/analyzer/protocol/login/NVT.cc; what the options mean is not followed).
type nvtLines struct {
	buf    []byte
	got    int
	last   byte
	option nvtState
	nulls  bool // a NUL was seen: from now on they count as text
}

type nvtState uint8

const (
	nvtText   nvtState = iota
	nvtIAC             // behind the byte 255
	nvtCode            // behind WILL, WONT, DO, DONT
	nvtSub             // within a suboption
	nvtSubIAC          // behind a 255 there
)

const (
	telnetSE  = 240
	telnetSB  = 250
	telnetIAC = 255
)

// data calls line for every line that ends in b.
func (l *nvtLines) data(b []byte, line func([]byte)) {
	for _, c := range b {
		switch l.option {
		case nvtIAC:
			l.behindIAC(c)
		case nvtCode:
			l.option = nvtText
		case nvtSub:
			if c == telnetIAC {
				l.option = nvtSubIAC
			}
		case nvtSubIAC:
			switch c {
			case telnetIAC:
				l.option = nvtSub
			case telnetSE:
				l.option = nvtText
			default: // ends the suboption and begins a new option
				l.option = nvtIAC
				l.behindIAC(c)
			}
		default:
			l.text(c, line)
		}
	}
}

func (l *nvtLines) behindIAC(c byte) {
	switch {
	case c == telnetIAC:
		l.store(c)
		l.last = c
		l.option = nvtText
	case c == telnetSB:
		l.option = nvtSub
	case c > telnetSB:
		l.option = nvtCode
	default:
		l.option = nvtText
	}
}

func (l *nvtLines) text(c byte, line func([]byte)) {
	switch c {
	case telnetIAC:
		l.option = nvtIAC
		return
	case '\n':
		if l.last == '\r' {
			if l.got > 0 {
				l.got--
				l.buf = l.buf[:min(len(l.buf), l.got)]
				l.emit(line)
			}
		} else {
			l.emit(line)
		}
	case 0:
		if l.last != '\r' {
			if l.nulls {
				l.store(c)
			}
			l.nulls = true
		}
	default:
		l.store(c)
	}
	l.last = c
}

// eof hands over what stands without an end of line.
func (l *nvtLines) eof(line func([]byte)) {
	if l.got > 0 || l.option != nvtText {
		l.data([]byte("\n"), line)
	}
}

func (l *nvtLines) store(c byte) {
	l.got++
	if len(l.buf) < maxLine {
		l.buf = append(l.buf, c)
	}
}

func (l *nvtLines) emit(line func([]byte)) {
	b := l.buf
	l.buf, l.got = l.buf[:0], 0
	line(b)
}
