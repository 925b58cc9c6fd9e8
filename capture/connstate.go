package capture

import "github.com/zeek-iforest/zeek-iforest/model/conn"

// connState returns the conn_state of a finished connection
// (scripts/base/protocols/conn/main.zeek, function conn_state).
func (c *connection) connState() conn.State {
	switch c.proto {
	case conn.TCP:
		return c.tcp.connState(c.history.text)
	case conn.UDP:
		switch orig, resp := c.lengths[0] >= 0, c.lengths[1] >= 0; {
		case orig && resp:
			return conn.SF
		case orig:
			return conn.S0
		case resp:
			return conn.SHR
		}
	}
	return conn.OTH
}

func (t *tcp) connState(history []byte) conn.State {
	orig, resp := t.orig.state, t.resp.state
	origSilent := orig == tcpInactive || orig == tcpPartial
	respSilent := resp == tcpInactive || resp == tcpPartial

	switch {
	case resp == tcpReset:
		switch {
		case orig == tcpSYNSent, orig == tcpSYNACKSent,
			orig == tcpReset && t.orig.size(t.resp) == 0 && t.resp.size(t.orig) == 0:
			return conn.REJ
		case origSilent:
			return conn.RSTRH
		}
		return conn.RSTR
	case orig == tcpReset:
		switch {
		case !respSilent:
			return conn.RSTO
		case resetAfterSYN(history):
			return conn.RSTOS0
		}
		return conn.OTH
	case orig == tcpClosed && resp == tcpClosed:
		return conn.SF
	case orig == tcpClosed && respSilent:
		return conn.SH
	case orig == tcpClosed:
		return conn.S2
	case resp == tcpClosed && origSilent:
		return conn.SHR
	case resp == tcpClosed:
		return conn.S3
	case orig == tcpSYNSent && resp == tcpInactive:
		return conn.S0
	case orig == tcpEstablished && resp == tcpEstablished:
		return conn.S1
	}
	return conn.OTH
}

// resetAfterSYN reports that the history begins with the originator's SYN and
// has its RST before any of H A F G I Q: the pattern ^?S[^HAFGIQ]*R.*
func resetAfterSYN(history []byte) bool {
	if len(history) > 0 && history[0] == '^' {
		history = history[1:]
	}
	if len(history) == 0 || history[0] != 'S' {
		return false
	}
	for _, letter := range history[1:] {
		switch letter {
		case 'R':
			return true
		case 'H', 'A', 'F', 'G', 'I', 'Q':
			return false
		}
	}
	return false
}
