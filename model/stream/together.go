package stream

import (
	"strconv"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/cases"
)

// about is a Record of a log other than conn.log: of which, and what the row is
// about beside its endpoints, such as a domain, as a code; 0 for nothing.
type about interface {
	About() (log string, name uint64)
}

// Log returns the #path of the row's log, "" for conn.log.
func (s *Scored) Log() string {
	if r, other := s.Record.(about); other {
		log, _ := r.About()
		return log
	}
	return ""
}

// Together says what other logs have of the connection, until the next row; the
// score is the model's.
func (s *Scored) Together(also *cases.Case) { s.also = also }

// Also returns what Together was given, nil for nothing.
func (s *Scored) Also() *cases.Case { return s.also }

// CaseScore is anomaly_case: how unusual the connection is by the rows of all
// logs, as far as Together or the log itself says so; else its score.
func (s *Scored) CaseScore() float64 {
	if s.also != nil {
		return s.also.Score(s.Model, s.Score)
	}
	if s.Logged && s.Log() == "" {
		if score := s.number("anomaly_case"); score > 0 && score < 1 {
			return score
		}
	}
	return s.Value
}

// number returns that of a column of the log, 0 for none.
func (s *Scored) number(column string) float64 {
	text, _ := s.value(column)
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

// AppendReasons is AppendReason, and after it what other logs say of the
// connection: "; ssl.log 0.6213, 1 in 240: …".
func (s *Scored) AppendReasons(dst []byte) []byte {
	dst = s.AppendReason(dst)
	if s.also != nil {
		return s.also.AppendReasons(dst)
	}
	if !s.Logged || s.Log() != "" {
		return dst
	}
	log, ok := s.value("anomaly_uid_log")
	if !ok {
		return dst
	}
	r := cases.Row{Log: log, Score: s.number("anomaly_uid_score"), OneIn: s.number("anomaly_uid_rank")}
	r.Reason, _ = s.value("anomaly_uid_reason")
	return r.AppendReason(append(dst, "; "...))
}

// Alert returns what an alert policy needs of the row. Whether the window of a logged
// score was cold is not in the log.
func (s *Scored) Alert() alerts.Row {
	cold, c := s.Cold && !s.Logged, s.Record.Subject()
	if r, other := s.Record.(about); other {
		log, name := r.About()
		return alerts.RowOfLog(log, c, name, s.Value, cold, s.By())
	}
	return alerts.RowOf(c, s.CaseScore(), cold, s.By())
}

// Cases puts the rows of connections together while logs are read side by side,
// as a sensor with log-uid does: rows of other logs come before that of conn.log.
type Cases struct {
	table *cases.Table
	also  cases.Case
}

// NewCases returns a Cases for as many open connections as a sensor remembers.
func NewCases() *Cases { return &Cases{table: cases.NewTable(cases.DefaultOpen)} }

// Next takes the next row: one of another log is remembered, where its rank is
// known, and one of conn.log, if its score is made here, is told of those of its uid.
func (c *Cases) Next(s *Scored) {
	of := s.Record.Subject()
	switch log := s.Log(); {
	case log != "":
		oneIn := s.OneIn()
		if oneIn == 0 {
			return
		}
		c.table.Add(of.UID, cases.Row{Log: log, Score: s.Value, OneIn: float64(oneIn)}, func() string {
			if oneIn < cases.WorthAReason {
				return ""
			}
			return string(s.AppendReason(nil))
		})
	case s.Logged || s.Model == nil: // the log says it, where there are cases
	default:
		c.table.Take(of.UID, &c.also)
		s.Together(&c.also)
	}
}
