package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/httplog"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/ssllog"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Rows that are scored several times, by models of several seeds or with an
// attack laid over them, are kept: what they are without what was remembered.

// keptLog returns the kind of the logs whose rows are to be kept, nil for conn.log,
// for which the flags must be, and reads the certificates of --x509.
func (s *session) keptLog(flags *pflag.FlagSet, files []string, x509 func(*session, ...*logKind) error) (*logKind, error) {
	k, err := s.log(files)
	if err != nil {
		return nil, err
	}
	return k, cmp.Or(connOnly(flags, k, "columns-in"), x509(s, k))
}

// keptRows reads such rows of several logs of a kind, one after the other.
type keptRows struct {
	kind    *logKind // nil for conn.log
	rows    *rows
	records *records // of kind
}

// keptRows begins to read.
func (s *session) keptRows(k *logKind, files []string) *keptRows {
	if k == nil {
		return &keptRows{rows: s.rows(files, false)}
	}
	r := s.records(k, files, false, model.DefaultHosts)
	return &keptRows{kind: k, rows: r.rows, records: r}
}

// next reads the next row that can be scored, and returns io.EOF after the last.
func (r *keptRows) next(row *evaluate.Row) error {
	*row = evaluate.Row{}
	if r.kind != nil {
		if err := r.records.next(); err != nil {
			return err
		}
		record := r.records.record
		row.Conn, row.Value = *record.Subject(), independent(record.kept())
		row.Conn.UID = strings.Clone(row.Conn.UID)
		_, row.Name = record.About()
		return nil
	}
	for {
		if err := r.rows.next(&row.Conn); err != nil {
			return err
		}
		err := feature.Check(&row.Conn)
		if err == nil {
			keep(&row.Conn)
			return nil
		}
		r.rows.session.unused(fmt.Errorf("%s: %w", at(&row.Conn), err))
	}
}

// Value returns the text of a column of the row last read.
func (r *keptRows) Value(column string) (string, bool) { return r.rows.Value(column) }

func (r *keptRows) close() { r.rows.close() }

// readUsable reads the rows that can be scored.
func (s *session) readUsable(k *logKind, files []string) (log []evaluate.Row, err error) {
	in := s.keptRows(k, files)
	defer in.close()
	for {
		var row evaluate.Row
		if err := in.next(&row); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		log = append(log, row)
	}
	if len(log) == 0 {
		return nil, errors.New("the logs hold no " + rowsOf(k))
	}
	return log, nil
}

// keep makes a connection independent of the block of the log that it is from.
func keep(c *conn.Conn) {
	c.UID = strings.Clone(c.UID)
	c.TunnelParents = nil
}

// independent returns a row's values, without the block of the log that they are from.
func independent(value any) any {
	from := reflect.ValueOf(value).Elem()
	own := reflect.New(from.Type())
	own.Elem().Set(from)
	for i := range from.NumField() {
		if f := own.Elem().Field(i); f.Kind() == reflect.String {
			f.SetString(strings.Clone(f.String()))
		}
	}
	return own.Interface()
}

// setOf returns the set of the rows of a log, nil being conn.log.
func setOf(k *logKind) *feature.Set {
	if k == nil {
		return feature.Conn
	}
	return k.set
}

// rowsOf returns what the rows of a log are called.
func rowsOf(k *logKind) string { return setOf(k).Rows }

// rules returns the columns of a log that single-column rules look at.
func rules(k *logKind) []evaluate.Column {
	if k == nil {
		return evaluate.ConnColumns
	}
	return k.rules
}

// areEstablished reports whether the two sides came to terms; rows of dns.log and
// http.log do not say so.
func areEstablished(row *evaluate.Row) bool {
	if h, ok := row.Value.(*ssllog.Handshake); ok {
		return h.Established
	}
	return row.Value == nil && row.Conn.State.Established()
}

// replayedRows make records of kept rows, in their order: what is remembered
// begins empty. A record is valid until the next.
func replayedRows(k *logKind) func(*evaluate.Row) stream.Record {
	if k == nil {
		record := stream.NewConns(feature.NewHosts(model.DefaultHosts))
		return func(row *evaluate.Row) stream.Record { return record.Of(&row.Conn) }
	}
	record := k.open(model.DefaultHosts)()
	return func(row *evaluate.Row) stream.Record {
		record.give(row)
		return record
	}
}

// fitRows makes a model of kept rows.
func fitRows(k *logKind, rows []evaluate.Row, o learn.Options) (m *model.Model, err error) {
	i := 0
	if k == nil {
		m, _, err = learn.Fit(func(c *conn.Conn) error {
			if i == len(rows) {
				return io.EOF
			}
			*c = rows[i].Conn
			i++
			return nil
		}, o)
		return m, tooFew(err)
	}
	o.Set = k.set
	record := replayedRows(k)
	m, _, err = learn.FitRows(func(to *feature.Row) error {
		if i == len(rows) {
			return io.EOF
		}
		r := record(&rows[i])
		i++
		r.Observe()
		r.Encode(to)
		return nil
	}, o)
	return m, tooFew(err)
}

func (r *dnsRecord) kept() any { return &r.Query }

func (r *dnsRecord) give(row *evaluate.Row) {
	r.Query = *row.Value.(*dnslog.Query)
	r.Query.Seen = seenIn(row)
}

func (r *httpRecord) kept() any { return &r.Request }

func (r *httpRecord) give(row *evaluate.Row) {
	r.Request = *row.Value.(*httplog.Request)
	r.Request.Seen = seenIn(row)
}

func (r *sslRecord) kept() any { return &r.Handshake }

func (r *sslRecord) give(row *evaluate.Row) {
	r.Handshake = *row.Value.(*ssllog.Handshake)
	r.Handshake.Seen = seenIn(row)
}
