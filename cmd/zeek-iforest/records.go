package main

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/evaluate"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// logKind is a log other than conn.log whose rows have scores.
type logKind struct {
	set    *feature.Set
	schema *zeeklog.Schema
	header []string          // of the cells that a table has of a row
	rules  []evaluate.Column // that single-column rules look at
	drills []evaluate.Attack
	open   func(hosts int) func() logRow // remembers, and makes records that share the memory
}

// logRow is a row of such a log. It is used again for other rows.
type logRow interface {
	stream.Record
	// take takes over the values of a row, in the order of the schema. The error
	// is a *zeeklog.Error without place. Records take in parallel.
	take(fields []zeeklog.Field) error
	// Cold reports whether rows of what the row was observed with may be missing.
	Cold() bool
	// Lacks are the features for which the log has no column, bit i for the set's i.
	Lacks() uint32
	// About is the row's log, and what it is about beside its endpoints, 0 for nothing.
	About() (log string, name uint64)
	// alike is what rows have in common that a table shows as one line.
	alike() kind
	// cells are the row's in a table, below logKind.header.
	cells() []string
	// kept points to the row's values; give sets those of a row that was kept, when
	// and between whom as its connection says.
	kept() any
	give(*evaluate.Row)
}

// logKinds are those of the command line; conn.log goes its own, faster way.
var logKinds = []*logKind{&dnsKind, &httpKind, &sslKind}

// kindOf returns the kind of a log by its #path, nil for conn.log and what is not
// known.
func kindOf(log string) *logKind {
	for _, k := range logKinds {
		if k.set.Log == log {
			return k
		}
	}
	return nil
}

// log returns the kind of log that the first of the files is, nil for conn.log and
// what is not known. Where the file cannot be read twice, open gives what was
// opened here.
func (s *session) log(files []string) (*logKind, error) {
	first := orStdin(files)[0]
	if isParquet(first) || strings.Contains(first, "://") {
		return nil, nil
	}
	input, err := openInput(first, s.stdin)
	if err != nil {
		return nil, err
	}
	k := kindOf(zeeklog.LogOf(string(input.start)))
	if readOnce(first) {
		s.begun, s.begunName = input, first
		return k, nil
	}
	return k, input.Close()
}

// open is openInput, or what log has opened.
func (s *session) open(path string) (*input, error) {
	if s.begun != nil && s.begunName == path {
		in := s.begun
		s.begun = nil
		return in, nil
	}
	return openInput(path, s.stdin)
}

// takeRow takes over a row, and sets row.Err where that fails.
func takeRow(r logRow, row *zeeklog.Row, fields []zeeklog.Field, file string) {
	if row.Err != nil {
		return
	}
	err := r.take(fields)
	if err == nil {
		err = r.Check()
	}
	if err != nil {
		row.Err = placed(err, file, row.Line)
	}
}

// placed returns the error of a row, with its place.
func placed(err error, file string, line int) error {
	at := (*zeeklog.Error)(nil)
	if !errors.As(err, &at) {
		at = &zeeklog.Error{Err: err}
	}
	if at.File == "" {
		at.File, at.Line = file, line
		return at
	}
	return err
}

// records reads the rows of several logs of a kind, one after the other.
type records struct {
	session *session
	kind    *logKind
	record  logRow
	rows    *rows // opens the files
}

// records begins to read.
func (s *session) records(k *logKind, files []string, strict bool, hosts int) *records {
	r := s.rows(files, strict)
	r.kind = k
	return &records{session: s, kind: k, record: s.recordsOf(k, hosts)(), rows: r}
}

// next reads and counts the next row that can be used, which is then r.record, and
// returns io.EOF after the last.
func (r *records) next() error {
	for {
		if err := r.rows.nextRow(); err != nil {
			return err
		}
		row := &r.rows.row
		takeRow(r.record, row, r.rows.reader.Fields(), r.rows.name)
		if row.Err != nil {
			if r.rows.strict {
				return row.Err
			}
			r.session.unused(row.Err)
			continue
		}
		r.record.Observe()
		r.session.lacks(r.rows.name, r.kind, r.record)
		return nil
	}
}

