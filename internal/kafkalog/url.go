// Package kafkalog reads rows of conn.log from a topic of Kafka and writes rows
// to one. Offsets are committed only when the rows before them have left, so
// that a reader that dies gives some rows twice and loses none.
package kafkalog

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// Topic is where rows come from or go to.
type Topic struct {
	Name   string
	Group  string // of readers that share the partitions; "" reads all of it and commits nothing
	ToEnd  bool   // read what is there at the start, not what comes
	Rewind int64  // rows before the committed offset that are read again, for what hosts did before

	url     string // as given
	brokers []string
	tls     *tls.Config
	sasl    sasl.Mechanism
}

const (
	// DefaultRewind rows are observed again in some seconds.
	DefaultRewind = 1_000_000
	all           = math.MaxInt64

	scheme    = "kafka://"
	schemeTLS = "kafka+tls://"
)

// IsURL reports whether a file's name is that of a topic.
func IsURL(text string) bool {
	return strings.HasPrefix(text, scheme) || strings.HasPrefix(text, schemeTLS)
}

// ParseURL parses kafka://BROKER[:PORT][,BROKER…]/TOPIC[?OPTION=VALUE&…]. secret
// finds the password where the URL says that it is.
func ParseURL(text string, secret func(where string) (string, error)) (*Topic, error) {
	t, err := parseURL(text, secret)
	if err != nil {
		address, _, _ := strings.Cut(text, "?") // the rest may hold a password, against all advice
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return t, nil
}

func parseURL(text string, secret func(where string) (string, error)) (*Topic, error) {
	t := &Topic{url: text, Rewind: DefaultRewind}
	rest, plainText := strings.CutPrefix(text, scheme)
	if !plainText {
		rest = strings.TrimPrefix(text, schemeTLS)
		t.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	rest, query, _ := strings.Cut(rest, "?")
	brokers, name, _ := strings.Cut(rest, "/")
	for _, b := range strings.Split(brokers, ",") {
		if b == "" {
			return nil, errors.New("no broker: kafka://BROKER:9092/TOPIC")
		}
		t.brokers = append(t.brokers, b) // without a port it is 9092
	}
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return nil, fmt.Errorf("no name of a topic: %q; kafka://BROKER:9092/TOPIC", name)
	}
	t.Name = name
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	return t, t.set(options, secret)
}

// set takes the options.
func (t *Topic) set(options url.Values, secret func(where string) (string, error)) error {
	var user, password, mechanism string
	for key, values := range options {
		value := values[len(values)-1]
		var err error
		switch key {
		case "group":
			t.Group = value
		case "until":
			if t.ToEnd = value == "end"; !t.ToEnd {
				err = errors.New("want end")
			}
		case "rewind":
			if t.Rewind = all; value != "all" {
				if t.Rewind, err = strconv.ParseInt(value, 10, 64); err == nil && t.Rewind < 0 {
					err = errors.New("want a number of rows, or all")
				}
			}
		case "user":
			user = value
		case "password":
			password, err = secret(value)
		case "sasl":
			mechanism = value
		case "ca":
			err = t.trust(value)
		default:
			err = errors.New("want group, until, rewind, user, password, sasl or ca")
		}
		if err != nil && key == "password" {
			return fmt.Errorf("password: %w", err)
		} else if err != nil {
			return fmt.Errorf("%s=%s: %w", key, value, err)
		}
	}
	if user == "" && password == "" && mechanism == "" {
		return nil
	}
	if user == "" || password == "" {
		return errors.New("user and password belong together")
	}
	switch mechanism {
	case "", "plain":
		t.sasl = plain.Auth{User: user, Pass: password}.AsMechanism()
	case "scram-sha-256":
		t.sasl = scram.Auth{User: user, Pass: password}.AsSha256Mechanism()
	case "scram-sha-512":
		t.sasl = scram.Auth{User: user, Pass: password}.AsSha512Mechanism()
	default:
		return fmt.Errorf("sasl=%s: want plain, scram-sha-256 or scram-sha-512", mechanism)
	}
	return nil
}

// trust takes the file's certificates instead of the system's.
func (t *Topic) trust(file string) error {
	if t.tls == nil {
		return errors.New("means nothing without kafka+tls://")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	t.tls.RootCAs = x509.NewCertPool()
	if !t.tls.RootCAs.AppendCertsFromPEM(text) {
		return errors.New("no certificate in it")
	}
	return nil
}

// Address returns the URL without options.
func (t *Topic) Address() string {
	address, _, _ := strings.Cut(t.url, "?")
	return address
}

// options returns those of every client.
func (t *Topic) options() []kgo.Opt {
	o := []kgo.Opt{
		kgo.SeedBrokers(t.brokers...),
		kgo.ClientID("zeek-iforest"),
		kgo.RetryTimeout(30 * time.Second),
	}
	if t.tls != nil {
		o = append(o, kgo.DialTLSConfig(t.tls))
	}
	if t.sasl != nil {
		o = append(o, kgo.SASL(t.sasl))
	}
	return o
}
