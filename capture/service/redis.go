package service

// redisAnalyzer confirms a server's values behind any data of the client's
// (src/analyzer/protocol/redis/resp.spicy). An error in a command violates; one
// in a reply does not before the server closes, and parsing goes on behind the
// next end of line.
type redisAnalyzer struct {
	node
	sides [2]redisSide
	asked bool // the client has sent something
}

// redisSide is one direction: commands or replies.
type redisSide struct {
	begun, server bool
	over          bool // no more is looked at
	failed        bool // a reply was wrong
	hole          bool // a byte of a command's line is missing: the next one shows
	unit          redisUnit
}

const (
	redisMaxSize     = 1 << 20 // MAX_SIZE
	redisMaxElements = 20000   // Redis::max_aggregate_elements
	redisMaxDepth    = 20      // MAX_RECURSION_DEPTH
	redisMaxInline   = 1024    // with its end
)

func newRedis() analyzer { return &redisAnalyzer{} }

func (a *redisAnalyzer) flip() { a.sides[0], a.sides[1] = a.sides[1], a.sides[0] }

// start returns the state of a side, whose part is that of its first byte.
func (a *redisAnalyzer) start(fromOrig bool) *redisSide {
	s := &a.sides[side(fromOrig)]
	if !s.begun {
		s.begun, s.server, s.unit.keep = true, !fromOrig, !fromOrig
		if s.server && !a.asked {
			a.stop()
		}
		a.asked = true
	}
	return s
}

func (a *redisAnalyzer) data(fromOrig bool, b []byte) { a.parse(a.start(fromOrig), b) }

func (a *redisAnalyzer) parse(s *redisSide, b []byte) {
	if s.hole {
		a.stop()
	}
	for len(b) > 0 && !s.over && !a.skip {
		if !s.server {
			if e := s.unit.command(&b); e != redisGoesOn && e != redisDone {
				a.stop()
			}
			continue
		}
		switch s.unit.reply(&b) {
		case redisDone:
			s.unit.keep = false
			a.confirm()
		case redisMissing:
			a.search(s)
		case redisWrong:
			// Zeek goes back to the second byte of the value to look for an end
			// of line; if that is gone and nothing has come behind the error, it
			// fails.
			if len(b) == 0 && s.unit.used > 1 {
				a.stop()
				return
			}
			s.failed = true
			s.unit.resume()
		case redisBad:
			a.stop()
		}
	}
}

// search looks for an end of line behind missing bytes, beginning with what was
// kept from before.
func (a *redisAnalyzer) search(s *redisSide) {
	kept := s.unit.kept
	s.failed = true
	s.unit.resume()
	for _, b := range kept {
		if b == nil {
			a.hole(s, 0)
		}
		a.parse(s, b)
	}
}

// stop ends the analysis of both directions with a violation.
func (a *redisAnalyzer) stop() {
	a.violate()
	a.skip = true
}

func (a *redisAnalyzer) gap(fromOrig bool, n uint64) {
	if s := a.start(fromOrig); !s.over && !a.skip {
		a.hole(s, n)
	}
}

// hole is n missing bytes.
func (a *redisAnalyzer) hole(s *redisSide, n uint64) {
	switch u := &s.unit; {
	case u.state == redisContent && u.left > n:
		u.skip(n)
	case !s.server && n == 1 && u.inLine() && !u.cr && !s.hole:
		s.hole = true
	case !s.server:
		a.stop()
	default:
		a.search(s)
	}
}

func (a *redisAnalyzer) eof(fromOrig bool) {
	s := &a.sides[side(fromOrig)]
	if a.skip || !s.begun || s.over {
		return
	}
	s.over = true
	if s.failed || s.unit.used > 0 {
		a.violate()
	}
}

func (a *redisAnalyzer) idle(fromOrig bool) bool {
	return a.skip || a.settled() || a.sides[side(fromOrig)].over
}
