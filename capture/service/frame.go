package service

// maxKept bounds the bytes of one message that are kept until it is complete.
// What lies beyond is counted, not kept: it is file content, never a header.
const maxKept = 1 << 16

// frameBuffer gathers the messages of one direction of a stream, each of which
// begins with a head that tells its length.
type frameBuffer struct {
	kept []byte
	got  int  // bytes of the message that have come
	size int  // of the whole message; 0 until its head is read
	dull bool // of the message only the head is looked at: the rest is counted
}

type frameState uint8

const (
	frameWaits frameState = iota // the message is not complete
	frameDone
	frameWrong // the head is not one
)

// next takes bytes from b until a message is complete and returns it; it is
// valid until the next call. head is the length of the head, size finds the
// length of the message (head included) in it, or false. A message shorter than
// its head is as long as the head.
func (f *frameBuffer) next(b *[]byte, head int, size func([]byte) (int, bool)) (octets, frameState) {
	if f.size == 0 {
		h := *b
		if f.got > 0 || len(h) < head {
			f.keep(b, head)
			if f.got < head {
				return octets{}, frameWaits
			}
			h = f.kept
		}
		n, ok := size(h[:head])
		if !ok {
			return octets{}, frameWrong
		}
		f.size = max(n, head)
	}
	if f.got == 0 && len(*b) >= f.size { // all in this block: no copy
		o := octets{b: (*b)[:f.size:f.size]}
		*b = (*b)[f.size:]
		f.size, f.dull = 0, false
		return o, frameDone
	}
	if f.dull {
		f.keep(b, max(head, f.got))
		f.count(b)
	} else {
		f.keep(b, f.size)
	}
	if f.got < f.size {
		return octets{}, frameWaits
	}
	o := octets{b: f.kept, more: f.got - len(f.kept)}
	f.kept, f.got, f.size, f.dull = f.kept[:0], 0, 0, false
	return o, frameDone
}

// keep moves bytes from b until the message has n.
func (f *frameBuffer) keep(b *[]byte, n int) {
	n = min(n-f.got, len(*b))
	room := min(n, maxKept-len(f.kept))
	if len(f.kept)+room > cap(f.kept) {
		// What is to come is known, but not that it will.
		most := min(max(f.size, len(f.kept)+room), 4*(len(f.kept)+room), maxKept)
		f.kept = append(make([]byte, 0, most), f.kept...)
	}
	f.kept = append(f.kept, (*b)[:room]...)
	f.got += n
	*b = (*b)[n:]
}

// count takes the rest of the message from b without keeping it.
func (f *frameBuffer) count(b *[]byte) {
	n := min(f.size-f.got, len(*b))
	f.got += n
	*b = (*b)[n:]
}

// discard forgets what was gathered.
func (f *frameBuffer) discard() { f.kept, f.got, f.size, f.dull = nil, 0, 0, false }

// renew forgets it and keeps the room, if that is not much.
func (f *frameBuffer) renew() {
	f.got, f.size, f.dull = 0, 0, false
	if f.kept = f.kept[:0]; cap(f.kept) > maxRenewed {
		f.kept = nil
	}
}

const maxRenewed = 1 << 13

// side indexes per-direction state.
func side(fromOrig bool) int {
	if fromOrig {
		return 0
	}
	return 1
}
