package alert

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// mailer sends alerts by SMTP.
type mailer struct {
	address, server string
	host            string
	from            *mail.Address
	to              []*mail.Address
	user, password  string
	secure          string // "always" (smtps), "starttls" (needed), "try", "none"
	tls             *tls.Config
	timeout         time.Duration // of one attempt
}

// newMail takes smtp://[user@]host[:port]?from=A&to=B,C&password=file:PATH&tls=starttls.
func newMail(text string, o Options) (Receiver, string, error) {
	u, err := parseURL(text)
	if err != nil {
		return nil, "", err
	}
	q := u.Query()
	m := &mailer{server: u.Hostname(), host: o.Host, secure: "try", timeout: 2 * sendTimeout}
	port := u.Port()
	if port == "" {
		port = map[string]string{"smtp": "25", "smtps": "465"}[u.Scheme]
	}
	m.address = net.JoinHostPort(m.server, port)
	if m.from, err = mail.ParseAddress(q.Get("from")); err != nil {
		return nil, "", errors.New("from=ADDRESS is missing or no address")
	}
	if m.to, err = mail.ParseAddressList(q.Get("to")); err != nil {
		return nil, "", errors.New("to=ADDRESS,… is missing or no list of addresses")
	}
	switch want := q.Get("tls"); {
	case u.Scheme == "smtps":
		m.secure = "always"
	case want == "starttls" || want == "none":
		m.secure = want
	case want != "":
		return nil, "", errors.New("tls= is starttls or none")
	}
	if u.User != nil {
		m.user = u.User.Username()
		if m.password, err = Secret(q.Get("password")); err != nil {
			return nil, "", fmt.Errorf("password: %w", err)
		}
		if m.secure == "try" {
			m.secure = "starttls" // a password never goes in the clear
		}
	}
	if err := unknownOptions(q, "from", "to", "tls", "password"); err != nil {
		return nil, "", err
	}
	m.tls, err = tlsConfig(o.CA, m.server)
	return m, " " + m.address, err
}

func unknownOptions(q url.Values, known ...string) error {
	for name := range q {
		if !strings.Contains(" "+strings.Join(known, " ")+" ", " "+name+" ") {
			return fmt.Errorf("there is no option %q, want %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

func (m *mailer) Send(ctx context.Context, a *Alert) error {
	err := m.send(ctx, a)
	var code *textproto.Error
	if errors.As(err, &code) && (code.Code == 552 || code.Code == 554) { // too large, not wanted
		return &Refused{err}
	}
	return err
}

func (m *mailer) send(ctx context.Context, a *Alert) error {
	ctx, stop := context.WithTimeout(ctx, m.timeout)
	defer stop()
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", m.address)
	if err != nil {
		return err
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	if deadline, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(deadline)
	}
	link := raw
	if m.secure == "always" {
		secured := tls.Client(raw, m.tls)
		if err := secured.HandshakeContext(ctx); err != nil {
			return err
		}
		link = secured
	}
	c, err := smtp.NewClient(link, m.server)
	if err != nil {
		return err
	}
	if err := c.Hello(cmp.Or(m.host, "localhost")); err != nil {
		return err
	}
	if m.secure == "starttls" || m.secure == "try" {
		if offered, _ := c.Extension("STARTTLS"); offered {
			if err := c.StartTLS(m.tls); err != nil {
				return err
			}
		} else if m.secure == "starttls" {
			return errors.New("the server offers no STARTTLS")
		}
	}
	if m.user != "" {
		if err := c.Auth(smtp.PlainAuth("", m.user, m.password, m.server)); err != nil {
			return fmt.Errorf("logging in: %w", err)
		}
	}
	if err := c.Mail(m.from.Address); err != nil {
		return err
	}
	for _, to := range m.to {
		if err := c.Rcpt(to.Address); err != nil {
			return fmt.Errorf("%s: %w", to.Address, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(m.message(a)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // the server has taken the message
	return nil
}

// message is RFC 5322 text. Its Message-ID is the alert's, so that a second
// copy can be known for one.
func (m *mailer) message(a *Alert) []byte {
	var b bytes.Buffer
	to := make([]string, len(m.to))
	for i, t := range m.to {
		to[i] = t.String()
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	for _, h := range [][2]string{
		{"From", m.from.String()}, {"To", strings.Join(to, ", ")}, {"Date", time.Now().Format(time.RFC1123Z)},
		{"Message-ID", "<" + a.ID + "@" + domain + ">"},
		{"Subject", mime.QEncoding.Encode("utf-8", "[zeek-iforest] "+clean(a.Title()))},
		{"Auto-Submitted", "auto-generated"}, {"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = q.Write([]byte(a.Title() + "\n\n" + a.Detail()))
	_ = q.Close()
	return b.Bytes()
}
