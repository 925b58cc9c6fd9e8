package service

import "strings"

// ldapAnalyzer confirms LDAP, over TCP or UDP, by each whole message of either
// side (src/analyzer/protocol/ldap/ldap.spicy). It follows what may come
// behind a bind: SASL's wrapping, encryption, TLS.
type ldapAnalyzer struct {
	node
	sides [2]ldapSide

	parsing   *ldapSide
	met       int      // effects of the message being parsed on those after it
	mode      ldapMode // of the next message, of either side
	mechanism string   // of SASL, as the client chose it
	startTLS  bool     // the client asked for it
	tls       [2]bool  // a side has come to SSL
}

func newLDAP() analyzer { return &ldapAnalyzer{} }

// ldapMode says what a message looks like from outside.
type ldapMode uint8

const (
	ldapPlain ldapMode = iota
	ldapKerberos
	ldapTLS
	ldapMaybeEncrypted
	ldapEncrypted
)

// ldapSide is one direction of a stream.
type ldapSide struct {
	kept    []byte // of the message in hand
	begun   bool
	mode    ldapMode // with which it began
	unseen  uint64   // bytes of it that are passed over
	lacks   uint64   // bytes that the parser waits for
	missed  bool     // some of which will never come
	effects int      // that the message had when it was parsed before
	confirm bool     // when they are past
	spicyEnd
}

func (a *ldapAnalyzer) data(fromOrig bool, b []byte) {
	if !a.det.stream {
		if a.skip {
			return
		}
		a.parsing = new(ldapSide)
		for in := complete(b); len(in.b) > 0; {
			a.message(in, a.mode, fromOrig)
			if !in.good() {
				a.stop()
				return
			}
		}
		return
	}
	s := &a.sides[side(fromOrig)]
	if !s.begin() {
		return
	}
	if b = b[a.passOver(s, uint64(len(b))):]; len(b) == 0 {
		return
	}
	if s.missed {
		a.miss(s, uint64(len(b)))
		return
	}
	if len(s.kept) > 0 {
		s.kept = append(s.kept, b...)
		b = s.kept
	}
	for len(b) > 0 {
		if !s.begun {
			s.begun, s.mode, s.effects = true, a.mode, 0
		}
		a.parsing, a.met = s, 0
		in := &incoming{b: b, more: noEnd}
		s.mode = a.message(in, s.mode, fromOrig)
		switch in.state {
		case incomingWrong:
			a.stop()
			return
		case incomingWaits:
			a.wait(s, in, b)
			return
		}
		s.begun = false
		b = in.b
	}
	s.kept = s.kept[:0]
}

// wait keeps the beginning of a message until more comes, or just counts, where
// the message's rest does not matter.
func (a *ldapAnalyzer) wait(s *ldapSide, in *incoming, b []byte) {
	switch {
	case in.unseen > 0:
		s.kept, s.unseen, s.confirm = s.kept[:0], in.unseen, s.mode == ldapPlain
	case len(b) > maxKept: // take the rest for granted
		head := incoming{b: b}
		t := head.ldapTag()
		if s.mode != ldapPlain || t.length <= uint64(len(head.b)) {
			a.skip = true
			return
		}
		s.kept, s.unseen, s.confirm = s.kept[:0], t.length-uint64(len(head.b)), true
	default:
		s.kept, s.lacks = append(s.kept[:0], b...), in.lacks
	}
}

// passOver counts bytes of a message that nobody wants to see, and returns how
// many of n they are.
func (a *ldapAnalyzer) passOver(s *ldapSide, n uint64) uint64 {
	if s.unseen == 0 {
		return 0
	}
	n = min(s.unseen, n)
	if s.unseen -= n; s.unseen == 0 {
		s.begun = false
		if s.confirm {
			a.confirm()
		}
	}
	return n
}

// stop ends the analysis of both directions with a violation.
func (a *ldapAnalyzer) stop() {
	a.violate()
	a.skip = true
}

// gap is an error where it is no longer passed over. Zeek notices when the
// bytes that it waits for would have come, which may be with later ones.
func (a *ldapAnalyzer) gap(fromOrig bool, n uint64) {
	s := &a.sides[side(fromOrig)]
	if !s.begin() {
		return
	}
	if n -= a.passOver(s, n); n == 0 {
		return
	}
	if !s.begun {
		s.lacks = 0
		if a.mode == ldapEncrypted || a.mode == ldapKerberos {
			s.lacks = 4 // a length comes first
		}
	}
	s.missed = true
	a.miss(s, n)
}

