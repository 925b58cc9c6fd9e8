package capture

// The letters of conn.log's history; upper case for the originator.
//
// A bit of seen says that a side's letter was written (src/session/Session.h,
// CheckHistory); TCP's are shifted by 16 for the responder, UDP's are bits of
// their own.
const (
	histSYN       = 0x1 // S and H share it
	histFIN       = 0x2
	histRST       = 0x4
	histFINandRST = 0x8
	histData      = 0x10
	histACK       = 0x20
	histMultiFlag = 0x40
	histGivenUp   = 0x400

	histUDPOrig = 0x1
	histUDPResp = 0x2
)

// maxHistory bounds what a flood of resets with ever new sequence numbers can
// write into one row. Zeek has no such limit.
const maxHistory = 64 << 10

// history is the string under construction.
type history struct {
	text []byte
	seen uint32
}

func (h *history) add(letter byte) {
	if len(h.text) < maxHistory {
		h.text = append(h.text, letter)
	}
}

// check writes letter unless its bit is set, and reports whether it was.
func (h *history) check(bit uint32, letter byte) (seenBefore bool) {
	if h.seen&bit != 0 {
		return true
	}
	h.seen |= bit
	h.add(letter)
	return false
}

// scaled counts an event whose letter is written at its 1st, 10th, 100th …
// occurrence (src/session/Session.cc, ScaledHistoryEntry).
type scaled struct {
	count uint32
	past  uint32 // the last occurrence that was written; 0 at first
}

// event reports whether this occurrence has its letter written.
func (s *scaled) event() bool {
	next := max(s.past*10, 1)
	s.count++
	if s.count != next {
		return false
	}
	if next*10 > next {
		s.past = next
	} else { // a factor of ten more does not fit: count anew
		s.count = 0
	}
	return true
}

func lower(letter byte) byte { return letter | 0x20 }

// letterOf returns the letter in the case of the side that it is about.
func letterOf(letter byte, orig bool) byte {
	if orig {
		return letter
	}
	return lower(letter)
}
