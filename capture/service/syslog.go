package service

import "strconv"

// syslogAnalyzer confirms any datagram that does not begin with a damaged
// priority (src/analyzer/protocol/syslog/syslog.spicy).
type syslogAnalyzer struct{ node }

func newSyslog() analyzer { return &syslogAnalyzer{} }

func (a *syslogAnalyzer) data(_ bool, b []byte) {
	if len(b) == 0 || b[0] == '<' && !syslogPriority(b[1:]) {
		a.violate()
		a.skip = true
		return
	}
	a.confirm()
}

// syslogPriority reports whether b begins with a number and ">".
func syslogPriority(b []byte) bool {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	if n == len(b) || b[n] != '>' {
		return false
	}
	_, err := strconv.ParseInt(string(b[:n]), 10, 64)
	return err == nil
}