func (a *ldapAnalyzer) miss(s *ldapSide, n uint64) {
	if n >= s.lacks {
		a.stop()
	}
	s.lacks -= n
}

// eof makes an unfinished message an error.
func (a *ldapAnalyzer) eof(fromOrig bool) {
	if s := &a.sides[side(fromOrig)]; !a.skip && s.finish() && s.begun {
		a.violate()
	}
}

// first reports whether the place in a message that would change how others are
// parsed is reached for the first time.
func (a *ldapAnalyzer) first() bool {
	a.met++
	if a.met <= a.parsing.effects {
		return false
	}
	a.parsing.effects = a.met
	return true
}

// message parses one message, and returns the mode that it was found to have.
func (a *ldapAnalyzer) message(in *incoming, mode ldapMode, fromOrig bool) ldapMode {
	if mode == ldapMaybeEncrypted {
		if !a.guess(in) {
			return mode
		}
		mode = a.mode
	}
	switch mode {
	case ldapEncrypted:
		in.skip(in.word(4))
	case ldapKerberos:
		a.unwrap(in)
	case ldapTLS:
		if tls := &a.tls[side(fromOrig)]; !*tls {
			*tls = true
			a.attach(ssl) // again, if the other side's bytes were none of its
		}
		a.forward(fromOrig, in.b)
		in.b = nil
	default:
		a.plain(in)
	}
	return mode
}

// guess finds out whether messages are encrypted after a SASL bind: in plain
// text they begin with 30, as a length in front of encryption hardly does.
// Behind GSS mechanisms a length may be followed by a wrap token. False if more
// is needed to tell.
func (a *ldapAnalyzer) guess(in *incoming) bool {
	ahead := *in
	first := uint64(ahead.u8())
	if first == 0x30 {
		a.mode = ldapPlain
	} else {
		a.mode = ldapEncrypted
		if a.mechanism == "" || strings.HasPrefix(a.mechanism, "GSS") {
			if size := first<<24 + ahead.word(3); size >= 2 && ahead.word(2) == 0x0504 && ahead.good() {
				a.mode = ldapKerberos
			}
		}
	}
	in.state, in.lacks = ahead.state, ahead.lacks
	return in.good()
}

// unwrap reads Kerberos' wrapping (RFC 4121 §4.2.6.2) and the messages inside,
// unless they are sealed.
func (a *ldapAnalyzer) unwrap(in *incoming) {
	length, token := in.word(4), in.word(2)
	head, tail := uint64(6), uint64(0)
	open := false
	if token == 0x0504 {
		open = in.u8()&0x02 == 0
		if in.u8() != 0xff {
			in.fail()
		}
		extra, rotation := in.word(2), in.word(2)
		in.bytes(8)
		switch {
		case rotation == extra:
			in.bytes(extra)
			head += extra
		case rotation == 0:
			tail = extra
		case open:
			in.fail()
		}
		head += 14
	}
	if head-4+tail > length {
		in.fail()
	}
	if !open {
		in.skip(length - (head - 4))
		return
	}
	in.within(length-(head-4)-tail, func(in *incoming) {
		for !in.empty() {
			a.plain(in)
		}
	})
	in.bytes(tail)
}

// plain parses a message in plain text and confirms.
func (a *ldapAnalyzer) plain(in *incoming) {
	sequence := in.ldapTag()
	if sequence.class != ldapUniversal || sequence.kind != ldapSequence {
		in.fail()
	}
	start := len(in.b)
	id := ldapElement{ldapTag: in.ldapTag()}
	if id.class != ldapUniversal || id.kind != ldapInteger {
		in.fail()
	}
	in.ldapBody(&id, false, 0)
	operation := in.ldapTag()
	if operation.class != ldapApplication {
		in.fail()
	}
	switch operation.kind {
	case 8, 12, 14, 19, 25: // not looked into
		if head := uint64(start - len(in.b)); head > sequence.length || operation.length > sequence.length-head {
			in.bytes(operation.length)
			in.fail()
		}
	default:
		in.within(operation.length, func(in *incoming) { a.operation(in, operation.kind) })
	}
	used := uint64(start - len(in.b))
	if used > sequence.length {
		in.fail()
		return
	}
	in.skip(sequence.length - used) // controls
	if in.good() {
		a.confirm()
	}
}
