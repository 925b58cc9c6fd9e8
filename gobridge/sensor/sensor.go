// Package sensor is what runs inside Zeek: it takes a connection as Zeek holds
// it and scores it. It knows nothing of C; gobridge is its C ABI.
package sensor

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// Sensor scores the connections of one Zeek process, learns from them where it
// was told to (Learn) or samples them for another (Sample), and says which are
// worth an alert. Its methods belong to one thread, Zeek's.
type Sensor struct {
	model    *model.Model // its own, or one that it was given; nil before the first
	seed     *model.Model // scores before that where the sensor learns; nil for none
	hosts    *feature.Hosts
	walker   model.Walker
	services names
	conn     conn.Conn // the latest, with its window and score
	window   feature.Window
	score    model.Score
	scored   *model.Model // by which it was scored
	unusual  bool
	counts   Statistics
	reason   []byte

	learning *learning
	sampling *sampling
	alerts   *alerts.Policy
	row      alerts.Row // of conn
	drift    drift
	events   []Event
	incident func(*alerts.Incident) // made once, because making it allocates
}

// New returns a sensor without a model that remembers the windows of so many
// originators and raises no alerts. All memory that scoring needs is reserved
// here.
func New(hosts int) *Sensor {
	s := &Sensor{
		hosts:  feature.NewHosts(hosts),
		alerts: alerts.New(0),
		reason: make([]byte, 0, 1024),
	}
	s.incident = func(i *alerts.Incident) { s.tell(Event{Kind: Incident, Incident: *i}) }
	return s
}

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

func (s *Sensor) use(m *model.Model) {
	s.model = m
	s.counts.Models++
}

// Model is the model of the sensor's own, or the one that it was given; nil
// before the first.
func (s *Sensor) Model() *model.Model { return s.model }

// UseSeed says whether the seed model scores connections while the sensor
// learns, or samples, and has no model yet. Nothing that it scores is unusual: it
// has never seen this network. One that cannot be used is a Warning.
func (s *Sensor) UseSeed(use bool) {
	if s.seed = nil; !use {
		return
	}
	m, err := seed.Model()
	if err != nil {
		s.tell(Event{Kind: Warning, Text: fmt.Sprintf("connections have no score before the first model: the seed model cannot be used: %v", err)})
		return
	}
	s.seed = m
}

// InUse is the model by which connections are scored: Model, or the seed from
// the first connection on that it scored.
func (s *Sensor) InUse() *model.Model {
	if s.model == nil && s.scored == s.seed {
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
}

// Score scores the connection, counts what became of it, and learns from it. It
// is called once for each connection, in the order of conn.log, and does not
// allocate but for what is rare: a model that comes into use, a saving, an
// event.
func (s *Sensor) Score(r *Record) (Result, error) {
	s.unusual = false
	if s.model == nil && s.learning == nil && s.sampling == nil {
		s.counts.count(errNoModel)
		return Result{}, errNoModel
	}
	if err := r.fill(&s.conn, &s.services); err != nil {
		return Result{}, s.bad(err)
	}
	return s.take()
}

// take scores the connection in s.conn and learns from it.
func (s *Sensor) take() (Result, error) {
	c := &s.conn
	if err := feature.Check(c); err != nil {
		return Result{}, s.bad(err)
	}
	m := s.model
	if m == nil {
		m = s.seed
	}
	s.window, s.score = s.hosts.Observe(c), model.Score{}
	var result Result
	if m != nil {
		s.score = s.walker.Score(m, c, s.window)
		s.counts.add(s.score.Value, s.score.Cold)
		result = Result{Score: s.score.Value, Rank: math.Round(1 / m.Rank(s.score.Path)), Cold: s.score.Cold}
		if s.model == nil {
			s.counts.Seed++
		} else {
			result.Unusual = s.judge(c, m)
		}
	}
	s.scored = m
	if s.learning != nil {
		s.observe(c, s.window, s.score)
	}
	if s.sampling != nil {
		s.sample(c, s.window)
	}
	if m == nil {
		s.counts.count(errNoModel)
		return result, errNoModel
	}
	return result, nil
}

// judge reports whether a connection that the sensor's own model has scored is
// unusual, and watches whether that model still knows the traffic.
func (s *Sensor) judge(c *conn.Conn, m *model.Model) bool {
	s.alerts.Incidents(false, s.incident)
	s.row = alerts.RowOf(c, s.score.Value, s.score.Cold, m.Fingerprint())
	s.unusual = s.alerts.Unusual(&s.row)
	if text := s.drift.observe(c, s.score, m); text != "" {
		s.tell(Event{Kind: Drift, Text: text})
	}
	return s.unusual
}

// SetAlerts asks for so many alerts a day, none for 0.
func (s *Sensor) SetAlerts(perDay float64) { s.alerts.SetPerDay(perDay) }

// Raise says what becomes of the connection last scored, which was unusual.
func (s *Sensor) Raise() alerts.Verdict {
	if !s.unusual {
		return alerts.Suppressed
	}
	s.unusual = false
	return s.alerts.Raise(&s.row)
}

// Finish tells of what was still being gathered, and ends learning and sampling.
func (s *Sensor) Finish() error {
	s.alerts.Incidents(true, s.incident)
	return s.EndLearning()
}

func (s *Sensor) bad(err error) error {
	err = &Error{BadRecord, fmt.Errorf("connection cannot be scored: %w", err)}
	s.counts.count(err)
	return err
}

// Fault counts a call of Score that ended in a panic.
func (s *Sensor) Fault() { s.counts.Calls[Panic]++ }

// Reason is the text of anomaly_reason for the last connection scored. It is
// overwritten by the next call and does not allocate.
func (s *Sensor) Reason() []byte {
	s.reason = s.reason[:0]
	if s.scored != nil {
		s.reason = s.scored.AppendReason(s.reason, &s.conn, s.window)
	}
	return s.reason
}

// Statistics are the counts since New.
func (s *Sensor) Statistics() Statistics {
	c := s.counts
	c.Raised, c.Folded, c.Suppressed = s.alerts.Raised, s.alerts.Folded, s.alerts.Suppressed
	if s.learning != nil {
		c.Learning, c.Learner = true, s.learning.learner.Stats()
	}
	return c
}
