package alert

import (
	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Rows are those of a log other than conn.log, one after the other.
type Rows interface {
	stream.Record
	// Take takes over the values of the next row.
	Take(fields []zeeklog.Field) error
	// Lack says that the row's score was made here, so what the log lacks counts;
	// path is where it is, where several logs are watched.
	Lack(path string)
}

// FindOf is Find for a row of the log with that #path, "" for conn.log. Of another
// log an entry that names a service names the log's, and a label names no row:
// labels are about connections.
func FindOf(log string, lines []AllowLine, c *conn.Conn) *AllowLine {
	if log == "" {
		return Find(lines, c, c.TS.Time())
	}
	of := *c
	of.Service = log
	for i := range lines {
		if e := &lines[i]; e.label == (label{}) && e.Names(&of, c.TS.Time()) {
			return e
		}
	}
	return nil
}
