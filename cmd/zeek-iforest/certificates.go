package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
)

// A row of ssl.log names its certificates by their fingerprints; what is in them
// stands in x509.log, where Zeek writes each certificate once a day only, and in
// a cluster one worker for all. So ssl.log of a day needs x509.log of that day
// and of the day before, whole.

// certificates are those of the files of --x509. Records share them in parallel.
type certificates struct {
	files   []string
	by      map[string]ssllog.Certificate // by fingerprint
	before  map[string]ssllog.Certificate // where files are followed, those from before by was full
	most    int                           // so many are full
	follow  []*zeeklog.Tail               // files that grow
	bad     func(error)                   // is told of their rows that cannot be used, or nil
	missing uint64                        // rows that were scored or learnt from without their certificate
}

// x509Flag defines --x509. What it returns reads the files, once, for rows of some
// kinds, or refuses them if ssl.log's is none of these.
func x509Flag(flags *pflag.FlagSet) func(*session, ...*logKind) error {
	files := flags.StringSlice("x509", nil, "of ssl.log: take certificates from these x509.log `FILES`, comma-separated, those of the same day and the day before; may be given several times")
	return func(s *session, kinds ...*logKind) error {
		switch {
		case len(*files) == 0 || s.certificates != nil && len(s.certificates.files) > 0:
			return nil // or they have been read
		case !slices.Contains(kinds, &sslKind):
			return errors.New("--x509 is for ssl.log only")
		}
		return s.readCertificates(*files)
	}
}

// x509Schema is x509.log.
var x509Schema = &zeeklog.Schema{
	Log:      "x509",
	Columns:  []string{"fingerprint", "certificate.subject", "certificate.issuer", "certificate.not_valid_before", "certificate.not_valid_after"},
	Required: []string{"fingerprint", "certificate.not_valid_before", "certificate.not_valid_after"},
	Telling:  []string{"certificate.subject", "certificate.issuer"},
}

// The columns of its schema.
const (
	x509Fingerprint = iota
	x509Subject
	x509Issuer
	x509Begins
	x509Ends
)

// readCertificates reads the certificates of x509.log files.
func (s *session) readCertificates(files []string) error {
	c := &certificates{files: files, by: map[string]ssllog.Certificate{}}
	for _, file := range files {
		if err := s.readX509(c, file); err != nil {
			return err
		}
	}
	s.certificates = c
	return nil
}

func (s *session) readX509(c *certificates, file string) error {
	input, err := openInput(file, s.stdin)
	if err != nil {
		return err
	}
	defer input.Close()
	name := displayName(file)
	r := zeeklog.NewReader(input, name).Of(x509Schema)
	for n := 0; ; n++ {
		var row zeeklog.Row
		err := r.Read(&row)
		if err == nil {
			if err = c.add(r.Fields()); err != nil {
				err = placed(err, name, row.Line)
			}
		}
		switch {
		case s.Err() != nil:
			return s.Err()
		case err == io.EOF:
			return nil
		case errors.As(err, new(*zeeklog.Error)):
			s.unused(err)
		case err != nil && n == 0:
			return fmt.Errorf("--x509: %w", err)
		case err != nil:
			s.damaged(err)
			return nil
		}
	}
}

// add takes over a row. One that is there already is the same certificate.
func (c *certificates) add(fields []zeeklog.Field) error {
	v := fieldValues{columns: x509Schema.Columns, fields: fields}
	if _, there := c.by[v.text(x509Fingerprint)]; there {
		return nil
	}
	certificate := ssllog.Certificate{
		Subject: strings.Clone(v.text(x509Subject)), Issuer: strings.Clone(v.text(x509Issuer)),
		Begins: read(&v, x509Begins, true, validity), Ends: read(&v, x509Ends, true, validity),
	}
	if v.err == nil {
		c.by[strings.Clone(v.text(x509Fingerprint))] = certificate
	}
	return v.err
}

// validity returns a time of a certificate. Some end with the year 9999, which no
// row's time is: where seconds have a point they are not taken for milliseconds.
func validity(f *zeeklog.Field) (conn.Micros, error) {
	if whole, _, point := strings.Cut(f.Text(), "."); point && !strings.Contains(whole, ":") {
		return f.Seconds()
	}
	return f.Time()
}

// of returns the certificate of a row of ssl.log.
func (c *certificates) of(fingerprint string) (certificate ssllog.Certificate, known bool) {
	if certificate, known = c.at(fingerprint); !known && len(c.follow) > 0 {
		c.more()
		certificate, known = c.at(fingerprint)
	}
	return certificate, known
}

func (c *certificates) at(fingerprint string) (certificate ssllog.Certificate, known bool) {
	if certificate, known = c.by[fingerprint]; !known {
		certificate, known = c.before[fingerprint]
	}
	return certificate, known
}

// uncounted returns the same certificates; what is missing there does not count.
func (c *certificates) uncounted() *certificates {
	if c == nil {
		return nil
	}
	return &certificates{files: c.files, by: c.by}
}

// sayCertificates says how many rows lack their certificate, once.
func (s *session) sayCertificates() {
	if s.certificates == nil {
		return
	}
	n := s.certificates.missing
	if n == 0 {
		return
	}
	what := plural(n, "handshake") + " had a certificate that "
	if len(s.certificates.files) == 0 {
		what += "only x509.log has: --x509 names it"
	} else {
		what += "is in no file of --x509: Zeek writes each once a day, so name those of the day before, too"
	}
	s.warn("%s; its issuer and problems count as usual, and are no reason", what)
}

// recordsOf makes records of a kind that share their memory, and know the
// certificates that were read.
func (s *session) recordsOf(k *logKind, hosts int) func() logRow {
	record := k.open(hosts)
	if k != &sslKind {
		return record
	}
	if s.certificates == nil {
		s.certificates = &certificates{}
	}
	all := s.certificates
	return func() logRow {
		r := record().(*sslRecord)
		r.certificates = all
		return r
	}
}
