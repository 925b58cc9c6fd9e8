package capture

// close processes a FIN or RST once its packet's data is through
// (TCPSessionAdapter::ConnectionClosed). normal: not a reset or a rejection.
func (t *tcp) close(e *endpoint, normal bool) {
	if t.c.detector != nil {
		t.c.detector.Closed()
	}
	if t.streamPending(e) {
		t.closeDeferred = true
		t.finished = t.finished || normal
		return
	}
	t.closeDeferred = false
	if e.didClose {
		return
	}
	e.didClose = true

	peer := t.peer(e)
	timers := &t.c.table.timers
	if e.state == tcpReset || peer.didClose || peer.state == tcpInactive {
		if e.prev != tcpInactive || peer.state != tcpInactive {
			if normal || t.finished {
				t.active = false
				if t.c.detector != nil {
					t.c.detector.Interrupted()
				}
			}
			t.finished = false
		}
		timers.cancelTCP(t.c)
		t.c.ending = removeClosed
		timers.arm(t.c, endTimer, t.c.last.Seconds()+tcpCloseDelay.Seconds())
	} else if e.prev != tcpInactive {
		timers.arm(t.c, halfCloseTimer, t.c.last.Seconds()+tcpSessionTimer.Seconds())
	}
}

// checkEOF reports the end of a side's stream, once, when all of it was
// delivered (TCP_Reassembler::CheckEOF). A deferred close is taken up by
// whichever side's stream ends.
func (t *tcp) checkEOF(e *endpoint) {
	st := &e.stream
	if st.ended || !e.sentFIN && e.state != tcpClosed && e.state != tcpReset || t.streamPending(e) {
		return
	}
	st.ended = true
	if t.c.detector != nil {
		t.c.detector.EOF(e.orig)
	}
	if t.closeDeferred {
		t.close(e, t.finished)
		t.closeDeferred = false
	}
}

// streamPending reports that a closing side has data on the way: not yet
// delivered, or the peer's not yet acknowledged (TCP_Reassembler::DataPending).
func (t *tcp) streamPending(e *endpoint) bool {
	if e.stream.skipped {
		return false
	}
	delivered := e.start + e.stream.delivered
	last := fullSeq(e.last, e.seqWraps)
	switch {
	case last < delivered:
		return false // numbers that were never trustworthy
	case delivered != last-1 && delivered != last: // a FIN counts, a RST does not
		return true
	}
	return e.state != tcpReset && t.peer(e).stream.holds()
}

// attemptEnds is TCPSessionAdapter::AttemptTimer.
func (t *tcp) attemptEnds() (remove bool) {
	if !t.active {
		return false
	}
	s := t.orig.state
	return (s == tcpSYNSent || s == tcpSYNACKSent) && t.resp.state == tcpInactive
}

// expires is TCPSessionAdapter::ExpireTimer; it is armed anew in kind.
func (t *tcp) expires(kind timerKind, now float64) (remove bool) {
	if !t.active {
		return false
	}
	if t.c.last.Seconds()+tcpConnectionLinger.Seconds() < now {
		orig, resp := t.orig.state, t.resp.state
		if t.isClosed() && (t.bothClosed() || orig == tcpReset || resp == tcpReset ||
			orig == tcpInactive || resp == tcpInactive) {
			return true
		}
		if orig == tcpInactive && resp == tcpInactive {
			return true
		}
	}
	t.c.table.timers.arm(t.c, kind, now+tcpSessionTimer.Seconds())
	return false
}
