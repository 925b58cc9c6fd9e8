package main

import (
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// record learns from a conn.log as the manager of a cluster does whose only
// worker saw it, and keeps the samples: record conn.log samples SEED WARMUP.
func record(ts *testscript.TestScript, neg bool, args []string) {
	seed, err := strconv.ParseUint(args[2], 10, 64)
	ts.Check(err)
	warmup, err := strconv.Atoi(args[3])
	ts.Check(err)
	log, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	defer log.Close()
	l := learn.NewLearner(learn.Options{Seed: seed, Warmup: warmup, ZeekVersion: "8.0.10"})
	rec, err := l.Record(ts.MkAbs(args[1]))
	ts.Check(err)
	batch, hosts, rows := learn.NewBatch(feature.Conn), feature.NewHosts(1000), zeeklog.NewReader(log, args[0])
	reader, r, texts := learn.NewBatchReader(feature.Conn), feature.Row{}, feature.NewTexts()
	send := func() {
		ts.Check(rec.Add(l.Rows(), batch.Bytes()))
		ts.Check(reader.Read(batch.Bytes(), func(r *feature.Row) { _, _ = l.Take(r) }))
		batch.Reset()
	}
	for row := (zeeklog.Row{}); ; {
		if err := rows.Read(&row); errors.Is(err, io.EOF) {
			break
		} else {
			ts.Check(err)
		}
		r.SetConn(&row.Conn, hosts.Observe(&row.Conn), texts)
		if batch.Add(&r); batch.Full() {
			send()
		}
	}
	send()
	ts.Check(rec.Close())
}
