package service

import (
	"bytes"
	"net/netip"
	"strings"
)

// ftpSession is what Zeek's scripts keep of an FTP control connection: the
// commands without a reply, to know which of them a reply answers, since only
// the answer to a PASV or EPSV announces a data connection
// (scripts/base/protocols/ftp/main.zeek, utils-commands.zeek, gridftp.zeek).
type ftpSession struct {
	det      *Detector
	open     []ftpCommand
	seq      int
	answered ftpCommand // by the last reply
	replied  bool
	gssapi   bool // the last AUTH asked for it
}

type ftpCommand struct {
	seq       int
	name      string
	argument  string
	truncated bool
}

const (
	ftpMaxPending  = 20  // FTP::max_pending_commands
	ftpMaxArgument = 256 // what is kept of an argument
)

// ftpReplies says which replies fit which command (RFC 959 and others).
var ftpReplies = map[string]string{
	"<init>": "120 220 421", "<missing>": "0", "QUIT": "0 221 500",
	"USER": "230 331 332 421 500 501 530", "PASS": "202 230 332 421 500 501 503 530", "ACCT": "202 230 421 500 501 503 530",
	"CWD": "250 421 500 501 502 530 550", "CDUP": "200 250 421 500 501 502 530 550", "SMNT": "202 250 421 500 501 502 530 550",
	"REIN": "120 220 421 500 502", "PORT": "200 421 500 501 530", "PASV": "227 421 500 501 502 530",
	"MODE": "200 421 500 501 502 504 530", "TYPE": "200 421 500 501 504 530", "STRU": "200 421 500 501 504 530",
	"ALLO": "200 202 421 500 501 504 530", "REST": "200 350 421 500 501 502 530",
	"STOR": "110 125 150 226 250 421 425 426 450 451 452 500 501 530 532 550 551 552 553",
	"STOU": "110 125 150 226 250 421 425 426 450 451 452 500 501 530 532 550 551 552 553",
	"RETR": "110 125 150 226 250 421 425 426 450 451 500 501 530 550",
	"LIST": "125 150 226 250 421 425 426 450 451 500 501 502 530 550",
	"NLST": "125 150 226 250 421 425 426 450 451 500 501 502 530 550",
	"APPE": "125 150 226 250 421 425 426 450 451 452 500 501 502 530 532 550 551 552 553",
	"RNFR": "350 421 450 500 501 502 530 550", "RNTO": "250 421 500 501 502 503 530 532 553",
	"DELE": "250 421 450 500 501 502 530 550", "RMD": "250 421 500 501 502 530 550",
	"MKD": "257 421 500 501 502 530 550", "PWD": "257 421 500 501 502 550", "ABOR": "225 226 421 500 501 502",
	"SYST": "215 421 500 501 502 530", "STAT": "211 212 213 421 450 500 501 502 530",
	"HELP": "200 211 214 421 500 501 502", "SITE": "200 202 214 500 501 502 530", "NOOP": "200 421 500",
	"LPRT": "500 501 521", "FEAT": "211 500 502", "OPTS": "200 451 501", "EPSV": "229 500 501", "EPRT": "200 500 501 522",
	"SIZE": "213 500 501 550", "MDTM": "213 500 501 550", "MLST": "150 226 250 500 501 550", "MLSD": "150 226 250 500 501 550",
	"CLNT": "200 500", "MACB": "200 500 550",
}

// ftpSession returns the connection's FTP session, beginning one.
func (d *Detector) ftpSession() *ftpSession {
	if d.ftp == nil {
		d.ftp = &ftpSession{det: d, seq: 1, open: []ftpCommand{{seq: 1, name: "<init>"}}}
	}
	return d.ftp
}

func (s *ftpSession) request(name, argument string) {
	if s.answered.seq > 0 && s.replied {
		s.forget(s.answered.seq)
	}
	if len(s.open) < ftpMaxPending {
		s.seq++
		c := ftpCommand{seq: s.seq, name: strings.Clone(name)}
		if len(argument) > ftpMaxArgument {
			c.truncated = true
		} else {
			c.argument = argument
		}
		s.open = append(s.open, c)
	}
	id := &s.det.id
	var resp netip.AddrPort
	var ok bool
	switch name {
	case "PORT":
		resp, ok = parseFTPPort(argument)
	case "EPRT":
		resp, ok = parseEPRT(argument)
	case "AUTH":
		s.gssapi = strings.Contains(argument, "GSSAPI")
	}
	if ok {
		s.det.tracker.expectFTPData(id.Resp.Addr(), resp, s.det.now)
	}
}

func (s *ftpSession) reply(code int, text string, more bool) {
	if more && code == 0 && s.replied && !looksLikeReply(text) {
		return
	}
	s.answered = s.match(code, text)
	s.replied = true
	if more {
		return
	}
	id := &s.det.id
	if (code == 227 || code == 229) && (s.answered.name == "PASV" || s.answered.name == "EPSV") {
		var resp netip.AddrPort
		var ok bool
		if code == 227 {
			resp, ok = parsePASV(text)
		} else if resp, ok = parseEPSV(text); ok && resp.Addr() == netip.IPv6Unspecified() {
			resp = netip.AddrPortFrom(id.Resp.Addr(), resp.Port())
		}
		if ok {
			s.det.tracker.expectFTPData(id.Orig.Addr(), resp, s.det.now)
		}
	}
	if len(s.open) > 1 {
		s.forget(s.answered.seq)
	}
}

