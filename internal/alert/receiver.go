package alert

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"
)

// Receiver takes alerts, one at a time.
type Receiver interface {
	// Send delivers an alert. It is tried again after an error, unless that is
	// a *Refused; a *Later says when.
	Send(ctx context.Context, a *Alert) error
}

// Refused is the error of a receiver that will not take this alert, ever.
type Refused struct{ Err error }

func (e *Refused) Error() string { return e.Err.Error() }
func (e *Refused) Unwrap() error { return e.Err }

// Later is the error of a receiver that said when to come again.
type Later struct {
	Err   error
	After time.Duration
}

func (e *Later) Error() string { return fmt.Sprintf("%v; asks to come again in %v", e.Err, e.After) }
func (e *Later) Unwrap() error { return e.Err }

// Options are what receivers have in common.
type Options struct {
	CA       string    // file with the roots for TLS, "" for the system's
	Token    string    // where a bearer token for json webhooks is: env:NAME or file:PATH
	Template string    // file with a template for json webhooks, "" for the Alert as it is
	Stdout   io.Writer // where "stdout" goes
	Host     string    // the name of this machine
}

// Target is a receiver and its name. The name tells no secret and stays the
// same as long as the target does: the spool goes by it.
type Target struct {
	Name string
	Receiver
}

// ParseTarget makes the receiver that a --to names.
func ParseTarget(text string, o Options) (Target, error) {
	kind, rest, _ := strings.Cut(text, ":")
	t := Target{}
	var err error
	shown := ""
	switch kind {
	case "stdout":
		t.Receiver = &jsonLines{o.Stdout}
	case "ecs":
		shown = " " + rest
		t.Receiver, err = newECS(rest)
	case "json", "slack", "mattermost", "teams":
		t.Receiver, shown, err = newWebhook(kind, rest, o)
	case "syslog+udp", "syslog+tcp", "syslog+tls":
		t.Receiver, shown, err = newSyslog(text, o)
	case "smtp", "smtps":
		t.Receiver, shown, err = newMail(text, o)
	default:
		err = errors.New("want stdout, ecs:FILE, json:…, slack:…, mattermost:…, teams:…, syslog+udp://…, syslog+tcp://…, syslog+tls://…, smtp://… or smtps://…")
	}
	if err != nil {
		return t, fmt.Errorf("receiver %s: %w", kind, err)
	}
	sum := sha256.Sum256([]byte(text))
	t.Name = kind + shown + " (" + hex.EncodeToString(sum[:3]) + ")"
	return t, nil
}

// Secret reads env:NAME or file:PATH.
func Secret(where string) (string, error) {
	kind, rest, _ := strings.Cut(where, ":")
	var value string
	switch kind {
	case "env":
		value = os.Getenv(rest)
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", rest)
		}
	case "file":
		text, err := os.ReadFile(rest)
		if err != nil {
			return "", err
		}
		value = string(text)
	default:
		return "", errors.New("a secret does not belong on the command line, where every user of the machine can read it: give env:NAME or file:PATH")
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", fmt.Errorf("%s is empty", where)
	}
	return value, nil
}

// tlsConfig trusts the file's certificates, or the system's where it is "".
func tlsConfig(ca, host string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if ca == "" {
		return c, nil
	}
	text, err := os.ReadFile(ca)
	if err != nil {
		return nil, err
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: no certificate in it", ca)
	}
	return c, nil
}

// parseURL parses a target's URL and keeps passwords out of errors.
func parseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			return nil, errors.New("a password does not belong on the command line: give password=env:NAME or password=file:PATH")
		}
	}
	if u.Hostname() == "" {
		return nil, errors.New("the URL names no host")
	}
	return u, nil
}

// jsonLines writes one alert a line.
type jsonLines struct{ w io.Writer }

func (s *jsonLines) Send(_ context.Context, a *Alert) error {
	line, err := json.Marshal(a)
	if err != nil {
		return &Refused{err}
	}
	_, err = s.w.Write(append(line, '\n'))
	return err
}
