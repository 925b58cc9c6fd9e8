package model

import (
	"math/bits"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// Change is a set of fields with which a connection would be ordinary.
type Change struct {
	Fields []ChangedField // as few as possible
	Like   *Other         // the connection whose values they were moved towards
	Score  Score          // of the changed connection
}

// ChangedField is one field of a Change.
type ChangedField struct {
	Feature  int    // index in the Set's Features of the one that shows it
	Name     string // "orig_bytes"
	From, To string // "500 kB", "1.2 kB"
}

// SmallestChange says which fields of c, whose window is w, would have to be
// those of an ordinary connection, one of others, for c to have at least the
// rank ordinary: the fewest; among so few, those in which it differs least.
// Numbers are then brought back towards those of c as far as they can. The
// others come from Similar, so taking over everything is always enough. It
// returns false if others is empty, and no fields where c is ordinary.
func (m *Model) SmallestChange(c *conn.Conn, w feature.Window, others []Other, ordinary float64) (Change, bool) {
	best := altering{}
	for i := range others {
		a := altering{model: m, conn: *c, window: w, other: &others[i], ordinary: ordinary}
		a.list()
		a.search()
		if best.model == nil || a.less(&best) {
			best = a
		}
	}
	if best.model == nil {
		return Change{}, false
	}
	return best.change(), true
}

// altering is the search for the fields to take over from one other connection.
type altering struct {
	model    *Model
	conn     conn.Conn
	window   feature.Window
	other    *Other
	ordinary float64

	differ []*field // the fields that are not the same
	taken  uint     // of them, a bit each
	size   float64  // of the difference in these
}

func (a *altering) list() {
	for i := range fields {
		f := &fields[i]
		if f.get(&a.conn, &a.window) != f.get(&a.other.Conn, &a.other.Window) {
			a.differ = append(a.differ, f)
		}
	}
}

// less is whether the change is smaller than another one.
func (a *altering) less(b *altering) bool {
	if n, m := bits.OnesCount(a.taken), bits.OnesCount(b.taken); n != m {
		return n < m
	}
	return a.size < b.size
}

// search tries all sets of fields, the smallest ones first.
func (a *altering) search() {
	all := uint(1)<<len(a.differ) - 1
	for n := 0; n <= len(a.differ); n++ {
		found := false
		for taken := uint(0); taken <= all; taken++ {
			if bits.OnesCount(taken) != n {
				continue
			}
			try := *a
			try.taken, try.size = taken, 0
			for i, f := range a.differ {
				if taken>>i&1 != 0 {
					try.size += a.other.Parts[f.feature]
				}
			}
			if c, w := try.altered(); (!found || try.less(a)) && a.isOrdinary(&c, w) {
				*a, found = try, true
			}
		}
		if found {
			return
		}
	}
	a.taken = all // the other connection as it is
}

// altered returns the connection with the fields taken over.
func (a *altering) altered() (conn.Conn, feature.Window) {
	c, w := a.conn, a.window
	for i, f := range a.differ {
		if a.taken>>i&1 != 0 {
			f.put(&c, &w, f.get(&a.other.Conn, &a.other.Window))
		}
	}
	return c, w
}

func (a *altering) isOrdinary(c *conn.Conn, w feature.Window) bool {
	if most := w.Connections; w != a.window && w != a.other.Window && (w.Failures > most || w.Responders > most || w.Ports > most) {
		return false // no host's window, unless an estimate made it so
	}
	return a.model.Rank(a.score(c, w).Path) >= a.ordinary
}

func (a *altering) score(c *conn.Conn, w feature.Window) Score {
	v := a.model.vector(c, w)
	return a.model.ScoreOf(a.model.forest.MeanPath(v[:]), w.Cold)
}

// change brings the numbers back and puts the change into words.
func (a *altering) change() Change {
	c, w := a.altered()
	for i, f := range a.differ {
		if a.taken>>i&1 != 0 && f.number {
			a.bringBack(f, &c, &w)
		}
	}
	change := Change{Like: a.other, Score: a.score(&c, w)}
	for i, f := range a.differ {
		if a.taken>>i&1 == 0 {
			continue
		}
		words := func(c *conn.Conn, w feature.Window) string {
			return string(a.model.encoder.AppendConn(nil, f.feature, c, w))
		}
		change.Fields = append(change.Fields, ChangedField{
			Feature: f.feature, Name: feature.Conn.Features[f.feature].Name,
			From: words(&a.conn, a.window), To: words(&c, w),
		})
	}
	return change
}

// bringBack moves a number as far back as the connection stays ordinary.
func (a *altering) bringBack(f *field, c *conn.Conn, w *feature.Window) {
	from, to := f.get(&a.conn, &a.window), f.get(c, w)
	if !from.set || !to.set {
		return
	}
	near, far := to.n, from.n // near is ordinary
	for max(near, far)-min(near, far) > 1 {
		middle := to
		middle.n = min(near, far) + (max(near, far)-min(near, far))/2
		if f.put(c, w, middle); a.isOrdinary(c, *w) {
			near = middle.n
		} else {
			far = middle.n
		}
	}
	to.n = near
	f.put(c, w, to)
}
