package capture

// endKind is what a connection's endTimer does.
type endKind uint8

const (
	endAttempt   endKind = iota // TCP: nobody answered the SYN
	removeClosed                // TCP: both sides are done
	dnsSession                  // UDP on a DNS port
)

// runTimers runs at most budget timers that are due by now, and returns how
// many there were. Each sees the clock, not the time it was armed for.
func (t *table) runTimers(budget int) (run int) {
	if !t.timers.anyDue(t.clock) {
		return 0
	}
	for run < budget {
		c, kind, ok := t.timers.due(t.clock)
		if !ok {
			break
		}
		run++
		switch {
		case c == nil:
		case t.fire(c, kind):
			t.remove(c)
		default:
			t.timers.done(c)
		}
	}
	return run
}

// fire runs a timer and reports whether the connection's time is over.
func (t *table) fire(c *connection, kind timerKind) (remove bool) {
	switch kind {
	case inactivityTimer:
		if c.last.Seconds()+c.inactivity.Seconds() <= t.clock {
			return true
		}
		c.armInactivity()
	case statusTimer:
		t.look(c)
	case expireTimer, halfCloseTimer:
		return c.tcp.expires(kind, t.clock)
	case endTimer:
		switch c.ending {
		case endAttempt:
			return c.tcp.attemptEnds()
		case removeClosed:
			return true
		case dnsSession:
			// A second less than the timeout, so that one question with its
			// answer takes one timer only (src/analyzer/protocol/dns/DNS.cc).
			if t.clock-c.last.Seconds() >= dnsSessionTimeout.Seconds()-1 {
				return true
			}
			t.timers.arm(c, endTimer, t.clock+dnsSessionTimeout.Seconds())
		}
	}
	return false
}

// expireTimers takes all timers in order at the end of the capture. Only those
// of attempts and of DNS sessions act then.
func (t *table) expireTimers() {
	t.timers.expire(func(c *connection) {
		if c.ending == dnsSession || c.ending == endAttempt && c.tcp.attemptEnds() {
			t.remove(c)
		}
	})
}
