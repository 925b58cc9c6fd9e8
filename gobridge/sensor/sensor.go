// Package sensor is what runs inside Zeek: it takes a connection as Zeek holds
// it and scores it. It knows nothing of C; gobridge is its C ABI.
package sensor

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/cases"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// Sensor scores the rows of one log of a Zeek process, learns from them where it
// was told to (Learn) or samples them for another (Sample), and says which are
// worth an alert. Its methods belong to one thread, Zeek's.
type Sensor struct {
	kind    Kind         // holds the latest row
	model   *model.Model // its own, or one that it was given; nil before the first
	seed    *model.Model // scores before that where the sensor learns; nil before it was needed
	useSeed bool
	stream  stream.Stream
	scored  *stream.Scored // the latest row, nil before the first
	unusual bool
	counts  Statistics
	reason  []byte
	reasons bool // each row has one

	learning *learning
	sampling *sampling
	fields   []Field
	shared   *shared
	owner    *feature.Owner        // of what the workers of a cluster counted; nil for none
	tours    map[int]*feature.Tour // of workers that it tells all
	alert    alerts.Row            // of the latest row
	uid      []byte                // the same
	found    cases.Case            // the same, of conn.log
	together float64               // its score, or 0 if cases are not in use
	drift    drift
	events   []Event
	incident func(*alerts.Incident) // made once, because making it allocates
	details  func() alerts.Detail   // the same
}

// New returns a sensor of conn.log without a model that remembers the windows of
// so many originators and raises no alerts. All memory that scoring needs is
// reserved here.
func New(hosts int) *Sensor { return open(newConnKind(hosts)) }

// Open returns a sensor of rows of a log, as New does for conn.log. It has a
// budget of its own, unless it is made to share one (Beside).
func Open(log string, hosts int) (*Sensor, error) {
	k, err := KindOf(log, hosts)
	if err != nil {
		return nil, err
	}
	return open(k), nil
}

// Log returns the #path of the log that the sensor scores.
func (s *Sensor) Log() string { return s.kind.Set().Log }

// Fields returns those that ScoreValues takes, in this order: the kind's, and uid.
func (s *Sensor) Fields() []Field { return s.fields }

// LoadFile takes the model file at path into use, and ends learning and
// sampling. On an error the model before stays.
func (s *Sensor) LoadFile(path string) error {
	m, err := model.ReadFile(path)
	return s.load(m, err)
}

// LoadBytes takes the model file in data into use, as LoadFile does.
func (s *Sensor) LoadBytes(data []byte) error {
	m, err := model.Read(bytes.NewReader(data))
	return s.load(m, err)
}

func (s *Sensor) load(m *model.Model, err error) error {
	if err == nil {
		err = s.check(m)
	}
	if err != nil {
		s.counts.Refused++
		var format *model.FormatError
		if errors.As(err, &format) && format.Hint != "" {
			err = fmt.Errorf("%w: %s", err, format.Hint)
		}
		return &Error{BadModel, err}
	}
	if err := s.EndLearning(); err != nil {
		s.tell(Event{Kind: Warning, Text: err.Error()})
	}
	s.use(m)
	return nil
}

// check reports whether a model is of the sensor's rows.
func (s *Sensor) check(m *model.Model) error {
	if log := m.Set().Log; log != s.Log() {
		return fmt.Errorf("the model scores rows of %s.log, and this sensor has those of %s.log", log, s.Log())
	}
	return nil
}

func (s *Sensor) use(m *model.Model) {
	s.model = m
	s.counts.Models++
}

// Model returns the model of the sensor's own, or the one that it was given; nil
// before the first.
func (s *Sensor) Model() *model.Model { return s.model }

// UseSeed says whether the seed model scores connections while the sensor
// learns, or samples, and has no model yet. Nothing that it scores is unusual: it
// has never seen this network. It is read with the first connection that needs it.
func (s *Sensor) UseSeed(use bool) { s.useSeed = use && s.Log() == feature.Conn.Log }

