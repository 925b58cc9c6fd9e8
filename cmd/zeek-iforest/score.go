package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

var scoreVerb = verb{
	name:     "score",
	logs:     true,
	synopsis: "[-m MODEL] [OPTION …] [CONN.LOG …]",
	short:    "add anomaly_score to conn.log files",
	about: `Each log is written in its own format with all its columns byte for byte and the
new ones appended; a column that is there already is computed anew. Several logs
are read in the order given, which should be that of time, and written one after
the other, Parquet into one file; - or none is standard input. A row that cannot be used is passed
through with an unset score and named on standard error. Without -m the logs are
read twice, first to learn from them; fewer than 256 connections, and standard
input, are scored by the seed model. With a model of dns.log, http.log or ssl.log it scores that log.

For --alerts-per-day and --top conn.log, dns.log, http.log and ssl.log may be named
together: their rows are taken in the order of their times, share the budget, and are
put together by their uid, as watch and report do it. -m then names a model of each.

With --uid-column the logs are conn.log and the same day's dns.log, http.log or
ssl.log, all of it, which need anomaly_score and anomaly_rank already: score them
first, with --columns score,rank,reason. Only conn.log is written. anomaly_case is
the score that a connection as rare as all its rows would have; --top,
--alerts-per-day and --fail-above then go by it.

` + aboutTopics + `
  until=end        read what is there now, and end
Scored rows go to -o kafka://…/ANOTHER-TOPIC, to standard output or, with until=end, to a file. Offsets are
committed when the rows before them have left: a run that dies repeats some rows and loses none.`,
	define: func(flags *pflag.FlagSet) func(*session, []string) error {
		models, out := modelsFlag(flags), outputFlag(flags)
		columns, limits, strict := columnsFlag(flags), limitFlags(flags), strictFlag(flags)
		budget, part := alertsFlag(flags), lakeFlags(flags)
		without := noModelFlag(flags, "the input itself")
		x509 := x509Flag(flags)
		uidColumn := flags.Bool("uid-column", false, "put each connection together with its rows in other logs, which are named, too, and add anomaly_case, and anomaly_uid_log, _score, _rank and _reason of the strangest of these")
		samples := recordedFlag(flags)
		keep := flags.String("keep", "", "Parquet: write only these `COLUMNS` of the log beside the added ones, such as uid")
		return func(s *session, files []string) error {
			modelPath := ""
			if len(*models) == 1 {
				modelPath = (*models)[0]
			}
			if *samples != "" {
				if len(*models) > 1 {
					return errors.New("--samples is for one log, but -m names several models")
				}
				chosen, err := columns()
				if err != nil {
					return err
				}
				best, top := limits()
				sc := scoring{session: s, columns: chosen, strangest: best, strict: *strict}
				return sc.recordedLogs(flags, *samples, modelPath, *out, files, top)
			}
			lake, err := part(model.DefaultHosts)
			if err != nil {
				return err
			}
			learn := without()
			learn.x509 = x509
			several, err := s.togetherOf(flags, orStdin(files), *models, learn, *strict)
			if err != nil {
				return err
			}
			if several != nil {
				best, top := limits()
				several.alerts = budget()
				o, err := s.output(*out)
				if err != nil {
					return err
				}
				defer o.discard()
				if err := several.run(o, best, top); err != nil {
					return err
				}
				return o.commit()
			}
			var also casesByUID
			if *uidColumn {
				if also, files, err = s.readCases(files); err != nil {
					return err
				}
			}
			var m *model.Model
			switch {
			case lake.responders != nil:
			case modelPath == "" && lake.by == "" && !slices.ContainsFunc(files, kafkalog.IsURL):
				m, err = learn.ofLogs(s, orStdin(files), *strict)
			default: // a part of a log makes no model of the whole
				m, err = readAnyModel(modelPath)
			}
			if err != nil {
				return err
			}
			chosen, err := columns()
			if err != nil {
				return err
			}
			if also != nil {
				chosen = append(chosen, caseColumns...)
			}
			best, top := limits()
			alerts := budget()
			var other *logKind
			if m != nil {
				if other = kindOf(m.Set().Log); other != nil {
					if err := connOnly(flags, other, "uid-column", "partition-by", "log-start", "keep", "columns-in", "order-by"); err != nil {
						return err
					}
					best.of = other
				}
			}
			if err := x509(s, other); err != nil {
				return err
			}
			if from, err := topics(flags, files, *out); err != nil {
				return err
			} else if from {
				if other != nil {
					return fmt.Errorf("%s.log cannot be read from a topic yet: a file or standard input is", other.set.Log)
				}
				sc := scoring{session: s, model: m, lake: lake, columns: chosen, strangest: best, strict: *strict}
				return sc.topic(files[0], *out, part)
			}
			o, err := s.output(*out)
			if err != nil {
				return err
			}
			defer o.discard()
			sc := scoring{alerts: alerts, session: s, model: m, kind: other, cases: also, lake: lake, keep: commaList(*keep), columns: chosen, strangest: best, strict: *strict}
			if err := sc.logs(o, orStdin(files), top > 0 || alerts != nil); err != nil {
				return err
			}
			if alerts != nil {
				if err := alerts.table(o, other, false); err != nil {
					return err
				}
			}
			if top > 0 {
				if err := best.table(o, top); err != nil {
					return err
				}
			}
			if err := errors.Join(o.commit(), best.draw(s, "scores of "+strings.Join(orStdin(files), ", "))); err != nil {
				return err
			}
			return best.passed()
		}
	},
}

