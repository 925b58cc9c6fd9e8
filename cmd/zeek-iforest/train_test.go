package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// record learns from a conn.log as the manager of a cluster does whose only
// worker saw it, and keeps the samples: record conn.log samples SEED WARMUP
// [scored.log]. scored.log is what the worker wrote, which had been told of more
// connections than it saw.
func record(ts *testscript.TestScript, neg bool, args []string) {
	drawn, err := strconv.ParseUint(args[2], 10, 64)
	ts.Check(err)
	warmup, err := strconv.Atoi(args[3])
	ts.Check(err)
	log, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer log.Close()
	l := learn.NewLearner(learn.Options{Seed: drawn, Warmup: warmup, ZeekVersion: "8.0.10"})
	rec, err := l.Record(ts.MkAbs(args[1]))
	ts.Check(err)
	batch, hosts, rows := learn.NewBatch(feature.Conn), feature.NewHosts(1000), zeeklog.NewReader(log, args[0])
	reader, r, texts := learn.NewBatchReader(feature.Conn), feature.Row{}, feature.NewTexts()
	var wrote strings.Builder
	var text []string
	told, scoring := uint32(0), (*model.Model)(nil)
	if len(args) > 4 {
		text, told = strings.SplitAfter(ts.ReadFile(args[0]), "\n"), 1000
		var err error
		scoring, err = seed.Model()
		ts.Check(err)
	}
	add := func(values string) { // to the next line
		wrote.WriteString(strings.TrimSuffix(text[0], "\n") + values + "\n")
		text = text[1:]
	}
	send := func() {
		before := l.Model()
		ts.Check(rec.Add(l.Rows(), batch.Bytes()))
		ts.Check(reader.Read(batch.Bytes(), func(r *feature.Row) { _, _ = l.Take(r) }))
		if l.Model() != before {
			ts.Check(rec.Use(l.Rows(), l.Model()))
		}
		batch.Reset()
		if told > 0 && l.Model() != nil { // the worker is a batch behind
			scoring = l.Model()
		}
	}
	for row := (zeeklog.Row{}); ; {
		if err := rows.Read(&row); errors.Is(err, io.EOF) {
			break
		} else {
			ts.Check(err)
		}
		w := hosts.Observe(&row.Conn)
		w.Connections += told
		r.SetConn(&row.Conn, w, texts)
		if told > 0 {
			for strings.HasPrefix(text[0], "#") {
				add(map[string]string{"#field": "\tanomaly_score\tanomaly_rank\tanomaly_model", "#types": "\tdouble\tcount\tstring"}[text[0][:6]])
			}
			score := scoring.ScoreRow(&r)
			add(fmt.Sprintf("\t%v\t%d\t%s", score.Value, scoring.OneIn(score.Path), seed.Name(scoring)))
		}
		if batch.Add(&r); batch.Full() {
			send()
		}
	}
	send()
	ts.Check(rec.Close())
	if told > 0 {
		ts.Check(os.WriteFile(ts.MkAbs(args[4]), []byte(wrote.String()+strings.Join(text, "")), 0o600))
	}
}
