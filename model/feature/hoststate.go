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
// from+n−1, or as many as there are; places count from 0 to Len−1. All of them
// together, in any order, give the table again. Between two calls rows may be
// observed: each host is then as it was when it was appended.
func (h *Hosts) AppendState(dst []byte, from, n int) []byte {
	dst = binary.AppendUvarint(dst, h.rows)
	dst = binary.AppendVarint(dst, h.opening)
	dst = binary.AppendVarint(dst, h.horizon)
	for place := from; place < min(from+n, h.Len()); place++ {
		addr := h.places.Key(place)
		dst = h.hosts[place].append(append(dst, addr[:]...))
	}
	return dst
}

func (e *host) append(dst []byte) []byte {
	dst = binary.AppendVarint(dst, e.minute)
	dst = binary.AppendVarint(dst, e.exactFrom)
	dst = binary.AppendUvarint(dst, e.seen)
	for i := range minutes {
		dst = binary.AppendUvarint(dst, uint64(e.conns[i]))
		dst = binary.AppendUvarint(dst, uint64(e.failures[i]))
	}
	return e.ports.append(e.responders.append(dst))
}

func (d *distinct) append(dst []byte) []byte {
	dst = append(dst, d.upto[:]...)
	for _, key := range d.recent[:d.upto[minutes-1]] {
		dst = binary.LittleEndian.AppendUint32(dst, key)
	}
	var set uint32 // which words of marks are not zero
	for m := range d.marks {
		for w, word := range d.marks[m] {
			if word != 0 {
				set |= 1 << (m*markWords + w)
			}
		}
	}
	dst = binary.LittleEndian.AppendUint32(dst, set)
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		dst = binary.LittleEndian.AppendUint64(dst, d.marks[i/markWords][i%markWords])
	}
	return dst
}

// RestoreHosts makes a table for that many originators from states that
// AppendState appended. Of more originators those observed last are kept.
func RestoreHosts(capacity int, states ...[]byte) (*Hosts, error) {
	h := NewHosts(capacity)
	type saved struct {
		seen uint64
		data []byte // from the address on
	}
	var all []saved
	for _, data := range states {
		r := stateReader{data: data}
		h.rows = max(h.rows, r.uvarint())
		h.opening = max(h.opening, r.varint())
		h.horizon = max(h.horizon, r.varint())
		for r.err == nil && len(r.data) > 0 {
			begin := r.data
			r.bytes(16)
			var e host
			e.read(&r)
			all = append(all, saved{e.seen, begin})
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	// A place is given in the order of first use, and forgetting is in the order
	// of last use: the latter is what matters.
	slices.SortStableFunc(all, func(a, b saved) int {
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
		e := h.find(addr, longAgo)
		e.read(&r)
		h.rows = max(h.rows, e.seen)
	}
	return h, nil
}

func (e *host) read(r *stateReader) {
	e.minute, e.exactFrom, e.seen = r.varint(), r.varint(), r.uvarint()
	for i := range minutes {
		e.conns[i], e.failures[i] = uint32(r.uvarint()), uint32(r.uvarint())
	}
	e.responders.read(r)
	e.ports.read(r)
}

func (d *distinct) read(r *stateReader) {
	copy(d.upto[:], r.bytes(minutes))
	if !slices.IsSorted(d.upto[:]) || d.upto[minutes-1] > recentKeys {
		r.err = errState
		return
	}
	for i := range d.recent[:d.upto[minutes-1]] {
		d.recent[i] = r.uint32()
	}
	set := r.uint32()
	if set>>(minutes*markWords) != 0 {
		r.err = errState
		return
	}
	d.marks = [minutes][markWords]uint64{}
	for ; set != 0; set &= set - 1 {
		i := bits.TrailingZeros32(set)
		if b := r.bytes(8); b != nil {
			d.marks[i/markWords][i%markWords] = binary.LittleEndian.Uint64(b)
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
