package feature

import (
	"encoding/binary"
	"errors"
	"math"
)

// Evidence is what sensors that see parts of a network tell each other through
// owners: counts go from a sensor to an owner, totals from an owner to all
// sensors. Both are
//
//	evidenceVersion, what it is, the latest minute, sensors, entries
//
// where an owner says how many sensors it has heard, and a sensor 0. An entry is of an originator, a responder, a pair or a port. Those of the
// three last are known by a hash; an originator's address is in it.
const (
	evidenceVersion = 2
	evidenceHead    = 2 + binary.MaxVarintLen64 + binary.MaxVarintLen32

	// MaxEvidence is the most bytes of a message.
	MaxEvidence = 1 << 16

	// maxSensors is the most sensors of a cluster.
	maxSensors = 1 << 16

	// The longest entry is a host's: its address, clock and uses, counters, keys
	// and their spots and marks of responders and of ports.
	maxEntry = 1 + 16 + 2*binary.MaxVarintLen64 + 1 + 2*minutes*binary.MaxVarintLen32 + 2*(1+minutes+5*recentKeys+4+8*minutes*markWords)

	// The longest one of another kind: its key, clock and two numbers or counters.
	maxSmallEntry = 1 + 8 + 3*binary.MaxVarintLen64 + 1 + minutes*binary.MaxVarintLen32
)

// Where there is no room for all, half of it is for hosts, and a sixth each for
// responders, ports and pairs: one part in so many of what those before left.
const (
	respondersPart = 6
	portsPart      = 5
	pairsPart      = 4
	hostsPart      = 1
)

// What a message is.
const (
	counts byte = 1 + iota
	totals
)

// What an entry is about.
const (
	ofHost4 byte = 1 + iota // an IPv4 address
	ofHost
	ofResponder
	ofPair
	ofPort
)

var errEvidence = errors.New("evidence of another sensor is damaged")

// writer writes entries to a message of bounded size.
type evidenceWriter struct {
	data   []byte
	end    int
	base   int64 // minutes are written as so many before it
	shared bool  // each kind has a part of the room
	waits  bool  // entries had no room in their kind's part
}

// newEvidence appends the head of a message of at most so many bytes.
func newEvidence(dst []byte, what byte, base int64, sensors uint32, most int) evidenceWriter {
	end := len(dst) + most
	dst = append(dst, evidenceVersion, what)
	dst = binary.AppendVarint(dst, base)
	return evidenceWriter{data: binary.AppendUvarint(dst, uint64(sensors)), end: end, base: base}
}

// fits reports whether there is room for an entry of at most so many bytes.
func (w *evidenceWriter) fits(longest int) bool { return len(w.data)+longest <= w.end }

// part returns the end of one part in so many of the room that is left, of all of it
// where kinds share no more.
func (w *evidenceWriter) part(oneIn int) int {
	if w.shared {
		return len(w.data) + (w.end-len(w.data))/oneIn
	}
	return w.end
}

// passes calls do with each, in the order in which entries go first, and once more
// where a kind filled its part and others left room.
func (w *evidenceWriter) passes(each [2]uint32, do func(w *evidenceWriter, of uint32)) {
	w.shared = true
	for _, of := range each {
		w.waits = false
		do(w, of)
	}
	if w.shared = false; w.waits {
		do(w, each[1])
	}
}

// host writes the counters of e and the keys of k, which has the same clock.
func (w *evidenceWriter) host(addr [16]byte, e, k *host, m *hostMarks) {
	if [12]byte(addr[:12]) == [12]byte{10: 0xff, 11: 0xff} {
		w.data = append(append(w.data, ofHost4), addr[12:]...)
	} else {
		w.data = append(append(w.data, ofHost), addr[:]...)
	}
	w.data = binary.AppendVarint(w.data, w.base-e.minute)
	w.data = binary.AppendUvarint(w.data, uint64(e.uses))
	w.ring(&e.conns)
	w.ring(&e.failures)
	w.distinct(&k.responders, &m.responders)
	w.distinct(&k.ports, &m.ports)
}

func (w *evidenceWriter) distinct(d *distinct, m *marks) {
	if d.upto[minutes-1] == 0 {
		w.data = append(w.data, 0)
		return
	}
	w.data = d.append(append(w.data, 1), m)
}

// ring writes the counters that are not zero, and which these are.
func (w *evidenceWriter) ring(counters *[minutes]uint32) {
	at := len(w.data)
	w.data = append(w.data, 0)
	for i, n := range counters {
		if n != 0 {
			w.data[at] |= 1 << i
			w.data = binary.AppendUvarint(w.data, uint64(n))
		}
	}
}

