package sensor

import (
	"strings"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

// In a cluster there is one budget: the sensors of a worker forward what may be an
// alert, and that of the manager decides. alerts.Forward says what goes there.

// Forward makes this sensor, and all that share its alerts, decide about none:
// Candidates are for Decide of another process.
func (s *Sensor) Forward() { s.shared.Forward() }

// Candidates takes the oldest message of rows that may be alerts; it is empty
// where none waits.
func (s *Sensor) Candidates() []byte {
	s.flush()
	return s.shared.Candidates()
}

// Decide decides about rows that the worker of that number forwards, all of a
// message or none where the error says that it cannot be used. What is to be told
// becomes events.
func (s *Sensor) Decide(worker int, candidates []byte) error {
	err := s.shared.Decide(worker, candidates, func(c *alerts.Candidate) {
		a := *c
		a.Detail.UID, a.Detail.Reason = strings.Clone(a.Detail.UID), strings.Clone(a.Detail.Reason)
		s.tell(Event{Kind: Alert, Alert: a})
	}, s.incident)
	if err != nil {
		return &Error{BadRecord, err}
	}
	return nil
}

// meets reports whether the row last scored was forwarded as one that a beacon may
// have. Withhold keeps it from making one known.
func (s *Sensor) meets() bool { return s.shared.latest == s && s.shared.Meets() }

// Withhold says that the site does not want to hear of the row last scored.
func (s *Sensor) Withhold() {
	if s.meets() {
		s.shared.Withhold()
	}
}

// view returns a text as long as its bytes stay as they are.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// detail returns what an alert about the row last scored says.
func (s *Sensor) detail() alerts.Detail {
	s.reason = s.scored.AppendReasons(s.reason[:0])
	return alerts.Detail{
		UID: view(s.uid), Proto: s.kind.Subject().Proto, Score: s.scored.Value, Rank: float64(s.scored.OneIn()),
		Reason: view(s.reason), Case: len(s.found.Strangest()) > 0,
	}
}