// scoring scores logs.
type scoring struct {
	*session
	model   *model.Model
	kind    *logKind      // nil for conn.log
	record  func() logRow // makes those of kind
	cases   casesByUID    // what other logs say of the connections, or nil if nobody asked
	lake    *lake
	keep    []string // columns of Parquet to write, all where there are none
	columns chosenColumns
	*strangest
	recorded *recordedScores // what the scores are made again of, or nil
	alerts   *offlineAlerts  // nil where none are asked for
	strict   bool

	file  string // that is being scored
	path  string // the same, as it was given
	open  bool   // its connections go on
	looks *looks // at those, among the rows of conn.log
	used  uint64 // of its rows, those with a score
	other error  // of its rows, the first that is another log's
	place uint64 // rows so far
	cold  uint64
}

// scoredBlock is a block's state between the steps of zeeklog's Run.
type scoredBlock struct {
	place uint64        // of the block's first row
	conns []stream.Conn // the rows of conn.log
	rows  []logRow      // or of another log
	texts *feature.Texts
	batch stream.Batch

	recorded []recordedRow // where scores are made again
}

// stateOf returns the state of a block, with as many records as it has rows.
func (sc *scoring) stateOf(blk *zeeklog.Block) *scoredBlock {
	state, ok := blk.State.(*scoredBlock)
	if !ok {
		state = &scoredBlock{texts: feature.NewTexts(), batch: stream.Batch{Reasons: sc.columns.reasons()}}
		blk.State = state
	}
	for sc.kind == nil && len(state.conns) < len(blk.Rows) {
		state.conns = append(state.conns, stream.Conn{Texts: state.texts})
	}
	for sc.kind != nil && len(state.rows) < len(blk.Rows) {
		state.rows = append(state.rows, sc.record())
	}
	return state
}

// row returns the record of a row of the block.
func (b *scoredBlock) row(i int) stream.Record {
	if len(b.rows) > 0 {
		return b.rows[i]
	}
	return &b.conns[i]
}

