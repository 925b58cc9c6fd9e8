package feature

import "github.com/zeek-iforest/zeek-iforest/model/internal/recent"

// pending keeps what was counted of a key and has not been sent. What does not
// fit makes room for what was counted later, and is lost.
type pending[K comparable, V any] struct {
	keys    *recent.Table[K]
	entries []V
}

func newPending[K comparable, V any](capacity int) pending[K, V] {
	keys := recent.New[K](capacity)
	return pending[K, V]{keys: keys, entries: make([]V, keys.Cap())}
}

// use returns the entry of a key, zero if it is new.
func (p *pending[K, V]) use(key K) (entry *V, added bool) {
	place, added := p.keys.Use(key)
	entry = &p.entries[place]
	if added {
		var zero V
		*entry = zero
	}
	return entry, added
}

// find returns the entry of a key, or nil if there is none.
func (p *pending[K, V]) find(key K) *V {
	if place := p.keys.Find(key); place >= 0 {
		return &p.entries[place]
	}
	return nil
}

// each gives do the entries, those used longest ago first, while what it writes, of
// at most so many bytes an entry, has room in one part in so many of what is left.
func (p *pending[K, V]) each(w *evidenceWriter, oneIn, longest int, do func(K, *V)) {
	end := w.part(oneIn)
	for at := p.keys.Oldest(); at >= 0; at = p.keys.Newer(at) {
		if len(w.data)+longest > end {
			w.waits = true
			return
		}
		do(p.keys.Key(at), &p.entries[at])
	}
}
