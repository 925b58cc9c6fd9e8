package capture

// setState changes a side's state. The handshake's end lengthens the timeout
// for inactivity (src/analyzer/protocol/tcp/TCP_Endpoint.cc, SetState).
func (t *tcp) setState(e *endpoint, s tcpState) {
	if s == e.state {
		return
	}
	if !s.handshake() && e.state.handshake() && t.peer(e).state.handshake() {
		t.c.SetInactivityTimeout(tcpInactivityTimeout)
	}
	e.prev, e.state = e.state, s
}

// step moves the sending side's state (TCPSessionAdapter::UpdateStateMachine).
// closing: the side is to be reported as closed; normal: by a FIN.
func (t *tcp) step(s *segment, from, to *endpoint, fromOrig bool) (closing, normal bool) {
	switch from.state {
	case tcpInactive:
		return t.stepInactive(s, from, to, fromOrig)

	case tcpSYNSent, tcpSYNACKSent:
		if s.fin {
			t.setState(from, tcpClosed)
			closing, normal = true, true
		}
		if s.rst {
			t.setState(from, tcpReset)
			t.active = false
			closing = true
		}

	case tcpEstablished, tcpPartial:
		if s.syn && !s.ack && from.state == tcpPartial && to.state == tcpInactive {
			t.setState(from, tcpSYNSent)
		}
		if s.fin && !s.rst {
			t.setState(from, tcpClosed)
			if to.state == tcpReset && to.prev == tcpClosed {
				// The peer sent a FIN, then a RST: a normal end after all.
				t.setState(to, tcpClosed)
			}
			closing, normal = true, true
		}
		if s.rst {
			t.setState(from, tcpReset)
			closing = true
			if to.state != tcpReset || to.prev != tcpEstablished {
				t.active = false
			}
		}

	case tcpClosed:
		if s.rst && to.state != tcpClosed {
			t.setState(from, tcpReset)
			closing = !from.didClose
		}
	}
	return closing, normal
}

// stepInactive handles a side's first packet. fromOrig is the direction before
// a flip by this very packet.
func (t *tcp) stepInactive(s *segment, from, to *endpoint, fromOrig bool) (closing, normal bool) {
	if s.syn {
		if fromOrig {
			if s.ack {
				t.setState(from, tcpSYNACKSent)
			} else {
				t.setState(from, tcpSYNSent)
			}
			t.c.table.timers.arm(t.c, endTimer, s.time.Seconds()+tcpAttemptDelay.Seconds())
		} else {
			t.answerSYN(s, from, to)
		}
	}
	if s.fin {
		t.setState(from, tcpClosed)
		closing, normal = true, true
	}
	if s.rst {
		t.setState(from, tcpReset)
		rejected := fromOrig && to.state == tcpEstablished ||
			!fromOrig && (to.state == tcpSYNSent || to.state == tcpSYNACKSent)
		closing, normal = true, !rejected
	}
	if from.state != tcpInactive {
		return closing, normal
	}
	switch {
	case !fromOrig && s.length == 0 && t.orig.state == tcpSYNSent:
		// Some acknowledge a SYN before they answer it.
	case s.ack && to.state == tcpEstablished:
		// A SYN-ACK was seen and now its acknowledgement: only the SYN is
		// missing, which does not make the connection a partial one.
		t.setState(from, tcpEstablished)
		t.partial = false
		t.seen[index(fromOrig)] = true
	default:
		t.setState(from, tcpPartial)
	}
	return closing, normal
}

// answerSYN handles the responder's SYN, with or without ACK.
func (t *tcp) answerSYN(s *segment, from, to *endpoint) {
	if !s.ack && to.state == tcpSYNACKSent && s.seq == uint32(from.start) {
		// SYN-ACK and SYN were captured in the wrong order.
		t.partial = false
		t.c.FlipRoles()
		t.setState(to, tcpEstablished)
		t.seen[0] = true
	}
	if to.state == tcpSYNSent {
		t.setState(to, tcpEstablished)
	}
	t.setState(from, tcpEstablished)
	t.established = t.established || to.state != tcpPartial
}

// endPacket lengthens the timeout of an interactive service if the packet
// completed its handshake (scripts/base/protocols/conn/inactivity.zeek).
func (t *tcp) endPacket() {
	if !t.established {
		return
	}
	t.established = false
	port := t.c.respPort()
	if t.orig.state == tcpInactive && !likelyServerPortsTCP.has(port) && likelyServerPortsTCP.has(t.c.origPort()) {
		port = t.c.origPort()
	}
	switch port {
	case 21, 22, 23, 513:
		t.c.SetInactivityTimeout(interactiveTimeout)
	}
}

// reuses reports whether a packet of the tuple begins another connection
// (TCPSessionAdapter::IsReuse). Its checksum was not looked at yet.
func (t *tcp) reuses(p *packet) bool {
	b := p.payload
	flags := b[13]
	if b[12]>>4 < tcpHeader/4 || flags&flagSYN == 0 {
		return false
	}
	first := t.orig
	if flags&flagACK != 0 {
		if t.orig.state != tcpInactive {
			return false
		}
		first = t.resp
	}
	if t.isClosed() {
		return true
	}
	seq := uint32(b[4])<<24 | uint32(b[5])<<16 | uint32(b[6])<<8 | uint32(b[7])
	if seq == uint32(first.start) {
		return false
	}
	reversed := flags&flagACK == 0 && first.state == tcpSYNACKSent &&
		t.resp.state == tcpInactive && seq == uint32(t.resp.start)
	return !reversed
}
