package service

import "math"

// incoming is a part of a stream as a parser of Spicy's sees it: the bytes that
// have come, and how many are still to come. A read beyond what has come waits,
// a read beyond the part's end is wrong; after either, reads yield zeros. A
// parser that waits is run again from the start of its message when more is
// there, so what it does to the connection's state must bear repetition.
type incoming struct {
	b     []byte
	more  uint64 // bytes of the part still to come
	state incomingState
	// unseen is how many bytes a wait is for that nobody wants to see; lacks is
	// how many it is for otherwise.
	unseen, lacks uint64
}

type incomingState uint8

const (
	incomingGood incomingState = iota
	incomingWaits
	incomingWrong
)

// noEnd is the more of a stream that is open.
const noEnd = math.MaxUint64 / 2

func (in *incoming) good() bool { return in.state == incomingGood }

// fail marks the part as wrong, unless it waits already.
func (in *incoming) fail() {
	if in.good() {
		in.state = incomingWrong
	}
}

// empty reports whether nothing is left. It waits where that is not yet known.
func (in *incoming) empty() bool {
	if !in.good() {
		return true
	}
	if len(in.b) == 0 && in.more > 0 && in.more < noEnd {
		in.state, in.lacks = incomingWaits, 1
	}
	return len(in.b) == 0
}

// bytes takes n bytes.
func (in *incoming) bytes(n uint64) []byte {
	if !in.good() {
		return nil
	}
	if n > uint64(len(in.b)) {
		in.state = incomingWrong
		if in.more > 0 {
			in.state, in.lacks = incomingWaits, min(n-uint64(len(in.b)), in.more)
		}
		return nil
	}
	b := in.b[:n]
	in.b = in.b[n:]
	return b
}

// skip passes over n bytes.
func (in *incoming) skip(n uint64) {
	if in.good() && n > uint64(len(in.b)) {
		in.unseen = n - uint64(len(in.b))
	}
	in.bytes(n)
}

func (in *incoming) u8() byte {
	if b := in.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// word takes n bytes, at most eight, most significant first.
func (in *incoming) word(n uint64) (v uint64) {
	for _, c := range in.bytes(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

// within parses the next n bytes by themselves; they must be used up.
func (in *incoming) within(n uint64, parse func(*incoming)) {
	if !in.good() {
		return
	}
	have := min(n, uint64(len(in.b)))
	part := incoming{b: in.b[:have], more: min(n-have, in.more)}
	parse(&part)
	if part.good() && (len(part.b) > 0 || have < n) {
		part.state = incomingWrong
	}
	in.state, in.lacks = part.state, part.lacks
	if in.good() {
		in.b = in.b[n:]
	}
}

// complete returns a part all of whose bytes are there.
func complete(b []byte) *incoming { return &incoming{b: b} }

// join takes over the state of bytes that were parsed separately.
func (in *incoming) join(part *incoming) {
	if in.good() {
		in.state = part.state
	}
}

// spicyEnd says whether a side's stream is still parsed. Its end, which a FIN or
// a RST may bring before the last of its bytes, finishes the parser, if it has
// begun (Spicy's ParsingState, in spicy/runtime/src/driver.cc).
type spicyEnd struct{ started, finished bool }

// begin takes notice of bytes or a gap. False: nobody listens any more.
func (e *spicyEnd) begin() bool {
	e.started = true
	return !e.finished
}

// finish reports whether there is a parser to be finished.
func (e *spicyEnd) finish() bool {
	was := e.finished
	e.finished = e.started
	return e.started && !was
}
