// Package browse is the page on which a person looks through scored
// connections, on the machine itself: what was strange, why, and a place to say
// what is expected and what is bad.
package browse

import (
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Row is a scored connection.
type Row struct {
	Conn   conn.Conn
	Window feature.Window
	Score  float64
	Model  string // whose score it is, or "" if that is not known
	Logged bool   // the score is the log's
}

// Log are the rows of logs, in their order: alert.Scored.
type Log struct {
	Rows   []Row
	Model  *model.Model // gives reasons, and scores where the log has none; may be nil
	Learnt bool         // Model has learnt from these rows
}

// Finish gives each row its window, and its score where it has none.
func (l *Log) Finish() {
	if l.Model == nil {
		return
	}
	s, record := stream.Stream{Model: l.Model}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
	for i := range l.Rows {
		r := &l.Rows[i]
		record.Of(&r.Conn).Observe()
		if r.Window = record.Window; !r.Logged {
			scored := s.Score(record)
			r.Score, r.Model = scored.Value, scored.By()
		}
	}
}

// scored returns what the model makes of the row i again.
func (l *Log) scored(i int) *stream.Scored {
	r := &l.Rows[i]
	return stream.Of(l.Model, &stream.Conn{Conn: &r.Conn, Window: r.Window})
}

func (l *Log) Len() int { return len(l.Rows) }

func (l *Log) Conn(i int) *conn.Conn { return &l.Rows[i].Conn }

// Row returns what the policy needs. Whether a logged score's window was cold is not
// in the log.
func (l *Log) Row(i int) alerts.Row {
	r := &l.Rows[i]
	return alerts.RowOf(&r.Conn, r.Score, r.Window.Cold && !r.Logged, r.Model)
}
