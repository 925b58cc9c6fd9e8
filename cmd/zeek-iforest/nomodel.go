package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

// Where no model is named, replay and score learn from what they read, as the
// paper does. Too few connections say nothing about each other: the seed model
// scores them.

// seedName is what -m takes for the seed model.
const seedName = "seed"

// noModel says where the model comes from that -m does not name.
type noModel struct {
	fromInput bool                              // however few connections there are
	input     string                            // "the capture itself"
	x509      func(*session, ...*logKind) error // reads the certificates of --x509, or nil
}

// noModelFlag defines --learn-from-input. Who says how to learn means to learn.
func noModelFlag(flags *pflag.FlagSet, input string) func() noModel {
	fromInput := flags.Bool("learn-from-input", false, "without -m: learn from the input itself, as the paper does, even from a few connections")
	return func() noModel {
		how := slices.ContainsFunc(strings.Fields(learnt), flags.Changed)
		return noModel{fromInput: *fromInput || how, input: input}
	}
}

// choose returns the model of a Fit, or the seed where it had too little to
// learn from, and says which.
func (n noModel) choose(s *session, m *model.Model, report learn.Report, err error) (*model.Model, error) {
	few := report.Rows < learn.FewRows && (err == nil || errors.Is(err, forest.ErrTooFewRows))
	switch {
	case few && !n.fromInput:
		s.say("no model given, and too few to learn from, %s: scored by the seed model, which was learnt from public captures",
			plural(report.Rows, "connection"))
		return seed.Model()
	case err != nil:
		return nil, tooFew(err)
	}
	s.say("no model given: learnt from the %d connections of %s", report.Rows, n.input)
	for _, remark := range report.Remarks {
		s.warn("%s", remark)
	}
	return m, nil
}

// ofLogs learns from logs that are read again afterwards, where that can be:
// not from standard input.
func (n noModel) ofLogs(s *session, files []string, strict bool) (*model.Model, error) {
	if at := slices.IndexFunc(files, readOnce); at >= 0 {
		name := displayName(files[at])
		if n.fromInput {
			return nil, hinted(fmt.Errorf("--learn-from-input: %s cannot be read twice", name), "name a file, or learn first: zeek-iforest train -o MODEL")
		}
		s.say("no model given, and %s cannot be read twice: scored by the seed model, which was learnt from public captures", name)
		return seed.Model()
	}
	// What is wrong with the rows is said when they are scored.
	quiet := *s
	quiet.stderr, quiet.faults = io.Discard, faults{}
	k, err := quiet.log(files)
	if err != nil {
		return nil, err
	}
	if n.x509 != nil {
		if err := n.x509(s, k); err != nil {
			return nil, err
		}
	}
	quiet.certificates = s.certificates.uncounted()
	if k != nil {
		r := quiet.records(k, files, strict, model.DefaultHosts)
		defer r.rows.close()
		m, _, err := learn.FitRows(r.nextRow, learn.Options{Set: k.set, Seed: model.DefaultSeed})
		if err == nil {
			s.say("no model given: scored by one that was learnt from the %d %s themselves", m.Summary().Rows, k.set.Rows)
		}
		return m, tooFew(err)
	}
	rows := quiet.rows(files, strict)
	defer rows.close()
	m, report, err := learn.Fit(rows.next, learn.Options{Seed: model.DefaultSeed})
	m, err = n.choose(s, m, report, err)
	s.learnt = !seed.Is(m)
	return m, err
}

// readOnce reports whether a file is a stream, which is gone when it was read:
// standard input, a pipe, a process substitution of the shell.
func readOnce(path string) bool {
	if path == "-" {
		return true
	}
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}
