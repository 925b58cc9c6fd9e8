package alert

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// syslog sends alerts after RFC 5424: over UDP one a datagram (RFC 5426), over
// TCP and TLS with the length before each (RFC 6587 §3.4.1, RFC 5425).
type syslog struct {
	network string // "udp", "tcp", "tls"
	address string
	host    string
	tls     *tls.Config
}

const (
	syslogPriority = 10*8 + 4 // security (authpriv), warning
	syslogMost     = 8 << 10  // bytes of a message over TCP and TLS
	datagramMost   = 2 << 10  // over UDP: RFC 5424 §6.1 says that receivers should take these
)

func newSyslog(text string, o Options) (Receiver, string, error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, "", err
	}
	s := &syslog{network: strings.TrimPrefix(u.Scheme, "syslog+"), host: o.Host}
	port := u.Port()
	if port == "" {
		port = map[string]string{"udp": "514", "tcp": "514", "tls": "6514"}[s.network]
	}
	s.address = net.JoinHostPort(u.Hostname(), port)
	if s.network == "tls" {
		s.tls, err = tlsConfig(o.CA, u.Hostname())
	}
	return s, " " + s.address, err
}

// Send opens a connection for each alert: there are few, and only the end of a
// connection tells whether the receiver was still there.
func (s *syslog) Send(ctx context.Context, a *Alert) error {
	ctx, stop := context.WithTimeout(ctx, sendTimeout)
	defer stop()
	network := s.network
	if network == "tls" {
		network = "tcp"
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, network, s.address)
	if err != nil {
		return err
	}
	defer c.Close()
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
	}
	if s.network == "udp" {
		_, err = c.Write(s.message(a, datagramMost))
		return err
	}
	if s.tls != nil {
		secured := tls.Client(c, s.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		c = secured
	}
	message := s.message(a, syslogMost)
	if _, err := fmt.Fprintf(c, "%d %s", len(message), message); err != nil {
		return err
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return err
		}
	}
	// Syslog has no answer. A receiver that reads on closes its side now, one
	// that has gone resets the connection; one that does neither has it.
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	_, err = io.Copy(io.Discard, io.LimitReader(c, 1<<10))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}

// message returns the alert after RFC 5424 §6. The structured data carries the PEN
// 32473, which RFC 5612 sets aside for examples: we have none of our own.
func (s *syslog) message(a *Alert, most int) []byte {
	c := &a.Connection
	m := fmt.Appendf(nil, "<%d>1 %s %s zeek-iforest %d %s [iforest@32473", syslogPriority,
		a.Time.UTC().Format("2006-01-02T15:04:05.000000Z"), printable(s.host, 255), os.Getpid(), a.Kind)
	for _, p := range [][2]string{
		{"id", a.ID}, {"score", fmt.Sprintf("%.4f", a.Score)}, {"rank", fmt.Sprint(a.OneIn)}, {"count", fmt.Sprint(a.Count)},
		{"orig", c.Originator}, {"resp", c.Responder}, {"port", fmt.Sprint(c.RespPort)}, {"proto", c.Proto}, {"service", c.Service},
		{"uid", c.UID}, {"reason", a.Reason},
	} {
		m = append(m, ' ')
		m = append(append(append(append(m, p[0]...), `="`...), escapeParam(p[1], 400)...), '"')
	}
	m = append(m, "] \ufeff"...)
	text := clean(a.Title())
	if a.Reason != "" {
		text += ": " + clean(a.Reason)
	}
	if room := most - len(m); len(text) > room {
		text = strings.ToValidUTF8(text[:max(room, 0)], "")
	}
	return append(m, text...)
}

// escapeParam is RFC 5424 §6.3.3's PARAM-VALUE, cut after so many bytes.
func escapeParam(s string, most int) string {
	s = clean(s)
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(s)
}

// printable returns a HOSTNAME: ASCII without spaces, "-" where nothing is left.
func printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return -1
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}
