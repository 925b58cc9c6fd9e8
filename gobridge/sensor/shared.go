package sensor

import (
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/cases"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// shared is what the sensors of a process have together: one budget of alerts a
// day, and the rows of each connection that is open. It belongs to the sensor of
// conn.log, which keeps the day of alerts in its state.
type shared struct {
	*alerts.Policy
	latest *Sensor // whose row the policy has seen last
	open   *cases.Table
}

// uidField is what a sensor asks for beside its kind's fields.
var uidField = Field{"uid", String, false}

// Beside makes the sensor raise its alerts out of another one's, that of
// conn.log, and gives it the rows of the connections. It belongs before the first
// row.
func (s *Sensor) Beside(other *Sensor) { s.shared = other.shared }

// UseCases says whether the score of a connection that is held against the
// budget is that of its case, and whether Case says what the rows are.
func (s *Sensor) UseCases(use bool) {
	switch {
	case !use:
		s.shared.open = nil
	case s.shared.open == nil:
		s.shared.open = cases.NewTable(cases.DefaultOpen)
	}
}

// day returns the day of alerts that belongs in the sensor's state, nil for none.
func (s *Sensor) day() learn.Day {
	if _, owns := s.kind.(*connKind); owns {
		return s.shared.Policy
	}
	return nil
}

// keepUID keeps the uid of the latest row.
func (s *Sensor) keepUID(uid string) { s.uid = append(s.uid[:0], uid[:min(len(uid), cap(s.uid))]...) }

// gather puts the row that was scored to the others of its connection: one of
// conn.log is told together with those that find finds.
func (s *Sensor) gather(find func(*cases.Table, string, *cases.Case)) {
	s.found = cases.Case{}
	if s.shared.open == nil {
		return
	}
	uid := view(s.uid) // until the next row
	if s.scored.Log() == "" {
		find(s.shared.open, uid, &s.found)
		s.scored.Together(&s.found)
		s.together = s.scored.CaseScore()
		return
	}
	row := cases.Row{Log: s.Log(), Score: s.scored.Value, OneIn: float64(s.scored.OneIn())}
	s.shared.open.Add(uid, row, func() string {
		if row.OneIn < cases.WorthAReason {
			return ""
		}
		return string(s.Reason())
	})
}

// Case returns what the other logs say of the connection last scored.
func (s *Sensor) Case() *cases.Case { return &s.found }
