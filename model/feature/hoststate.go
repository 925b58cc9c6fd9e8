package feature

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"
)

// errState says that a saved state is not one.
var errState = errors.New("state of host windows is damaged")

// AppendState appends the state of the originators at the places from to
// from+n−1, or as many as there are, and of what is remembered beside them;
// places count from 0 to Places−1. All of them
// together, in any order, give the table again. Between two calls rows may be
// observed: each host is then as it was when it was appended.
func (h *Hosts) AppendState(dst []byte, from, n int) []byte {
	dst = binary.AppendUvarint(dst, h.rows)
	dst = binary.AppendVarint(dst, h.opening)
	dst = binary.AppendVarint(dst, h.horizon)
	end := max(min(from+n, h.Len()), from)
	dst = binary.AppendUvarint(dst, uint64(end-from))
	for place := from; place < end; place++ {
		addr := h.places.Key(place)
		dst = h.hosts[place].append(append(dst, addr[:]...), &h.marks[place])
	}
	return h.memory.appendState(dst, from, n)
}

func (e *host) append(dst []byte, m *hostMarks) []byte {
	dst = binary.AppendVarint(dst, e.minute)
	dst = binary.AppendVarint(dst, e.exactFrom)
	dst = binary.AppendUvarint(dst, e.seen)
	dst = binary.AppendUvarint(dst, uint64(e.uses))
	for i := range minutes {
		dst = binary.AppendUvarint(dst, uint64(e.conns[i]))
		dst = binary.AppendUvarint(dst, uint64(e.failures[i]))
	}
	return e.ports.append(e.responders.append(dst, &m.responders), &m.ports)
}

func (d *distinct) append(dst []byte, m *marks) []byte {
	live := d.upto[minutes-1]
	dst = append(append(dst, d.upto[:]...), d.spots[:live]...)
	for _, key := range d.recent[:live] {
		dst = binary.LittleEndian.AppendUint32(dst, key)
	}
	if !d.full() {
		return dst
	}
	var set uint32 // which words of marks are not zero
	for slot := range m {
		for w, word := range m[slot] {
			if word != 0 {
				set |= 1 << (slot*markWords + w)
			}
		}
	}
	dst = binary.LittleEndian.AppendUint32(dst, set)
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		dst = binary.LittleEndian.AppendUint64(dst, m[i/markWords][i%markWords])
	}
	return dst
}

// RestoreHosts makes a table for that many originators from states that
// AppendState appended. Of more originators those observed last are kept.
func RestoreHosts(capacity int, states ...[]byte) (*Hosts, error) {
	h := NewHosts(capacity)
	type savedHost struct {
		seen uint64
		data []byte // from the address on
	}
	var all []savedHost
	for _, data := range states {
		r := stateReader{data: data}
		h.rows = max(h.rows, r.uvarint())
		h.opening = max(h.opening, r.varint())
		h.horizon = max(h.horizon, r.varint())
		for n := r.uvarint(); n > 0 && r.err == nil; n-- {
			begin := r.data
			r.bytes(16)
			var e host
			e.read(&r, new(hostMarks))
			all = append(all, savedHost{e.seen, begin})
		}
		h.memory.readState(&r)
		if r.err == nil && len(r.data) > 0 {
			r.err = errState
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	// A place is given in the order of first use, and forgetting is in the order
	// of last use: the latter is what matters.
	slices.SortStableFunc(all, func(a, b savedHost) int {
		switch {
		case a.seen < b.seen:
			return -1
		case a.seen > b.seen:
			return 1
		}
		return 0
	})
	for _, s := range all {
		r := stateReader{data: s.data}
		addr := [16]byte(r.bytes(16))
		place := h.find(addr, longAgo)
		e := &h.hosts[place]
		e.read(&r, &h.marks[place])
		h.rows = max(h.rows, e.seen)
	}
	h.memory.restore()
	return h, nil
}

func (e *host) read(r *stateReader, m *hostMarks) {
	e.minute, e.exactFrom, e.seen = r.varint(), r.varint(), r.uvarint()
	uses := r.uvarint()
	if e.uses = uint32(uses); uses > maxUses {
		r.err = errState
	}
	for i := range minutes {
		e.conns[i], e.failures[i] = uint32(r.uvarint()), uint32(r.uvarint())
	}
	e.responders.read(r, &m.responders)
	e.ports.read(r, &m.ports)
}

func (d *distinct) read(r *stateReader, m *marks) {
	copy(d.upto[:], r.bytes(minutes))
	live := d.upto[minutes-1]
	if !slices.IsSorted(d.upto[:]) || live > recentKeys {
		r.err = errState
		return
	}
	copy(d.spots[:], r.bytes(int(live)))
	for i := range d.recent[:live] {
		d.recent[i] = r.uint32()
	}
	if !d.full() {
		return
	}
	set := r.uint32()
	if set>>(minutes*markWords) != 0 {
		r.err = errState
		return
	}
	*m = marks{}
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		if b := r.bytes(8); b != nil {
			m[i/markWords][i%markWords] = binary.LittleEndian.Uint64(b)
		}
	}
}

// stateReader reads what the append functions wrote; after an error it yields
// zeros.
type stateReader struct {
	data []byte
	err  error
}

func (r *stateReader) bytes(n int) []byte {
	if r.err != nil || len(r.data) < n {
		r.err = errState
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *stateReader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *stateReader) uvarint() uint64 {
	x, n := binary.Uvarint(r.data)
	return skip(r, x, n)
}

func (r *stateReader) varint() int64 {
	x, n := binary.Varint(r.data)
	return skip(r, x, n)
}

func skip[T any](r *stateReader, x T, n int) (zero T) {
	if n <= 0 || r.err != nil {
		r.err = errState
		return zero
	}
	r.data = r.data[n:]
	return x
}