// logs scores one log after the other; quiet writes nothing.
func (sc *scoring) logs(w *output, files []string, quiet bool) error {
	bar := sc.progress(-1, "connections")
	defer bar.Finish()
	columns := sc.columns.columns()
	if sc.lake.responders != nil {
		columns = []zeeklog.Column{respFailures}
	}
	var add *zeeklog.AddColumns
	if !quiet || sc.lake.responders != nil {
		add = zeeklog.NewAddColumns(columns...)
	}
	steps := zeeklog.Steps{
		InOrder: func(blk *zeeklog.Block) error {
			bar.Add(len(blk.Rows))
			return sc.observe(blk)
		},
		Render: func(dst []byte, blk *zeeklog.Block) []byte {
			if sc.lake.responders != nil {
				conns := blk.State.(*scoredBlock).conns
				return add.Append(dst, blk, func(i int, values []zeeklog.Value) {
					values[0] = zeeklog.Count(uint64(conns[i].Window.RespFailures))
				})
			}
			return sc.render(add, dst, blk)
		},
	}
	log := "conn"
	if sc.kind != nil {
		log, sc.record = sc.kind.set.Log, sc.recordsOf(sc.kind, model.DefaultHosts)
		steps.Parsed = func(blk *zeeklog.Block) {
			state := sc.stateOf(blk)
			for i := range blk.Rows {
				takeRow(state.rows[i], &blk.Rows[i], blk.Fields(i), sc.file)
			}
		}
	}
	if sc.alerts != nil {
		steps.Rendered = func(blk *zeeklog.Block) {
			batch := &blk.State.(*scoredBlock).batch
			for i := range batch.Len() {
				sc.alerts.observe(sc.scored(batch, i))
			}
		}
	}
	switch {
	case anyParquet(files) && sc.kind != nil:
		return fmt.Errorf("only conn.log is read as Parquet, not %s.log", log)
	case anyParquet(files):
		return sc.parquet(w, files, columns, quiet)
	case len(sc.keep) > 0:
		return errors.New("--keep means something for Parquet only")
	}
	if sc.kind == nil && sc.lake.hosts != nil {
		sc.looks = sc.looksOf(files, sc.lake.hosts)
	}
	for _, file := range files {
		input, err := openInput(file, sc.stdin)
		if err != nil {
			return err
		}
		sc.path, sc.open = file, sc.kind == nil && sc.lake.hosts != nil && isOpenLog(file, string(input.start))
		if err := w.startLine(); err != nil {
			return fmt.Errorf("writing %s: %w", w.name, err)
		}
		sc.file, sc.used, sc.other = displayName(file), 0, nil
		before := sc.place
		err = sc.blocks(input).Run(sc, w, steps)
		input.Close()
		switch writeErr := w.Flush(); {
		case writeErr != nil:
			return fmt.Errorf("writing %s: %w", w.name, writeErr)
		case err == nil && sc.used == 0 && sc.other != nil:
			return fmt.Errorf("no row of %s.log in it: %w", log, sc.other)
		case sc.limit > 0 && sc.used == 0 && sc.Err() == nil:
			return errors.Join(sc.lookedAtNothing(fmt.Sprintf("%s: no row of %d has a score", sc.file, sc.place-before)), err)
		case err == nil:
		case sc.strict || sc.Err() != nil || sc.place == before || sc.lake.broken:
			return err
		default:
			sc.damaged(err)
		}
	}
	sc.lake.sayCold(sc.session, sc.cold, sc.place)
	return nil
}

// blocks returns those of the file that is being scored.
func (sc *scoring) blocks(input io.Reader) *zeeklog.Blocks {
	b := zeeklog.NewBlocks(input, sc.file)
	if sc.kind != nil {
		return b.Of(sc.kind.schema)
	}
	return b.Named(sc.names)
}

// connOnly refuses options that only conn.log has a use for.
func connOnly(flags *pflag.FlagSet, k *logKind, options ...string) error {
	for _, name := range options {
		if f := flags.Lookup(name); k != nil && f != nil && f.Changed {
			return fmt.Errorf("--%s is for conn.log only, not for %s.log", name, k.set.Log)
		}
	}
	return nil
}