// scoring returns the model to score the next row with, nil for none. A seed that
// cannot be used is a Warning.
func (s *Sensor) scoring() *model.Model {
	if s.model != nil || !s.useSeed {
		return s.model
	}
	if s.seed == nil {
		m, err := seed.Model()
		if err != nil {
			s.useSeed = false
			s.tell(Event{Kind: Warning, Text: fmt.Sprintf("connections have no score before the first model: the seed model cannot be used: %v", err)})
			return nil
		}
		s.seed = m
		Tidy()
	}
	return s.seed
}

// InUse returns the model by which connections are scored: Model, or the seed from
// the first connection on that it scored.
func (s *Sensor) InUse() *model.Model {
	if s.model == nil && s.useSeed && s.scored != nil && s.scored.Model == s.seed {
		return s.seed
	}
	return s.model
}

// Result is what Score finds.
type Result struct {
	Score   float64 // anomaly_score: in (0, 1), rounded to four decimals
	Rank    float64 // anomaly_rank: N of "1 in N of the model's own connections"
	Cold    bool    // the originator's window may lack connections
	Unusual bool    // enough for an alert, which Raise decides
	Case    float64 // anomaly_case, of a connection where cases are in use; else 0
	Reason  []byte  // anomaly_reason, after GiveReasons; it is Reason's
	Meets   bool    // not unusual, but another process may find that it is one of a beacon
}

// Score scores the connection, counts what became of it, and learns from it. It
// is called once for each connection, in the order of conn.log, and does not
// allocate but for what is rare: a model that comes into use, a saving, an
// event.
func (s *Sensor) Score(r *Record) (Result, error) {
	k, ok := s.kind.(*connKind)
	if !ok {
		return Result{}, s.bad(fmt.Errorf("it is given to the sensor of %s.log", s.Log()))
	}
	if !s.ready() {
		return Result{}, errNoModel
	}
	if err := k.take(r); err != nil {
		return Result{}, s.bad(err)
	}
	s.keepUID(r.UID)
	return s.scoreRow()
}

// ScoreValues is Score for a row of the sensor's log: values of its Fields, the
// last of which, uid, may be left out.
func (s *Sensor) ScoreValues(values []Value) (Result, error) {
	if !s.ready() {
		return Result{}, errNoModel
	}
	fields := s.kind.Fields()
	uid := len(fields)
	if n := len(values); n != uid && n != uid+1 {
		return Result{}, s.bad(fmt.Errorf("%d values, want %d", n, uid))
	}
	for i := range fields {
		if fields[i].Required && !values[i].Set {
			return Result{}, s.bad(fmt.Errorf("field %s is unset", fields[i].Name))
		}
	}
	if err := s.kind.Read(values[:uid]); err != nil {
		return Result{}, s.bad(err)
	}
	s.uid = s.uid[:0]
	if len(values) > uid {
		s.keepUID(values[uid].Text)
	}
	return s.scoreRow()
}

// Peek scores a connection that goes on. Nothing of it is counted in windows,
// memory or the threshold of alerts, and nothing is learnt: it will come again.
// Rank, reason and Raise are of it until the next call of Score or Peek. It does
// not allocate.
func (s *Sensor) Peek(r *Record) (Result, error) {
	s.unusual, s.together = false, 0
	k, ok := s.kind.(*connKind)
	if !ok {
		return Result{}, &Error{BadRecord, fmt.Errorf("a connection is given to the sensor of %s.log", s.Log())}
	}
	s.stream.Model = s.model
	if s.learning != nil || s.sampling != nil {
		s.stream.Model = s.scoring()
	}
	if s.stream.Model == nil {
		return Result{}, errNoModel
	}
	err := k.take(r)
	var scored *stream.Scored
	if err == nil {
		k.conn.Look = max(k.conn.Duration, 1)
		scored, err = s.stream.Peek(k)
	}
	if err != nil {
		return Result{}, &Error{BadRecord, fmt.Errorf("%s cannot be scored: %w", s.subject(), err)}
	}
	s.scored = scored
	s.counts.Looks++
	if s.model != nil {
		s.keepUID(r.UID)
		s.gather((*cases.Table).Look)
		s.shared.Incidents(false, s.incident)
		s.alert = alerts.RowOf(k.Subject(), s.scored.CaseScore(), s.scored.Cold, s.model.Fingerprint())
		s.unusual = s.shared.Unusual(&s.alert)
		s.shared.latest = s
	}
	return s.result(), nil
}

