package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Messages are lower case and have no full stop, as Zeek's and Go's.

// hintError is an error with a line that says what to do about it.
type hintError struct {
	error
	hint string
}

func (e *hintError) Unwrap() error { return e.error }

// hinted adds what the user can do to an error; nil stays nil.
func hinted(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &hintError{err, hint}
}

// limitError says that a limit of the user's was passed: exit status 3.
type limitError struct{ error }

// fail prints the error and gives its exit status.
func (s *session) fail(err error) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(s.stderr, "zeek-iforest: interrupted")
		return exitNot
	}
	fmt.Fprintf(s.stderr, "zeek-iforest: error: %v\n", err)
	hint := whatToDo(err)
	if h := (*hintError)(nil); errors.As(err, &h) {
		hint = h.hint
	}
	if hint != "" {
		fmt.Fprintf(s.stderr, "zeek-iforest: hint: %s\n", hint)
	}
	if errors.As(err, new(limitError)) {
		return exitLimit
	}
	return exitNot
}

// warn prints a warning.
func (s *session) warn(format string, args ...any) {
	fmt.Fprintf(s.stderr, "zeek-iforest: warning: "+format+"\n", args...)
}

// say prints a remark.
func (s *session) say(format string, args ...any) {
	fmt.Fprintf(s.stderr, "zeek-iforest: "+format+"\n", args...)
}

// progress draws a bar on a terminal and nothing elsewhere. total is -1 if
// it is not known.
func (s *session) progress(total int64, what string) *progressbar.ProgressBar {
	if !s.terminal {
		return progressbar.NewOptions64(total, progressbar.OptionSetVisibility(false))
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(s.stderr),
		progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(200*time.Millisecond),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetSpinnerChangeInterval(0), // a goroutine would draw it, and races with ours
	)
}