// observe counts the rows of a block in what their hosts did, in the order of the
// log; scoring itself may then go on in parallel.
func (sc *scoring) observe(blk *zeeklog.Block) error {
	state := sc.stateOf(blk)
	state.place = sc.place
	at := blockRow{blk: blk}
	for i := range blk.Rows {
		row := &blk.Rows[i]
		if !sc.usable(row) {
			if sc.open {
				sc.looks.next(sc.path)
			}
			if err := sc.leaveOut(blk, i); err != nil {
				return err
			}
			continue
		}
		if sc.recorded != nil {
			if err := sc.findRecorded(blk, i); err != nil {
				return err
			}
			continue
		}
		sc.used++
		if sc.kind != nil {
			r := state.rows[i]
			r.Observe()
			sc.lacks(sc.file, sc.kind, r)
			sc.count(r.Cold())
			continue
		}
		sc.lack(sc.file, &row.Conn)
		at.row = row
		c := state.conns[i].Of(&row.Conn)
		if sc.open {
			sc.look(c)
			continue
		}
		sc.looks.before(&row.Conn)
		if err := sc.lake.observe(c, &at); err != nil {
			blk.CutAt(i)
			return &zeeklog.Error{File: sc.file, Line: row.Line, Err: err}
		}
		sc.looks.behind(&row.Conn)
		sc.count(c.Window.Cold)
	}
	sc.place += uint64(len(blk.Rows))
	return nil
}

// look looks at a connection that goes on.
func (sc *scoring) look(c *stream.Conn) {
	goesOn(c.Conn)
	window, seen := sc.looks.next(sc.path)
	if !seen {
		window = sc.lake.hosts.Peek(c.Conn)
	}
	c.Window = window
}

func (sc *scoring) count(cold bool) {
	if cold {
		sc.cold++
	}
}

// scored returns the row i of a batch, with what other logs say of it.
func (sc *scoring) scored(batch *stream.Batch, i int) *stream.Scored {
	row := batch.Scored(i)
	if sc.cases != nil {
		row.Together(sc.cases.of(row.Record.Subject()))
	}
	return row
}

// usable reports whether a row can be scored; if not, its Err says why and where.
func (sc *scoring) usable(row *zeeklog.Row) bool {
	if sc.kind == nil && !usable(row) {
		row.Err = placed(row.Err, sc.file, row.Line)
	}
	return row.Err == nil
}

// leaveOut passes over a row that cannot be used. With --strict its error ends
// the block before it.
func (sc *scoring) leaveOut(blk *zeeklog.Block, i int) error {
	err := blk.Rows[i].Err
	if sc.strict {
		blk.CutAt(i)
		return err
	}
	if sc.other == nil && errors.Is(err, zeeklog.ErrOtherLog) {
		sc.other = err
	}
	sc.unused(err)
	return nil
}

// usable reports whether a row can be scored; if not, its Err says why.
func usable(row *zeeklog.Row) bool {
	if row.Err == nil {
		row.Err = feature.Check(&row.Conn)
	}
	return row.Err == nil
}

// render scores the rows of a block that can be used, and appends the block with
// their columns.
func (sc *scoring) render(add *zeeklog.AddColumns, dst []byte, blk *zeeklog.Block) []byte {
	if sc.recorded != nil {
		return sc.renderRecorded(add, dst, blk)
	}
	state := blk.State.(*scoredBlock)
	batch := &state.batch
	batch.Reset(sc.model)
	for i := range blk.Rows {
		if blk.Rows[i].Err == nil {
			batch.Add(state.row(i))
		}
	}
	n := 0
	return add.Append(dst, blk, func(i int, values []zeeklog.Value) {
		row := sc.scored(batch, n)
		n++
		sc.columns.fill(values, row)
		sc.offer(state.place+uint64(i), row)
	})
}
