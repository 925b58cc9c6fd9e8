package sensor

import "github.com/zeek-iforest/zeek-iforest/model/alerts"

// EventKind is what an Event tells of: enum iforest_event_kind of
// gobridge/iforest_abi.h.
type EventKind uint32

// The kinds.
const (
	Nothing  EventKind = iota
	Promoted           // a model that was learnt came into use
	Refused            // a new model was not good enough, or could not be made
	Drift              // the traffic is no longer what the model knows
	Incident           // unusual connections of one host, or to it
	Warning            // something does not work; scores go on
	Samples            // a batch of samples is full
	Alert              // a row of another process is worth an alert (Decide)
)

// Event is something that the operator should know.
type Event struct {
	Kind     EventKind
	Text     string
	Incident alerts.Incident  // of Incident
	Alert    alerts.Candidate // of Alert
}

// maxEvents bounds the events that wait to be fetched; the oldest are lost.
const maxEvents = 64

func (s *Sensor) tell(e Event) {
	if len(s.events) >= maxEvents && e.Kind != Alert { // of these a message holds some hundreds
		s.events = append(s.events[:0], s.events[1:]...)
	}
	s.events = append(s.events, e)
}

// News returns the number of events that wait.
func (s *Sensor) News() int { return len(s.events) }

// Event fetches the oldest event, one of the kind Nothing where none waits.
func (s *Sensor) Event() Event {
	if len(s.events) == 0 {
		return Event{}
	}
	e := s.events[0]
	s.events = append(s.events[:0], s.events[1:]...)
	return e
}