// match finds the command that a reply answers best: by its code, then by
// whether it names the command or its argument; the oldest of equals.
func (s *ftpSession) match(code int, text string) ftpCommand {
	best, bestScore := ftpCommand{}, -1
	for _, c := range s.open {
		score := 0
		if code == 500 || fitsCommand(c.name, code) {
			score = 100
		}
		if strings.Contains(text, c.name) {
			score += 20
		}
		if !c.truncated && strings.Contains(text, c.argument) {
			score += 10
		}
		if score > bestScore {
			best, bestScore = c, score
		}
	}
	return best
}

func fitsCommand(name string, code int) bool {
	for _, c := range strings.Fields(ftpReplies[name]) {
		if n, _ := leadingInt([]byte(c), 10); int(n) == code {
			return true
		}
	}
	return false
}

func (s *ftpSession) forget(seq int) {
	for i := range s.open {
		if s.open[i].seq == seq {
			s.open = append(s.open[:i], s.open[i+1:]...)
			return
		}
	}
}

// looksLikeReply reports whether a line within a longer reply is a status line
// all the same: a code, a blank and ten printable characters.
func looksLikeReply(s string) bool {
	if len(s) < 14 || s[0] < '1' || s[0] > '9' || !isDigit(s[1]) || !isDigit(s[2]) || s[3] != ' ' {
		return false
	}
	for i := 4; i < 14; i++ {
		if s[i] < 32 || s[i] > 126 {
			return false
		}
	}
	return true
}

// parseFTPPort reads h1,h2,h3,h4,p1,p2.
func parseFTPPort(s string) (netip.AddrPort, bool) {
	if len(s) < 11 {
		return netip.AddrPort{}, false
	}
	var n [6]byte
	for i := range n {
		if i > 0 {
			if s == "" || s[0] != ',' {
				return netip.AddrPort{}, false
			}
			s = s[1:]
		}
		v, rest, ok := scanInt(s)
		if !ok || v < 0 || v > 255 {
			return netip.AddrPort{}, false
		}
		n[i], s = byte(v), rest
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[:4])), uint16(n[4])<<8|uint16(n[5])), true
}

// parsePASV finds the numbers in the text of a 227 reply.
func parsePASV(s string) (netip.AddrPort, bool) {
	s = cString(s)
	if i := strings.IndexByte(s, '('); i >= 0 {
		return parseFTPPort(s[i+1:])
	}
	if i := strings.Index(s, "PORT"); i >= 0 {
		if i += 5; i > len(s) {
			return netip.AddrPort{}, false
		}
		return parseFTPPort(s[i:])
	}
	i := strings.IndexByte(s, ',')
	if i < 0 {
		return netip.AddrPort{}, false
	}
	for i > 0 && isDigit(s[i-1]) {
		i--
	}
	return parseFTPPort(s[i:])
}

// parseEPSV reads the parenthesized part of a 229 reply.
func parseEPSV(s string) (netip.AddrPort, bool) {
	s = cString(s)
	i := strings.IndexByte(s, '(')
	if i < 0 {
		return netip.AddrPort{}, false
	}
	return parseEPRT(s[i+1:])
}

// parseEPRT reads |protocol|address|port| with any delimiter (RFC 2428); a
// missing address is the unspecified one.
func parseEPRT(s string) (netip.AddrPort, bool) {
	s = strings.TrimLeft(cString(s), " \t\n\v\f\r")
	if s == "" {
		return netip.AddrPort{}, false
	}
	delimiter := s[0]
	addr, port, good := netip.IPv6Unspecified(), 0, true
	_, s = strtol(s[1:])
	if s == "" || s[0] != delimiter {
		good = false
	}
	if s != "" {
		s = s[1:]
	}
	end := strings.IndexByte(s, delimiter)
	if s != "" && end != 0 {
		text := s
		if end > 0 {
			text = s[:end]
		}
		addr, good = parseAddr(text)
	}
	if end >= 0 {
		var n int64
		n, s = strtol(s[end+1:])
		if s == "" || s[0] != delimiter {
			good = false
		}
		if port = int(int32(n)); port < 0 || port > 65535 {
			port, good = 0, false
		}
	}
	return netip.AddrPortFrom(addr, uint16(port)), good
}

// parseAddr accepts what IPAddr::ConvertString does: leading zeros too.
func parseAddr(s string) (netip.Addr, bool) {
	if strings.IndexByte(s, ':') >= 0 {
		a, err := netip.ParseAddr(s)
		return a.Unmap(), err == nil && a.Zone() == ""
	}
	var n [4]byte
	for i := range n {
		if i > 0 {
			if s == "" || s[0] != '.' {
				return netip.Addr{}, false
			}
			s = s[1:]
		}
		v, rest, ok := scanInt(s)
		if !ok || v < 0 || v > 255 {
			return netip.Addr{}, false
		}
		n[i], s = byte(v), rest
	}
	return netip.AddrFrom4(n), s == ""
}

// cString returns what C sees of a string; with a NUL inside Zeek passes on a text
// that parses as nothing.
func cString(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		return "<string-with-NUL>"
	}
	return s
}

// scanInt reads a number as scanf's %d does.
func scanInt(s string) (n int64, rest string, ok bool) {
	n, rest = strtol(s)
	return int64(int32(n)), rest, len(rest) < len(s) && isDigit(s[len(s)-len(rest)-1])
}

// strtol reads blanks, a sign and digits; without digits it returns s.
func strtol(s string) (int64, string) {
	b := []byte(strings.TrimLeft(s, " \t\n\v\f\r"))
	digits := b
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	end := 0
	for end < len(digits) && isDigit(digits[end]) {
		end++
	}
	if end == 0 {
		return 0, s
	}
	n, ok := leadingInt(digits[:end], 10)
	if !ok {
		n = 1<<63 - 1
	}
	if bytes.HasPrefix(b, []byte("-")) {
		n = -n
	}
	return n, string(digits[end:])
}
