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
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// logKind is a log other than conn.log whose rows have scores.
type logKind struct {
	set    *feature.Set
	schema *zeeklog.Schema
	header []string                      // of the cells that a table has of a row
	open   func(hosts int) func() logRow // remembers, and makes records that share the memory
}

// logRow is a row of such a log. It is used again for other rows.
type logRow interface {
	// take takes over the values of a row, in the order of the schema. The error
	// is a *zeeklog.Error without place. Records take in parallel.
	take(fields []zeeklog.Field) error
	// observe counts the row, in the order of the log, and writes what it is.
	observe(*feature.Row)
	// appendValue appends the feature i in words.
	appendValue(dst []byte, e *feature.Encoder, i int) []byte
	// subject is when the row was, and between whom.
	subject() *conn.Conn
	// alike is what rows have in common that a table shows as one line.
	alike() kind
	// cells are the row's in a table, below logKind.header.
	cells() []string
}

// lacker is a row of which more can say nothing than what has no column.
type lacker interface {
	// lacks are the features for which the log has no column, bit i for the set's i.
	lacks() uint32
}

// withoutColumn are the features of a row for which the log has no column.
func withoutColumn(r logRow, row *feature.Row) uint32 {
	if l, ok := r.(lacker); ok && row.Absent != 0 {
		return l.lacks()
	}
	return row.Absent
}

// logKinds are those of the command line; conn.log goes its own, faster way.
var logKinds = []*logKind{&dnsKind, &httpKind, &sslKind}

// kindOf is the kind of a log by its #path, nil for conn.log and what is not
// known.
func kindOf(log string) *logKind {
	for _, k := range logKinds {
		if k.set.Log == log {
			return k
		}
	}
	return nil
}

// log is the kind of log that the first of the files is, nil for conn.log and
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

// words are those of a row under the model.
func words(m *model.Model, r logRow) model.Words {
	return func(dst []byte, i int) []byte { return r.appendValue(dst, m.Encoder(), i) }
}

// takeRow takes over a row, and sets row.Err where that fails.
func takeRow(r logRow, row *zeeklog.Row, fields []zeeklog.Field, file string) {
	if row.Err != nil {
		return
	}
	if err := r.take(fields); err != nil {
		row.Err = placed(err, file, row.Line)
	}
}

// placed is the error of a row, with its place.
func placed(err error, file string, line int) error {
	at := (*zeeklog.Error)(nil)
	if !errors.As(err, &at) {
		at = &zeeklog.Error{Err: err}
	}
	at.File, at.Line = file, line
	return at
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
	return &records{session: s, kind: k, record: k.open(hosts)(), rows: r}
}

// next reads and counts the next row that can be used, and returns io.EOF after
// the last.
func (r *records) next(to *feature.Row) error {
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
		r.record.observe(to)
		r.session.lackFeatures(r.rows.name, r.kind.set, withoutColumn(r.record, to))
		return nil
	}
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
	m, report, err := learn.FitRows(r.next, o)
	if err != nil {
		return tooFew(err)
	}
	for _, remark := range report.Remarks {
		s.warn("%s", remark)
	}
	return s.writeModel(out, m, report)
}

// recordBlock is a block's state between the steps of zeeklog's Run.
type recordBlock struct {
	place   uint64 // of the block's first row
	records []logRow
	rows    []feature.Row
	batch   model.Batch
}

// recordSteps are the steps of score for a log that is not conn.log.
func (sc *scoring) recordSteps(add *zeeklog.AddColumns, quiet bool, count func(rows int)) zeeklog.Steps {
	open := sc.kind.open(model.DefaultHosts)
	return zeeklog.Steps{
		Parsed: func(blk *zeeklog.Block) {
			state, ok := blk.State.(*recordBlock)
			if !ok {
				state = &recordBlock{}
				blk.State = state
			}
			for len(state.records) < len(blk.Rows) {
				state.records = append(state.records, open())
				state.rows = append(state.rows, feature.Row{})
			}
			for i := range blk.Rows {
				takeRow(state.records[i], &blk.Rows[i], blk.Fields(i), sc.file)
			}
		},
		InOrder: func(blk *zeeklog.Block) error {
			count(len(blk.Rows))
			return sc.observeRecords(blk)
		},
		Render: func(dst []byte, blk *zeeklog.Block) []byte {
			state := blk.State.(*recordBlock)
			state.batch.Reset()
			for i := range blk.Rows {
				if blk.Rows[i].Err == nil {
					state.batch.AddRow(sc.model, &state.rows[i])
				}
			}
			scores := state.batch.Scores(sc.model)
			out := add.Append(dst, blk, func(i int, values []zeeklog.Value) {
				sc.columns.fillRow(values, sc.model, &state.rows[i], state.records[i], scores[0])
				sc.offerRecord(state.place+uint64(i), sc.model, &state.rows[i], state.records[i], scores[0])
				scores = scores[1:]
			})
			if quiet {
				return dst
			}
			return out
		},
	}
}

// observeRecords counts the rows of a block, in the order of the log.
func (sc *scoring) observeRecords(blk *zeeklog.Block) error {
	state := blk.State.(*recordBlock)
	state.place = sc.place
	for i := range blk.Rows {
		row := &blk.Rows[i]
		if row.Err != nil {
			if err := sc.leaveOut(blk, i); err != nil {
				return err
			}
			continue
		}
		sc.used++
		state.records[i].observe(&state.rows[i])
		sc.lackFeatures(sc.file, sc.kind.set, withoutColumn(state.records[i], &state.rows[i]))
		if state.rows[i].Cold {
			sc.cold++
		}
	}
	sc.place += uint64(len(blk.Rows))
	return nil
}

// explainRecord says why a row has its score: of those with the uid the
// strangest, up to which the logs are counted.
func (s *session) explainRecord(m *model.Model, k *logKind, uid string, tree int, files []string) error {
	r := s.records(k, files, false, model.DefaultHosts)
	defer r.rows.close()
	var row, best feature.Row
	var score model.Score
	var why []model.Reason
	var of conn.Conn
	var cells []string
	n := uint64(0)
	for {
		if err := r.next(&row); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		if r.record.subject().UID != uid {
			continue
		}
		if this := m.ScoreRow(&row); n == 0 || this.Path < score.Path {
			score, best, of, cells = this, row, *r.record.subject(), r.record.cells()
			of.UID = strings.Clone(of.UID)
			why = m.ExplainRow(&row, words(m, r.record), 0)
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
	if err := s.reasons(m, score, why); err != nil || tree < 0 {
		return err
	}
	var v feature.Vector
	m.Encoder().Finish(&v, &best.Sample)
	return s.traceVector(m, &v, tree)
}

// lackFeatures looks at what a row of a log that is not conn.log lacks.
func (l *lacking) lackFeatures(log string, set *feature.Set, absent uint32) {
	if absent == 0 {
		return
	}
	if l.features == 0 {
		l.log, l.set = log, set
	}
	l.features |= absent
	l.several = l.several || l.log != log
}

// sayFeatures says which features of such logs say nothing, once.
func (s *session) sayFeatures() {
	if s.features == 0 {
		return
	}
	var names []string
	for i, f := range s.set.Features {
		if s.features>>i&1 != 0 {
			names = append(names, f.Name)
		}
	}
	what := s.lacking.log
	if s.several {
		what += " and others"
	}
	s.warn("%s: columns are missing: %d of the %d features count as usual and are no reason, so what is unusual in them alone is not found: %s",
		what, bits.OnesCount32(s.features), s.set.N(), strings.Join(names, ", "))
}
