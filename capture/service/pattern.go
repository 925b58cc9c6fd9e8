package service

// A pattern says what the beginning of a direction's bytes looks like. The
// functions of this file build one from smaller ones; automaton.go runs many
// of them at once over a stream.
type pattern struct {
	op   patternOp
	set  byteSet   // oneOf
	subs []pattern // sequence, choice, repeat
	lo   int       // repeat: at least
	hi   int       // repeat: at most; −1 for no limit
}

type patternOp uint8

const (
	oneOf patternOp = iota
	sequence
	choice
	repeat
)

// byteSet is a set of byte values.
type byteSet [4]uint64

func (s *byteSet) add(b byte)      { s[b>>6] |= 1 << (b & 63) }
func (s *byteSet) has(b byte) bool { return s[b>>6]>>(b&63)&1 == 1 }

func (s byteSet) complement() byteSet { return byteSet{^s[0], ^s[1], ^s[2], ^s[3]} }

var anyByte = pattern{op: oneOf, set: byteSet{}.complement()}

// chars matches one byte out of s.
func chars(s string) pattern {
	p := pattern{op: oneOf}
	for i := range len(s) {
		p.set.add(s[i])
	}
	return p
}

// except matches one byte that is not in s.
func except(s string) pattern {
	p := chars(s)
	p.set = p.set.complement()
	return p
}

// span matches one byte from lo to hi.
func span(lo, hi byte) pattern {
	p := pattern{op: oneOf}
	for b := int(lo); b <= int(hi); b++ {
		p.set.add(byte(b))
	}
	return p
}

// text matches s itself.
func text(s string) pattern {
	p := pattern{op: sequence}
	for i := range len(s) {
		p.subs = append(p.subs, chars(s[i:i+1]))
	}
	return p
}

// letters matches s, each letter in either case.
func letters(s string) pattern {
	p := pattern{op: sequence}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z':
			p.subs = append(p.subs, chars(string([]byte{c, c - 32})))
		case 'A' <= c && c <= 'Z':
			p.subs = append(p.subs, chars(string([]byte{c, c + 32})))
		default:
			p.subs = append(p.subs, chars(s[i:i+1]))
		}
	}
	return p
}

// in matches its parts one after the other.
func in(parts ...pattern) pattern { return pattern{op: sequence, subs: parts} }

// either matches one of its alternatives.
func either(parts ...pattern) pattern { return pattern{op: choice, subs: parts} }

// times matches p at least lo and at most hi times; hi −1: without limit.
func times(p pattern, lo, hi int) pattern {
	return pattern{op: repeat, subs: []pattern{p}, lo: lo, hi: hi}
}

func some(p pattern) pattern     { return times(p, 1, -1) }
func many(p pattern) pattern     { return times(p, 0, -1) }
func optional(p pattern) pattern { return times(p, 0, 1) }

// bytesAny matches n bytes of any value.
func bytesAny(n int) pattern { return times(anyByte, n, n) }

// anywhere matches p behind any bytes.
func anywhere(p pattern) pattern { return in(many(anyByte), p) }
