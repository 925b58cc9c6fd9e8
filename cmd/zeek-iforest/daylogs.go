package main

import (
	"fmt"
	"io"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/internal/kafkalog"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// dayLog is one of the logs of a day that are read together, each of them files one
// after the other.
type dayLog struct {
	zeeklog.Clock
	log       string        // "conn", "dns" …
	stream    stream.Stream // its Model is nil if there is none
	conns     *stream.Conn  // of conn.log
	others    logRow        // of another log
	rows      *rows
	files     []string
	conn      conn.Conn
	has, over bool // a row that was not taken; there is none any more
}

// dayLogs are the logs of a day.
type dayLogs struct {
	logs  []*dayLog
	cases *stream.Cases // of several logs, else nil
}

// dayLogsOf tells the files by their logs. Where the only model is for the only file,
// that says what its rows are: they need not.
func (s *session) dayLogsOf(files []string, models map[string]*model.Model) (*dayLogs, error) {
	d := &dayLogs{}
	by := map[string]*dayLog{}
	for _, file := range files {
		if kafkalog.IsURL(file) {
			return nil, fmt.Errorf("%s: a topic is read alone, and not here: name files", file)
		}
		log := feature.Conn.Log
		if len(models) == 1 && len(files) == 1 {
			for log = range models {
			}
		} else if k, err := s.log([]string{file}); err != nil {
			return nil, err
		} else {
			log = setOf(k).Log
		}
		l := by[log]
		if l == nil {
			l = &dayLog{log: log, stream: stream.Stream{Model: models[log]}}
			by[log], d.logs = l, append(d.logs, l)
		}
		l.files = append(l.files, file)
	}
	for log := range models {
		if by[log] == nil {
			return nil, fmt.Errorf("-m: there is a model of %s.log, but no such log", log)
		}
	}
	if len(d.logs) > 1 {
		d.cases = stream.NewCases()
	}
	return d, nil
}

// kinds returns those of the logs.
func (d *dayLogs) kinds() (all []*logKind) {
	for _, l := range d.logs {
		all = append(all, kindOf(l.log))
	}
	return all
}

// start begins to read.
func (d *dayLogs) start(s *session, strict bool) {
	for _, l := range d.logs {
		l.rows = s.rows(l.files, strict)
		if k := kindOf(l.log); k != nil {
			l.rows.kind, l.others = k, s.recordsOf(k, model.DefaultHosts)()
		} else if l.conns = stream.NewConns(nil); l.stream.Model != nil {
			l.conns.Hosts = feature.NewHosts(model.DefaultHosts)
		}
	}
}

func (d *dayLogs) close() {
	for _, l := range d.logs {
		l.rows.close()
	}
}

// next returns the log with the earliest row, which is taken; nil behind the last.
func (d *dayLogs) next() (*dayLog, error) {
	first, ok, err := zeeklog.Earliest(d.logs)
	if ok && err == nil {
		first.has = false
	}
	return first, err
}

// Fill reads the next row where the one before was taken.
func (l *dayLog) Fill() (bool, error) {
	if l.has || l.over {
		return l.has, nil
	}
	switch err := l.rows.next(&l.conn); {
	case err == io.EOF:
		l.over = true
	case err != nil:
		return false, err
	case l.others == nil:
		l.has = true
		l.Conn(&l.conn)
	default:
		l.has = true
		l.Fields(l.rows.reader.Fields())
	}
	return l.has, nil
}

// record returns that of the row at hand.
func (l *dayLog) record() (stream.Record, error) {
	if l.others == nil {
		return l.conns.Of(&l.conn), nil
	}
	return l.others, l.others.take(l.rows.reader.Fields())
}

// placed returns an error of the row at hand, with its place.
func (l *dayLog) placed(err error) error {
	if l.rows.parquet != nil {
		return fmt.Errorf("%s: %w", l.rows.name, err)
	}
	return placed(err, l.rows.name, l.rows.row.Line)
}

// lack looks at what the row at hand lacks, where the model scored it; of conn.log
// rows has done so.
func (l *dayLog) lack(s *session) {
	if l.others != nil {
		s.lacks(l.rows.name, kindOf(l.log), l.others)
	}
}
