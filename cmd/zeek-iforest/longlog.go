package main

import (
	"fmt"
	"time"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// longPath is the #path of the log in which a sensor writes connections that go
// on (scripts/long.zeek).
const longPath = "iforest_long"

// longColumns are those of its columns that conn.log has not.
var longColumns = []zeeklog.Column{{Name: "look", Type: "interval"}, {Name: afterColumn, Type: "string"}}

// longLog writes an iforest_long.log.
type longLog struct {
	*output
	log    *zeeklog.Writer
	after  string // uid of the connection that ended last
	values []zeeklog.Value
}

// newLongLog begins a file; columns are those of the score.
func (s *session) newLongLog(path string, format zeeklog.Format, columns chosenColumns) (*longLog, error) {
	o, err := s.output(path)
	if err != nil {
		return nil, fmt.Errorf("--long: %w", err)
	}
	l := &longLog{output: o}
	l.log, err = zeeklog.NewLogWriter(o, longPath, format, time.Time{}, append(columns.columns(), longColumns...)...)
	return l, err
}

// take writes a connection if it goes on, and reports whether it does. values
// are those of the score's columns.
func (l *longLog) take(c *conn.Conn, values []zeeklog.Value) (bool, error) {
	switch {
	case l == nil:
		return false, nil
	case c.Look == 0:
		l.after = c.UID
		return false, nil
	}
	l.values = append(append(l.values[:0], values...), zeeklog.Interval(c.Look), zeeklog.Value{})
	if l.after != "" {
		l.values[len(l.values)-1] = zeeklog.Text(l.after)
	}
	return true, l.log.Write(c, l.values...)
}

// commit ends the file; nil has none.
func (l *longLog) commit() error {
	if l == nil {
		return nil
	}
	if err := l.log.Close(time.Time{}); err != nil {
		return err
	}
	return l.output.commit()
}
