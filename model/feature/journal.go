package feature

import (
	"encoding/binary"
	"hash/crc32"
	"math"
)

// Journal is what Hosts count, for a file beside a state: with both they are made
// again where a process was killed. A row is
//
//	its number, its minute (8 bytes each), whether it failed (1), the originator
//	(16), the keys, 32 bits and a hash of the peer and of the port (12 each),
//	hashes (8 each), bytes and seconds (4 each), CRC-32C of these
//
// all little-endian.
type Journal struct{ rows []byte }

const journalRow = 8 + 8 + 1 + 16 + 2*12 + 3*8 + 2*4 + 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Keep notes in the journal what is counted from now on; nil for nowhere.
func (h *Hosts) Keep(j *Journal) { h.journal = j }

// Bytes returns the rows since Reset.
func (j *Journal) Bytes() []byte { return j.rows }

// Reset forgets the rows, which have been written.
func (j *Journal) Reset() { j.rows = j.rows[:0] }

func (j *Journal) add(e *Event, number uint64, now int64) {
	begin := len(j.rows)
	d := binary.LittleEndian.AppendUint64(j.rows, number)
	d = binary.LittleEndian.AppendUint64(d, uint64(now))
	failed := byte(0)
	if e.Failed {
		failed = 1
	}
	d = append(append(d, failed), e.Host[:]...)
	for _, k := range [...]Key{e.Peer, e.Port} {
		d = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint32(d, k.Low), k.Hash)
	}
	for _, hash := range [...]uint64{e.Target, e.Pair, e.Use} {
		d = binary.LittleEndian.AppendUint64(d, hash)
	}
	d = binary.LittleEndian.AppendUint32(d, math.Float32bits(e.Bytes))
	d = binary.LittleEndian.AppendUint32(d, math.Float32bits(e.Seconds))
	j.rows = binary.LittleEndian.AppendUint32(d, crc32.Checksum(d[begin:], castagnoli))
}

// Replay counts the rows of a journal that a state which RestoreHosts has read
// lacks, and returns how many rows were read: up to the end, or to where the
// journal is damaged. Each host, responder, pair and port says in the state which
// row it was seen in last.
func (h *Hosts) Replay(journal []byte) (rows int) {
	for ; len(journal) >= journalRow; rows++ {
		r := stateReader{data: journal[:journalRow]}
		journal = journal[journalRow:]
		if sum := binary.LittleEndian.Uint32(r.data[journalRow-4:]); sum != crc32.Checksum(r.data[:journalRow-4], castagnoli) {
			break
		}
		var e Event
		number, now := r.uint64(), int64(r.uint64())
		e.Failed = r.bytes(1)[0] != 0
		copy(e.Host[:], r.bytes(16))
		for _, k := range [...]*Key{&e.Peer, &e.Port} {
			k.Low, k.Hash = r.uint32(), r.uint64()
		}
		for _, hash := range [...]*uint64{&e.Target, &e.Pair, &e.Use} {
			*hash = r.uint64()
		}
		e.Bytes, e.Seconds = math.Float32frombits(r.uint32()), math.Float32frombits(r.uint32())
		if now != min(max(now, -maxMinute), maxMinute) || !(e.Bytes >= 0 && e.Seconds >= 0) {
			break
		}
		h.again(&e, number, now)
	}
	return rows
}

// again counts a row where it was not.
func (h *Hosts) again(e *Event, number uint64, now int64) {
	if number > h.rows {
		h.opening, h.horizon = h.opened(now)
		h.rows = number
	}
	place := h.find(e.Host, now)
	m := &h.memory
	if r, added, lacks := m.responders.again(m.target(e), number); lacks {
		if added {
			r.minute = now
		}
		r.observe(e.Failed, now)
	}
	if p, added, lacks := m.pairs.again(e.Pair, number); lacks {
		if added {
			p.step = decayStep(now)
		}
		p.observe(e, now)
	}
	if u, _, lacks := m.ports.again(e.Use, number); lacks {
		*u = min(*u+1, maxUses)
	}
	if host := &h.hosts[place]; host.seen < number {
		host.seen = number
		host.count(&h.marks[place], e, now)
	}
}

// again is use for a row that may have been counted.
func (t *table[V, P]) again(key, row uint64) (value P, added, lacks bool) {
	place, added := t.keys.Use(key)
	e := &t.entries[place]
	if added {
		*e = entry[V]{}
	}
	if lacks = added || e.seen < row; lacks {
		e.seen = row
	}
	return &e.value, added, lacks
}
