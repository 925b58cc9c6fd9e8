package feature

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// appendState appends the entries that belong to the hosts' places from to
// from+n−1: as many for each place as the tables are larger than Hosts.
func (m *memory) appendState(dst []byte, from, n int) []byte {
	dst = m.responders.append(dst, from, n)
	dst = m.pairs.append(dst, from*pairsPerHost, n*pairsPerHost)
	return m.ports.append(dst, from*portsPerHost, n*portsPerHost)
}

// places returns how many of the hosts' places the tables need.
func (m *memory) places() int {
	return max(m.responders.keys.Len(), ceil(m.pairs.keys.Len(), pairsPerHost), ceil(m.ports.keys.Len(), portsPerHost))
}

func ceil(n, by int) int { return (n + by - 1) / by }

// readState reads what appendState appended. Entries are put into the tables
// by restore, once all are known.
func (m *memory) readState(r *stateReader) {
	m.responders.read(r)
	m.pairs.read(r)
	m.ports.read(r)
}

// restore puts the entries that were read into the tables, those seen last at
// the end: forgetting is in the order of last use.
func (m *memory) restore() {
	m.responders.restore()
	m.pairs.restore()
	m.ports.restore()
}

func (t *table[V, P]) append(dst []byte, from, n int) []byte {
	end := max(min(from+n, t.keys.Len()), from)
	dst = binary.AppendUvarint(dst, uint64(end-from))
	for place := from; place < end; place++ {
		dst = binary.LittleEndian.AppendUint64(dst, t.keys.Key(place))
		dst = binary.AppendUvarint(dst, t.entries[place].seen)
		dst = P(&t.entries[place].value).append(dst)
	}
	return dst
}

func (t *table[V, P]) read(r *stateReader) {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		s := saved[V]{key: uint64(r.uint32()) | uint64(r.uint32())<<32}
		s.seen = r.uvarint()
		P(&s.value).read(r)
		t.saved = append(t.saved, s)
	}
}

func (t *table[V, P]) restore() {
	slices.SortStableFunc(t.saved, func(a, b saved[V]) int { return cmp.Compare(a.seen, b.seen) })
	for _, s := range t.saved {
		place, _ := t.keys.Use(s.key)
		t.entries[place] = s.entry
	}
	t.saved = nil
}

func (r *responder) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, r.minute)
	for _, n := range r.failures {
		dst = binary.AppendUvarint(dst, uint64(n))
	}
	return dst
}

func (r *responder) read(s *stateReader) {
	r.minute = s.varint()
	for i := range r.failures {
		r.failures[i] = uint32(s.uvarint())
	}
}

func (p *pair) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, int64(p.step))
	dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(p.bytes))
	return binary.LittleEndian.AppendUint32(dst, math.Float32bits(p.seconds))
}

func (p *pair) read(s *stateReader) {
	p.step = int32(s.varint())
	for _, to := range [...]*float32{&p.bytes, &p.seconds} {
		if *to = math.Float32frombits(s.uint32()); !(*to >= 0 && *to <= math.MaxFloat32) { // NaN too
			s.err = errState
		}
	}
}

func (u *portUse) append(dst []byte) []byte { return binary.AppendUvarint(dst, uint64(*u)) }

func (u *portUse) read(s *stateReader) {
	if *u = portUse(s.uvarint()); *u > maxUses {
		s.err = errState
	}
}
