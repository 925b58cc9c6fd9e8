package main

import (
	"errors"

	"github.com/zeek-iforest/zeek-iforest/capture/zeeklog"
)

// maxWarnings is how many faults are named; the others are counted.
const maxWarnings = 10

// faults are the rows and packets that could not be used.
type faults struct {
	unusable uint64            // exit status 1
	named    uint64            // of them
	alike    uint64            // of them: not named because one of their kind was
	others   map[otherRow]bool // kinds of rows of other logs that were named
}

// otherRow is a kind of JSON rows that are not conn.log's: a log of another
// kind, or a stream of several, has any number of them.
type otherRow struct{ file, why string }

// unused counts a row or packet that could not be used and names the first
// ones, of rows of other logs the first of its kind.
func (s *session) unused(err error) {
	s.unusable++
	like := ""
	if row := (*zeeklog.Error)(nil); errors.Is(err, zeeklog.ErrOtherLog) && errors.As(err, &row) {
		kind := otherRow{row.File, row.Field + ": " + row.Err.Error()}
		if s.others[kind] {
			s.alike++
			return
		}
		if s.others == nil {
			s.others = make(map[otherRow]bool)
		}
		s.others[kind] = true
		like = "; rows like it are counted, not named"
	}
	switch s.named++; {
	case s.named <= maxWarnings:
		s.warn("%v%s", err, like)
	case s.named == maxWarnings+1:
		s.warn("further faults are counted, not named")
	}
}

// damaged counts the fault that ends a file early, and names it even after
// many bad rows: it cost more than a row.
func (s *session) damaged(err error) {
	s.unusable++
	s.named++
	s.warn("%v", err)
}

// sayFaults says how many faults there were, unless each was named.
func (s *session) sayFaults() {
	if s.unusable > maxWarnings || s.alike > 0 {
		s.warn("%s in all", plural(s.unusable, "fault"))
	}
}
