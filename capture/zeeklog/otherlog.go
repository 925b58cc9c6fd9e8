package zeeklog

import "errors"

// ErrOtherLog is what the errors of JSON rows are (errors.Is) that lack a key
// which every row of conn.log has. Mostly it is a row of another log, and many
// follow that lack the same.
var ErrOtherLog = errors.New("a row of another log")

var (
	errMissing error = keyError("is missing")
	errNotConn error = keyError("not a row of conn.log: no conn_state")
)

// keyError is an ErrOtherLog that says what is missing.
type keyError string

func (e keyError) Error() string   { return string(e) }
func (keyError) Is(err error) bool { return err == ErrOtherLog }
