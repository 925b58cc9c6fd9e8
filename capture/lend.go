package capture

import "io"

// lender reads ahead in a file and lends out its bytes without copying them.
type lender struct {
	r        io.Reader
	buf      []byte
	pos, end int   // what is read and not yet taken: buf[pos:end]
	offset   int64 // of buf[pos] in the file
	err      error // ends the reading; io.EOF at the end of the file

	// fresh, if set, gives another buffer to go on in: what is in the old one
	// stays as it is.
	fresh func() []byte
}

// readAhead suits the files of disks; a larger record makes the buffer grow.
const readAhead = 1 << 18

func newLender(r io.Reader) *lender { return &lender{r: r, buf: make([]byte, readAhead)} }

// peek returns the next n bytes, fewer where the file ends before. They are
// lent until the next call.
func (s *lender) peek(n int) []byte {
	if s.end-s.pos < n {
		return s.fill(n)
	}
	return s.buf[s.pos : s.pos+n]
}

// fill reads until n bytes are there, or the end.
func (s *lender) fill(n int) []byte {
	if s.pos > 0 {
		rest := s.buf[s.pos:s.end]
		if s.fresh != nil {
			if s.buf = s.fresh(); len(s.buf) < n {
				s.buf = make([]byte, n+readAhead)
			}
		}
		s.end = copy(s.buf, rest)
		s.pos = 0
	}
	if n > len(s.buf) {
		buf := make([]byte, n+readAhead)
		copy(buf, s.buf[:s.end])
		s.buf = buf
	}
	for empty := 0; s.end < n && s.err == nil; {
		var got int
		got, s.err = s.r.Read(s.buf[s.end:])
		s.end += got
		if got > 0 {
			empty = 0
		} else if empty++; empty == 100 && s.err == nil {
			s.err = io.ErrNoProgress
		}
	}
	return s.buf[:min(n, s.end)]
}

// take moves on by n bytes, which peek has returned.
func (s *lender) take(n int) {
	s.pos += n
	s.offset += int64(n)
}
