package service

// quicSink puts the CRYPTO data of one direction in order, with the ways of
// Spicy's sinks (spicy/runtime/src/sink.cc): exact repetitions are harmless,
// but data that begins inside what was delivered and goes beyond is lost.
type quicSink struct {
	next    uint64 // offset behind what was delivered
	trimmed uint64 // offset up to which pieces were thrown away
	size    uint64 // bytes delivered
	pieces  []quicPiece
	held    int // bytes in pieces
}

type quicPiece struct {
	data       []byte
	start, end uint64
}

const (
	quicMaxHeld   = 1 << 16 // bytes waiting for a hole to be filled; ours
	quicMaxPieces = 256
)

// write takes data at an offset and hands what is in order to deliver.
func (s *quicSink) write(data []byte, start uint64, deliver func([]byte)) {
	if len(data) == 0 {
		return
	}
	end := start + uint64(len(data))
	switch {
	case len(s.pieces) == 0 && start == s.next:
		s.next = end
		s.size += uint64(len(data))
		deliver(data)
		return
	case end <= s.trimmed:
		return
	case s.held+len(data) > quicMaxHeld || len(s.pieces) >= quicMaxPieces:
		return
	}
	data = append([]byte(nil), data...)
	if start < s.trimmed {
		data = data[s.trimmed-start:]
		if len(s.pieces) == 0 {
			end += s.trimmed - start // Spicy forgets to shorten the length here
		}
		start = s.trimmed
	}
	at := 0
	if len(s.pieces) == 0 {
		s.insert(0, quicPiece{data, start, end})
	} else {
		at = s.add(quicPiece{data, start, end}, 0)
	}
	if p := s.pieces[at]; p.start > s.next || p.end <= s.next {
		return
	}
	for _, p := range s.pieces[at:] {
		if p.start == s.next {
			s.next = p.end
			s.size += uint64(len(p.data))
			if len(p.data) > 0 {
				deliver(p.data)
			}
		}
	}
	s.trim()
}

// add files a piece, the first-come data winning over it, and returns where the
// file then has it, or what it overlaps.
func (s *quicSink) add(p quicPiece, i int) int {
	if p.start == s.pieces[len(s.pieces)-1].end {
		i = len(s.pieces)
	}
	for i < len(s.pieces) && s.pieces[i].end <= p.start {
		i++
	}
	if i == len(s.pieces) || p.end <= s.pieces[i].start {
		s.insert(i, p)
		return i
	}
	found := i
	if ahead := s.pieces[i].start - p.start; p.start < s.pieces[i].start {
		s.insert(i, quicPiece{p.data[:ahead], p.start, p.start + ahead})
		p.data, p.start = p.data[ahead:], p.start+ahead
		i++
	}
	if over := s.pieces[i].end; over < p.end {
		p.data, p.start = p.data[over-p.start:], over
		if rest := s.add(p, i); found == i {
			found = rest
		}
	}
	return found
}

func (s *quicSink) insert(i int, p quicPiece) {
	s.pieces = append(s.pieces, quicPiece{})
	copy(s.pieces[i+1:], s.pieces[i:])
	s.pieces[i] = p
	s.held += len(p.data)
}

func (s *quicSink) trim() {
	n := 0
	for n < len(s.pieces) && s.pieces[n].start < s.next {
		s.held -= len(s.pieces[n].data)
		n++
	}
	s.pieces = append(s.pieces[:0], s.pieces[n:]...)
	s.trimmed = s.next
}
