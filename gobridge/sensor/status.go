package sensor

import (
	"errors"
	"fmt"

	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// Status says what became of a call: enum iforest_status of
// gobridge/iforest_abi.h, with which gobridge compares it when it is compiled.
type Status int32

// The statuses.
const (
	OK Status = iota
	NoLibrary
	NoModel
	BadRecord
	BadModel
	Panic
	NotDone
	Statuses
)

// Error is an error with the status that the host is given for it.
type Error struct {
	Status Status
	Err    error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// StatusOf returns the status for err: OK for nil, Panic for what no function of
// this package returns.
func StatusOf(err error) Status {
	switch e := err.(type) { // not errors.As, which allocates
	case nil:
		return OK
	case *Error:
		return e.Status
	}
	return Panic
}

// Panicked makes an error of what recover returned.
func Panicked(value any) error {
	return &Error{Panic, fmt.Errorf("fault in the sensor library: %v; please report it", value)}
}

var errNoModel = &Error{NoModel, errors.New("no model has been loaded")}

// Bins is the number of bins of equal width in a histogram of scores.
const Bins = 20

// Statistics counts since New; Learner's figures are those of what was learnt.
type Statistics struct {
	Calls   [Statuses]uint64 // of Score, by what it returned
	Bins    [Bins]uint64     // scores; bin i holds [i, i+1) / Bins
	Sum     float64          // of all scores
	Seed    uint64           // scored by the seed model
	Cold    uint64           // scored while the originator's window was cold
	Models  uint64           // models taken into use
	Refused uint64           // models refused
	Looks   uint64           // scores of connections that went on: Peek

	Sampled uint64 // connections put into batches
	Lost    uint64 // of them, those that nobody fetched

	Learning   bool
	Learner    learn.Stats
	Raised     uint64 // alerts, and incidents that were told
	Folded     uint64 // unusual connections that are part of an incident
	Suppressed uint64 // unusual connections for which the hour, or the day, had no room
	Unsent     uint64 // unusual connections that nobody fetched: Candidates
}

// count counts a call of Score that ended with err.
func (s *Statistics) count(err error) { s.Calls[StatusOf(err)]++ }

func (s *Statistics) add(score float64, cold bool) {
	s.Calls[OK]++
	s.Bins[min(int(score*Bins), Bins-1)]++
	s.Sum += score
	if cold {
		s.Cold++
	}
}
