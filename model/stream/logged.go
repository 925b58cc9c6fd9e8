package stream

import (
	"errors"
	"fmt"
	"strconv"
)

// Values gives the text of a row's column, or false if it has none.
type Values func(column string) (text string, ok bool)

// Logged is what a row of a log that was scored says of its score.
type Logged struct {
	Score float64 // anomaly_score
	By    string  // anomaly_model, or "" if that is not said
}

// ReadLogged reads the score that a row of a log has; ok is false for a row
// without one. The error says that it is none.
func ReadLogged(value Values) (l Logged, ok bool, err error) {
	text, ok := value("anomaly_score")
	if !ok {
		return l, false, nil
	}
	if l.Score, err = strconv.ParseFloat(text, 64); err != nil || !(l.Score > 0 && l.Score < 1) {
		return Logged{}, false, fmt.Errorf("anomaly_score %q is not a number between 0 and 1", text)
	}
	l.By, _ = value("anomaly_model")
	return l, true, nil
}

// ErrUnscored says that a row has no score and no model gives it one.
var ErrUnscored = errors.New("no anomaly_score in this row, and no model to score it with")

// NextLogged is Next for a row of a log that may have been scored before: that
// score stays. The model, if there is one, scores the others, and says the rank and the
// reason that the log lacks of a score that is its own. The error is that of
// Check, or of ReadLogged, or ErrUnscored; only of the first it is not observed.
func (s *Stream) NextLogged(r Record, value Values) (*Scored, error) {
	if err := Observe(r); err != nil {
		return nil, err
	}
	l, ok, err := ReadLogged(value)
	switch {
	case err != nil:
		return nil, err
	case !ok && s.Model == nil:
		return nil, ErrUnscored
	case !ok:
		return s.Score(r), nil
	}
	s.scored = Scored{Model: s.Model, Record: r, Logged: true, by: l.By, value: value, stream: s}
	s.scored.Value = l.Score
	return &s.scored, nil
}

// own finds out whether a logged score is the model's: anomaly_model names it, or
// nobody is named, and the model makes that score of the row again. Of another
// model's score, or of other windows', it knows no rank and no reason.
func (s *Scored) own() bool {
	if !s.Logged || s.compared {
		return s.Model != nil && (!s.Logged || s.same)
	}
	s.compared = true
	if s.Model == nil || s.by != "" && s.by != nameOf(s.Model) {
		return false
	}
	again := s.stream
	s.Record.Encode(&again.row)
	s.Model.Encoder().Finish(&again.vector, &again.row.Sample)
	s.row(again.vector[:s.Model.Set().N()], again.credits[:], &again.row)
	score := s.Model.ScoreOf(again.walker.MeanPath(s.Model.Forest(), s.vector), s.Cold)
	if s.same = score.Value == s.Value; s.same {
		s.Score = score
	}
	return s.same
}
