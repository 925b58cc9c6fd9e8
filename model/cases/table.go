package cases

import "github.com/zeek-iforest/zeek-iforest/model/internal/recent"

// DefaultOpen is how many connections with rows in other logs a Table remembers.
const DefaultOpen = 1 << 15

// uid is a connection's, its first 32 bytes: Zeek's have 18.
type uid [32]byte

func uidOf(text string) (key uid) {
	copy(key[:], text)
	return key
}

// Table remembers the rows of connections that are open, until their row of
// conn.log comes. Where there is no room, the connection goes that had no row
// for the longest time; so do those whose row of conn.log came first, as with
// an answer that is late. It is not safe for concurrent use.
type Table struct {
	places *recent.Table[uid]
	cases  []Case
}

// NewTable returns a table for so many connections.
func NewTable(open int) *Table {
	return &Table{places: recent.New[uid](open), cases: make([]Case, open)}
}

// Add adds a row of a connection, as Case.Add does. Without a uid there is none.
func (t *Table) Add(of string, r Row, reason func() string) {
	if of == "" {
		return
	}
	at, added := t.places.Use(uidOf(of))
	if added {
		t.cases[at] = Case{}
	}
	t.cases[at].Add(r, reason)
}

// Look writes what is known of a connection to c.
func (t *Table) Look(of string, c *Case) {
	*c = Case{}
	if at := t.places.Find(uidOf(of)); at >= 0 {
		*c = t.cases[at]
	}
}

// Take writes what is known of a connection to c and forgets it.
func (t *Table) Take(of string, c *Case) {
	*c = Case{}
	if at := t.places.Find(uidOf(of)); at >= 0 {
		*c, t.cases[at] = t.cases[at], Case{}
		t.places.Retire(at)
	}
}
