package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// recordedFlag defines --samples of score.
func recordedFlag(flags *pflag.FlagSet) *string {
	return flags.String("samples", "", "of a cluster's conn.log: the scores that its workers gave, made again of `FILE`, in which the manager kept its samples (IForest::record_samples)")
}

// recordedScores makes the scores of a cluster's workers again. What a worker
// knew of a row is in the manager's recording, and so are the models; the row says
// which of them scored it.
type recordedScores struct {
	name  string
	of    *learn.Recorded
	given *model.Model // by -m; nil where the rows name theirs
	seed  *model.Model // of conn.log
	asked feature.Row

	rows, lost, open, unscored, unknown, unnamed uint64
	models                                       []string // that are unknown
}

// recordedRow is what a row of a block was scored with; no model where that is not
// known.
type recordedRow struct {
	row   feature.Row
	model *model.Model
}

// recordedLogs is score with --samples.
func (sc *scoring) recordedLogs(flags *pflag.FlagSet, samples, modelPath, out string, files []string, top int) error {
	if slices.ContainsFunc(append(files, out), kafkalog.IsURL) {
		return errors.New("--samples means nothing with a topic")
	}
	if anyParquet(files) {
		return errors.New("--samples: the logs are read as TSV, JSON or CSV, not as Parquet")
	}
	file, err := os.Open(samples)
	if err != nil {
		return err
	}
	defer file.Close()
	r := &recordedScores{name: samples}
	r.of, err = learn.ReadRecording(file)
	switch {
	case r.of == nil:
		return fmt.Errorf("%s: %w", samples, err)
	case err != nil:
		sc.warn("%s: what follows is not used: %v", samples, err)
	}
	sc.kind = kindOf(r.of.Set().Log)
	if modelPath != "" {
		if r.given, err = readModelOf(sc.kind, modelPath); err != nil {
			return err
		}
	}
	if sc.kind == nil {
		if r.seed, err = seed.Model(); err != nil {
			return err
		}
	} else {
		if err := connOnly(flags, sc.kind, "columns-in", "top", "fail-above", "plot"); err != nil {
			return err
		}
		if sc.columns.reasons() {
			return fmt.Errorf("--columns reason: it is made again of conn.log only, not of %s.log", sc.kind.set.Log)
		}
	}
	o, err := sc.output(out)
	if err != nil {
		return err
	}
	defer o.discard()
	sc.recorded = r
	sc.lake = &lake{hosts: feature.NewHosts(1)} // nothing is counted
	err = sc.logs(o, orStdin(files), top > 0)
	r.say(sc.session)
	if err != nil {
		return err
	}
	if top > 0 {
		if err := sc.table(o, top); err != nil {
			return err
		}
	}
	if err := errors.Join(o.commit(), sc.draw(sc.session, "scores of "+strings.Join(orStdin(files), ", "))); err != nil {
		return err
	}
	return sc.passed()
}

// findRecorded finds what a row of the block was scored with.
func (sc *scoring) findRecorded(blk *zeeklog.Block, i int) error {
	state, r := sc.stateOf(blk), sc.recorded
	if len(state.recorded) < len(blk.Rows) {
		state.recorded = make([]recordedRow, len(blk.Rows))
	}
	used := &state.recorded[i]
	used.model = nil
	r.rows++
	if sc.open {
		r.open++
		return nil
	}
	alike := func(*feature.Sample) bool { return true }
	if sc.kind == nil {
		c := state.conns[i].Of(&blk.Rows[i].Conn)
		c.Encode(&r.asked)
		alike = func(used *feature.Sample) bool { return feature.AlikeConn(c.Conn, used) }
	} else {
		state.rows[i].Peek()
		state.rows[i].Encode(&r.asked)
	}
	found, ok, err := r.of.Find(&r.asked, alike)
	if err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	if !ok {
		r.lost++
		return nil
	}
	if used.model = r.modelOf(blk, i, &found); used.model != nil {
		used.row = found.Row
		sc.used++
	}
	return nil
}

// modelOf returns the model by which a row was scored: the one that is given, else
// that which the row names, else that which the manager used then.
func (r *recordedScores) modelOf(blk *zeeklog.Block, i int, found *learn.Found) (m *model.Model) {
	row := &blk.Rows[i]
	name, named := blk.Value(row, "anomaly_model")
	switch {
	case r.given != nil:
		return r.given
	case blk.Unset(row, "anomaly_model"):
		r.unscored++
		return nil
	case !named:
		r.unnamed++
		if m = found.Model; m == nil {
			m = r.seed
		}
		name = "the manager's then"
	case r.seed != nil && name == seed.Name(r.seed):
		m = r.seed
	default:
		m = r.of.Model(name)
	}
	if m == nil {
		if r.unknown++; len(r.models) < maxWarnings && !slices.Contains(r.models, name) {
			r.models = append(r.models, strings.Clone(name))
		}
	}
	return m
}

// say says which rows have no score, and why.
func (r *recordedScores) say(s *session) {
	if r.unnamed > 0 {
		s.say("%s of %d do not name their model, as anomaly_model does: scored by the one that the manager had then, which a worker uses a moment later", plural(r.unnamed, "row"), r.rows)
	}
	var why []string
	add := func(n uint64, text string) {
		if n > 0 {
			why = append(why, fmt.Sprintf("%d %s", n, text))
		}
	}
	add(r.lost, "are not in "+r.name+": not sampled (IForest::sample_one_in), or lost on the way to the manager")
	add(r.unknown, "were scored by a model that is not there: "+strings.Join(r.models, ", "))
	add(r.unscored, "had none where they were written")
	add(r.open, "are of connections that went on, which are not sampled")
	if len(why) > 0 {
		s.warn("%d of %s have no score: %s", r.lost+r.unknown+r.unscored+r.open, plural(r.rows, "row"), strings.Join(why, "; "))
	}
}

// usedConn is a connection as a worker knew it.
type usedConn struct {
	*stream.Conn
	row *feature.Row
}

func (u *usedConn) Encode(r *feature.Row) { *r = *u.row }

func (u *usedConn) AppendValue(dst []byte, e *feature.Encoder, i int) []byte {
	return e.AppendSample(dst, i, u.Conn.Conn, &u.row.Sample)
}

// usedRow is a row of another log as a worker knew it.
type usedRow struct {
	logRow
	row *feature.Row
}

func (u *usedRow) Encode(r *feature.Row) { *r = *u.row }

// renderRecorded appends a block with the columns of its rows that were recorded.
func (sc *scoring) renderRecorded(add *zeeklog.AddColumns, dst []byte, blk *zeeklog.Block) []byte {
	state := blk.State.(*scoredBlock)
	return add.Append(dst, blk, func(i int, values []zeeklog.Value) {
		used := &state.recorded[i]
		if used.model == nil {
			return
		}
		var record stream.Record
		if sc.kind == nil {
			record = &usedConn{&state.conns[i], &used.row}
		} else {
			record = &usedRow{state.rows[i], &used.row}
		}
		row := stream.Of(used.model, record)
		sc.columns.fill(values, row)
		sc.offer(state.place+uint64(i), row)
	})
}