// nextRow is next for learning.
func (r *records) nextRow(to *feature.Row) error {
	err := r.next()
	if err == nil {
		r.record.Encode(to)
	}
	return err
}

// trainRecords is train for a log that is not conn.log.
func (s *session) trainRecords(out string, k *logKind, files []string, o learn.Options, strict bool) error {
	o.Set = k.set
	hosts := o.Hosts
	if hosts == 0 {
		hosts = model.DefaultHosts
	}
	r := s.records(k, files, strict, hosts)
	defer r.rows.close()
	m, report, err := learn.FitRows(r.nextRow, o)
	if err != nil {
		return tooFew(err)
	}
	for _, remark := range report.Remarks {
		s.warn("%s", remark)
	}
	return s.writeModel(out, m, report)
}

// explainRecord says why a row has its score: of those with the uid the
// strangest, up to which the logs are counted.
func (s *session) explainRecord(m *model.Model, k *logKind, uid string, tree int, files []string) error {
	r := s.records(k, files, false, model.DefaultHosts)
	defer r.rows.close()
	var best model.Score
	var why []model.Reason
	var vector []float32
	var of conn.Conn
	var cells []string
	n := uint64(0)
	for {
		if err := r.next(); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if r.record.Subject().UID != uid {
			continue
		}
		if row := stream.Of(m, r.record); n == 0 || row.Path < best.Path {
			best, of, cells = row.Score, *r.record.Subject(), r.record.cells()
			of.UID = strings.Clone(of.UID)
			why, vector = row.Explain(0), row.Vector()
		}
		n++
	}
	if n == 0 {
		return fmt.Errorf("no row of the logs has the uid %q", uid)
	}
	if n > 1 {
		fmt.Fprintf(s.stdout, "%d %s have this uid: the strangest\n", n, k.set.Rows)
	}
	fmt.Fprintf(s.stdout, "%s  %s", of.TS.Time().Format("2006-01-02 15:04:05.000000 UTC"), at(&of))
	for i, cell := range cells {
		fmt.Fprintf(s.stdout, "  %s %s", k.header[i], cell)
	}
	fmt.Fprintln(s.stdout)
	if err := s.reasons(m, best, why); err != nil || tree < 0 {
		return err
	}
	return s.trace(m, vector, tree)
}

// lacks looks at what a row of a log that is not conn.log lacks, which is scored or
// learnt from.
func (s *session) lacks(log string, k *logKind, r logRow) {
	s.lackFeatures(log, k.set, r.Lacks())
	if r, ok := r.(*sslRecord); ok && r.missing {
		r.certificates.missing++
	}
}

// lackFeatures notes features that say nothing in a row.
func (l *lacking) lackFeatures(log string, set *feature.Set, absent uint32) {
	if absent == 0 {
		return
	}
	of := l.features[set]
	if of == nil {
		if l.features == nil {
			l.features = map[*feature.Set]*lackingFeatures{}
		}
		of = &lackingFeatures{log: log}
		l.features[set] = of
	}
	of.bits |= absent
	of.several = of.several || of.log != log
}

// sayFeatures says which features of such logs say nothing, once for each log.
func (s *session) sayFeatures() {
	for _, k := range logKinds {
		lacks := s.features[k.set]
		if lacks == nil {
			continue
		}
		var names []string
		for i, f := range k.set.Features {
			if lacks.bits>>i&1 != 0 {
				names = append(names, f.Name)
			}
		}
		what := lacks.log
		if lacks.several {
			what += " and others"
		}
		s.warn("%s: columns are missing: %d of the %d features count as usual and are no reason, so what is unusual in them alone is not found: %s",
			what, bits.OnesCount32(lacks.bits), k.set.N(), strings.Join(names, ", "))
	}
}
