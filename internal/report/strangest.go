package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// MaxKinds bounds the kinds that a Strangest tells apart. Beyond it the less
// strange half is forgotten, and its counts with it.
const MaxKinds = 1 << 16

// Strangest keeps the strangest connection of each kind and counts those alike:
// a scan is one line to look at, not two hundred. It is for one goroutine.
type Strangest[Kind comparable] struct {
	kinds   map[Kind]*Strange
	only    int        // how many are wanted in the end, 0 for all
	leading []*Strange // the strangest of them so far, the strangest first
}

// Strange is the strangest connection of a kind.
type Strange struct {
	Place       uint64 // of its row; of equal scores the first row is kept
	Score       float64
	OneIn       uint64 // N of "1 in N", or 0 if it is not known
	Conn        conn.Conn
	Reason      string
	Cells       []string    // of a row of another log than conn.log: what the table shows of it
	Alike       uint64      // connections of its kind, itself included
	First, Last conn.Micros // start of the earliest and of the latest of them
}

// NewStrangest returns one that has seen no connection.
func NewStrangest[Kind comparable]() *Strangest[Kind] {
	return &Strangest[Kind]{kinds: map[Kind]*Strange{}}
}

// Only says that nobody looks at others than the first n of Sorted, n > 0: for these
// alone Observe then calls fill, which says why a connection is strange and takes
// longer than all else. It returns s.
func (s *Strangest[Kind]) Only(n int) *Strangest[Kind] {
	if n <= maxLeading {
		s.only = n
	}
	return s
}

// maxLeading is up to where searching those that lead costs less than filling the
// others. It is below MaxKinds / 2, so that forget leaves all that lead.
const maxLeading = 500

// leads reports whether k, whose score has grown, is among the strangest now. Scores
// only grow, so what does not lead with the score that it ends with never will.
func (s *Strangest[Kind]) leads(k *Strange) bool {
	n := len(s.leading)
	if s.only == 0 {
		return true
	}
	if n == s.only && compareStrange(k, s.leading[n-1]) > 0 {
		return false
	}
	if !slices.Contains(s.leading, k) {
		if n == s.only {
			s.leading = s.leading[:n-1]
		}
		s.leading = append(s.leading, k)
	}
	slices.SortFunc(s.leading, compareStrange)
	return true
}

// Observe takes a connection of a kind that began at a time. It calls fill for the
// connection's OneIn, Conn, Reason and Cells if none of its kind was stranger. What
// fill sets must not change afterwards, apart from Conn's UID, which is copied, and
// its TunnelParents, which are left out.
func (s *Strangest[Kind]) Observe(of Kind, place uint64, score float64, at conn.Micros, fill func(*Strange)) {
	k := s.kinds[of]
	if k == nil {
		s.forget()
		k = &Strange{First: at, Last: at}
		s.kinds[of] = k
	}
	k.Alike++
	k.First, k.Last = min(k.First, at), max(k.Last, at)
	if k.Alike > 1 && compareStrange(&Strange{Place: place, Score: score}, k) > 0 {
		return
	}
	k.Place, k.Score = place, score
	if !s.leads(k) {
		return
	}
	fill(k)
	k.Conn.UID, k.Conn.TunnelParents = strings.Clone(k.Conn.UID), nil
}

// forget makes room for a kind.
func (s *Strangest[Kind]) forget() {
	if len(s.kinds) < MaxKinds {
		return
	}
	sorted := s.Sorted()
	middle := sorted[len(sorted)/2]
	maps.DeleteFunc(s.kinds, func(_ Kind, k *Strange) bool { return compareStrange(k, middle) > 0 })
}

// Sorted returns the strangest connection of each kind: highest score first, then by
// place.
func (s *Strangest[Kind]) Sorted() []*Strange {
	return slices.SortedFunc(maps.Values(s.kinds), compareStrange)
}

func compareStrange(a, b *Strange) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Place, b.Place))
}