// result returns that of the row last scored.
func (s *Sensor) result() Result {
	r := Result{Score: s.scored.Value, Rank: float64(s.scored.OneIn()), Cold: s.scored.Cold, Unusual: s.unusual, Case: s.together, Meets: s.meets()}
	if s.reasons {
		r.Reason = s.Reason()
	}
	return r
}

// ready begins a call of Score; it counts one that comes before there is
// anything to do.
func (s *Sensor) ready() bool {
	s.unusual, s.together = false, 0
	if s.model == nil && s.learning == nil && s.sampling == nil {
		s.counts.count(errNoModel)
		return false
	}
	return true
}

// scoreRow scores the row that the kind holds.
func (s *Sensor) scoreRow() (Result, error) {
	s.stream.Model = s.scoring()
	scored, err := s.stream.Next(s.kind)
	if err != nil {
		return Result{}, s.bad(err)
	}
	s.scored = scored
	m, row := scored.Model, s.stream.Row()
	var result Result
	if m != nil {
		s.counts.add(scored.Value, scored.Cold)
		if s.model == nil {
			s.counts.Seed++
		} else {
			s.gather((*cases.Table).Take)
			s.judge()
		}
		result = s.result()
	}
	if s.learning != nil {
		s.observe(row, scored.Score)
	}
	if s.sampling != nil {
		s.sample(row)
	}
	if m == nil {
		s.counts.count(errNoModel)
		return result, errNoModel
	}
	return result, nil
}

// judge decides whether a row that the sensor's own model has scored is unusual,
// and watches whether that model still knows the traffic.
func (s *Sensor) judge() {
	s.shared.Incidents(false, s.incident)
	s.alert = s.scored.Alert()
	s.unusual = s.shared.Unusual(&s.alert)
	s.shared.latest = s
	if text := s.drift.observe(s.kind, s.stream.Row(), s.scored.Score, s.model); text != "" {
		s.tell(Event{Kind: Drift, Text: text})
	}
}

// SetAlerts asks for so many alerts a day, none for 0, of all sensors that share
// them.
func (s *Sensor) SetAlerts(perDay float64) { s.shared.SetPerDay(perDay) }

// GiveReasons says whether each result has the reason.
func (s *Sensor) GiveReasons(give bool) { s.reasons = give }

// Raise says what becomes of the row last scored, which was unusual. It belongs
// before the next row of any sensor that shares the budget.
func (s *Sensor) Raise() alerts.Verdict {
	if !s.unusual || s.shared.latest != s {
		return alerts.Suppressed
	}
	s.unusual = false
	if s.shared.Forwards() {
		s.shared.Ask(s.details)
		return alerts.Forwarded
	}
	return s.shared.Raise(&s.alert)
}

// Finish tells of what was still being gathered, and ends learning and sampling.
func (s *Sensor) Finish() error {
	s.shared.Incidents(true, s.incident)
	return s.EndLearning()
}

// subject returns what a row is, in messages.
func (s *Sensor) subject() string {
	if s.kind.Set() == feature.Conn {
		return "connection"
	}
	return "row of " + s.Log() + ".log"
}

func (s *Sensor) bad(err error) error {
	err = &Error{BadRecord, fmt.Errorf("%s cannot be scored: %w", s.subject(), err)}
	s.counts.count(err)
	return err
}

// Fault counts a call of Score that ended in a panic.
func (s *Sensor) Fault() { s.counts.Calls[Panic]++ }

// Reason returns the text of anomaly_reason for the last connection scored. It is
// overwritten by the next call and does not allocate.
func (s *Sensor) Reason() []byte {
	s.reason = s.reason[:0]
	if s.scored != nil && s.scored.Model != nil {
		s.reason = s.scored.AppendReason(s.reason)
	}
	return s.reason
}

// Statistics returns the counts since New.
func (s *Sensor) Statistics() Statistics {
	c := s.counts
	p := s.shared
	c.Raised, c.Folded, c.Suppressed, c.Unsent = p.Raised, p.Folded, p.Suppressed, p.Lost // of all that share it
	if s.learning != nil {
		c.Learning, c.Learner = true, s.learning.learner.Stats()
	}
	return c
}