func (w *evidenceWriter) responder(key uint64, r *responder) {
	w.key(ofResponder, key)
	w.data = binary.AppendVarint(w.data, w.base-r.minute)
	w.ring(&r.failures)
}

func (w *evidenceWriter) pair(key uint64, p *pair) {
	w.key(ofPair, key)
	w.data = binary.AppendVarint(w.data, w.base/decayMinutes-int64(p.step))
	w.data = binary.AppendUvarint(w.data, wholeNumber(p.bytes))
	w.data = binary.AppendUvarint(w.data, wholeNumber(min(p.seconds, math.MaxInt32)*1000))
}

func (w *evidenceWriter) port(key uint64, u portUse) {
	w.key(ofPort, key)
	w.data = u.append(w.data)
}

func (w *evidenceWriter) key(of byte, key uint64) {
	w.data = binary.LittleEndian.AppendUint64(append(w.data, of), key)
}

// entry is one that was read.
type evidence struct {
	of        byte
	addr      [16]byte
	key       uint64
	host      host
	marks     hostMarks
	responder responder
	pair      pair
	port      portUse
}

// evidenceReader reads a message.
type evidenceReader struct {
	stateReader
	base    int64
	sensors uint32
}

// readEvidence begins to read a message of that kind.
func readEvidence(data []byte, what byte) (r evidenceReader, err error) {
	if len(data) > MaxEvidence || len(data) < 3 {
		return r, errEvidence
	}
	if data[0] != evidenceVersion {
		return r, errors.New("evidence is of another version of zeek-iforest: install the same one on all nodes")
	}
	r.data = data[2:]
	r.base = r.varint()
	sensors := r.uvarint()
	if data[1] != what || r.base != min(max(r.base, -maxMinute), maxMinute) || sensors > maxSensors || r.err != nil {
		return r, errEvidence
	}
	r.sensors = uint32(sensors)
	return r, nil
}

// fault returns what was wrong with the message.
func (r *evidenceReader) fault() error {
	if r.err != nil {
		return errEvidence
	}
	return nil
}

// next reads an entry; false is the end, or an error.
func (r *evidenceReader) next(e *evidence) bool {
	if len(r.data) == 0 || r.err != nil {
		return false
	}
	e.of = r.bytes(1)[0]
	switch e.of {
	case ofHost4, ofHost:
		r.host(e)
	case ofResponder:
		e.key = r.uint64()
		e.responder.minute = r.minute()
		r.ring(&e.responder.failures)
	case ofPair:
		e.key = r.uint64()
		step := r.base/decayMinutes - r.varint()
		bytes, milliseconds := r.uvarint(), r.uvarint()
		e.pair = pair{step: int32(step), bytes: float32(bytes), seconds: float32(milliseconds) / 1000}
		if int64(e.pair.step) != step {
			r.err = errEvidence
		}
	case ofPort:
		e.key = r.uint64()
		e.port.read(&r.stateReader)
	default:
		r.err = errEvidence
	}
	return r.err == nil
}

func (r *evidenceReader) host(e *evidence) {
	e.addr = [16]byte{10: 0xff, 11: 0xff}
	if e.of == ofHost4 {
		copy(e.addr[12:], r.bytes(4))
	} else {
		copy(e.addr[:], r.bytes(16))
	}
	e.host.minute = r.minute()
	uses := r.uvarint()
	if e.host.uses = uint32(uses); uses > maxUses {
		r.err = errEvidence
	}
	r.ring(&e.host.conns)
	r.ring(&e.host.failures)
	r.distinct(&e.host.responders, &e.marks.responders)
	r.distinct(&e.host.ports, &e.marks.ports)
}

func (r *evidenceReader) distinct(d *distinct, m *marks) {
	d.upto = [minutes]uint8{}
	if there := r.bytes(1); there != nil && there[0] != 0 {
		d.read(&r.stateReader, m)
	}
}

// minute reads one that is near the message's.
func (r *evidenceReader) minute() int64 {
	before := r.varint()
	if before < -maxMinute || before > maxMinute {
		r.err = errEvidence
		return r.base
	}
	return r.base - before
}

func (r *evidenceReader) ring(counters *[minutes]uint32) {
	*counters = [minutes]uint32{}
	set := r.bytes(1)
	if set == nil || set[0]>>minutes != 0 {
		r.err = errEvidence
		return
	}
	for i := range counters {
		if set[0]>>i&1 != 0 {
			n := r.uvarint()
			if counters[i] = uint32(n); n > math.MaxUint32 {
				r.err = errEvidence
			}
		}
	}
}

func (r *stateReader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}
