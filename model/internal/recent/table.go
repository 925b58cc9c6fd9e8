// Package recent holds a table of bounded size that forgets what was used
// longest ago.
package recent

import "hash/maphash"

// Table gives each key a place from 0 to its capacity − 1, for the caller to
// keep values at in a slice of that length. All memory is reserved at once,
// without pointers. The hash is seeded anew for each table, so that keys cannot
// be chosen to collide; which key gets which place depends on the order of the
// calls alone. It is not safe for concurrent use.
type Table[K comparable] struct {
	keys   []K
	links  []link
	heads  []uint32 // by hash
	seed   maphash.Seed
	used   uint32
	newest uint32
	oldest uint32
}

// link holds a key's place in the chain of its hash and in the order of use.
// Inside the table places count from one; zero is none.
type link struct{ chain, newer, older uint32 }

// New returns a table for that many keys, at least one.
func New[K comparable](capacity int) *Table[K] {
	capacity = max(capacity, 1)
	heads := 1
	for heads < capacity {
		heads *= 2
	}
	return &Table[K]{
		keys:  make([]K, capacity),
		links: make([]link, capacity+1),
		heads: make([]uint32, heads),
		seed:  maphash.MakeSeed(),
	}
}

// Cap returns the number of keys that fit.
func (t *Table[K]) Cap() int { return len(t.keys) }

// Len returns the number of keys, at the places 0 to Len − 1.
func (t *Table[K]) Len() int { return int(t.used) }

// Key returns the key at a place.
func (t *Table[K]) Key(place int) K { return t.keys[place] }

// Find returns the place of a key, or −1.
func (t *Table[K]) Find(key K) int { return int(t.find(t.head(key), key)) - 1 }

// Use returns the place of a key, which is now the one used last. A key that is
// not in the table takes a new place, or that of the key used longest ago:
// added says so, and the value at the place is then the caller's to clear.
func (t *Table[K]) Use(key K) (place int, added bool) {
	head := t.head(key)
	if at := t.find(head, key); at != 0 {
		if at != t.newest {
			t.unlink(at)
			t.push(at)
		}
		return int(at) - 1, false
	}
	var at uint32
	if t.used == uint32(len(t.keys)) {
		at = t.oldest
		t.unchain(at)
		t.unlink(at)
	} else {
		t.used++
		at = t.used
	}
	t.keys[at-1] = key
	t.links[at].chain, *head = *head, at
	t.push(at)
	return int(at) - 1, true
}

// Oldest returns the place of the key used longest ago, −1 in an empty table; Full
// says whether the next new key takes it.
func (t *Table[K]) Oldest() int { return int(t.oldest) - 1 }

// Full reports whether the next new key takes the place of the oldest.
func (t *Table[K]) Full() bool { return t.used == uint32(len(t.keys)) }

func (t *Table[K]) head(key K) *uint32 {
	return &t.heads[maphash.Comparable(t.seed, key)&uint64(len(t.heads)-1)]
}

func (t *Table[K]) find(head *uint32, key K) uint32 {
	at := *head
	for at != 0 && t.keys[at-1] != key {
		at = t.links[at].chain
	}
	return at
}

func (t *Table[K]) unchain(at uint32) {
	next := t.head(t.keys[at-1])
	for *next != at {
		next = &t.links[*next].chain
	}
	*next = t.links[at].chain
}

func (t *Table[K]) unlink(at uint32) {
	l := t.links[at]
	if l.newer == 0 {
		t.newest = l.older
	} else {
		t.links[l.newer].older = l.older
	}
	if l.older == 0 {
		t.oldest = l.newer
	} else {
		t.links[l.older].newer = l.newer
	}
}

func (t *Table[K]) push(at uint32) {
	t.links[at].newer, t.links[at].older = 0, t.newest
	if t.newest != 0 {
		t.links[t.newest].newer = at
	} else {
		t.oldest = at
	}
	t.newest = at
}

// Newer returns the place of the key used next after the one at a place, −1 after
// the last.
func (t *Table[K]) Newer(place int) int { return int(t.links[place+1].newer) - 1 }

// Retire makes a key the one used longest ago: the next new key that finds the
// table full takes its place.
func (t *Table[K]) Retire(place int) {
	at := uint32(place) + 1
	if at == t.oldest {
		return
	}
	t.unlink(at)
	t.links[at].older, t.links[at].newer = 0, t.oldest
	t.links[t.oldest].older = at
	t.oldest = at
}
