package zeeklog

import "fmt"

// Error says why a row cannot be used. Reading goes on after it.
type Error struct {
	File  string
	Line  int    // 1-based, in the decompressed log
	Field string // the column's name; "" when it is the line as a whole
	Err   error
}

func (e *Error) Error() string {
	if e.Field == "" {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s:%d: %s: %v", e.File, e.Line, e.Field, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fieldError names the column that a parser stumbled over; (*Parser).Parse
// makes an Error of it.
type fieldError struct {
	field field
	err   error
}

func (e *fieldError) Error() string { return columns[e.field].name + ": " + e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// quote shows the start of a value in an error message.
func quote(s string) string {
	const longest = 40
	if len(s) > longest {
		return fmt.Sprintf("%q…", s[:longest])
	}
	return fmt.Sprintf("%q", s)
}
