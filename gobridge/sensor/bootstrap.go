package sensor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// Bootstrapped says what Bootstrap did.
type Bootstrapped struct {
	Rows     uint64       // learnt from
	Unusable uint64       // left out, because no conn.log can hold them
	Models   int          // made and promoted
	Model    *model.Model // that the sensor begins with, or nil if there were too few rows
}

// ErrStateThere says that a directory holds the state of a sensor, which may
// have learnt for months.
var ErrStateThere = errors.New("it holds what a sensor has learnt already")

// Bootstrap makes the state of a sensor that has seen the connections which next
// yields, in log order, until io.EOF: in o.Dir, for a sensor that is started
// afterwards. With perDay alerts a day it knows what the last day would have
// raised. On an error there is no state.
func Bootstrap(next func(*conn.Conn) error, o Learning, perDay float64) (report Bootstrapped, err error) {
	state := filepath.Join(o.Dir, stateFile)
	if _, err := os.Stat(state); err == nil {
		return report, fmt.Errorf("%s: %w", o.Dir, ErrStateThere)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return report, err
	}
	var dir stateDir
	if err := dir.open(o.Dir); err != nil {
		return report, err
	}
	dir.release()
	o.SaveEvery = 0 // at the end
	s := New(model.DefaultHosts)
	s.SetAlerts(perDay)
	s.UseSeed(true)
	if err := s.Learn(o); err != nil {
		return report, err
	}
	if e := s.Event(); e.Kind == Warning {
		return report, errors.Join(errors.New(e.Text), s.abandon())
	}
	if s.learning.learner.Rows() > 0 { // another was faster
		s.learning.dir.release()
		return report, fmt.Errorf("%s: %w", o.Dir, ErrStateThere)
	}
	for c := new(conn.Conn); ; {
		if err := next(c); err == io.EOF {
			break
		} else if err != nil {
			return report, errors.Join(err, s.abandon())
		}
		report.Rows++
		if r, err := s.scoreConn(c); StatusOf(err) == BadRecord {
			report.Rows--
			report.Unusable++
		} else if r.Unusual {
			s.Raise()
		}
		for s.News() > 0 {
			switch e := s.Event(); e.Kind {
			case Promoted:
				report.Models++
			case Warning:
				return report, errors.Join(errors.New(e.Text), s.abandon())
			}
		}
	}
	report.Model = s.model
	return report, s.EndLearning()
}

// scoreConn is Score for a connection as a log has it.
func (s *Sensor) scoreConn(c *conn.Conn) (Result, error) {
	s.kind.(*connKind).conn = *c
	s.unusual = false
	return s.scoreRow()
}

// abandon ends learning and leaves nothing of it behind.
func (s *Sensor) abandon() (err error) {
	d := &s.learning.dir
	if d.path == "" {
		return nil
	}
	if d.written != nil {
		err = <-d.written
	}
	err = errors.Join(err, os.RemoveAll(filepath.Join(d.path, modelFile)))
	d.release()
	s.learning = nil
	return err
}
