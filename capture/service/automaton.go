package service

import (
	"math/bits"
	"slices"
)

// ruleSet is a set of rules, by their number in the table of signatures.
type ruleSet uint64

// maxStates bounds the states an automaton remembers; beyond it starts anew.
const maxStates = 2048

// automaton runs all patterns of one kind of stream at once, one step a byte:
// a deterministic automaton whose states are made when first needed. It
// belongs to one Tracker.
type automaton struct {
	steps   []step    // of the nondeterministic automaton
	class   [256]byte // bytes that no pattern tells apart share a class
	classes int
	sample  []byte // a byte of each class
	start   *state
	known   map[string]*state
	mark    []uint32 // closure: steps seen in this round
	round   uint32
	closure []uint16

	// Room for the making of states.
	stack, ahead []uint16
	key          []byte
}

// step is a state of the nondeterministic automaton: a byte out of set leads
// to next; or, without reading, to next and other; or a rule is complete.
type step struct {
	kind        stepKind
	set         byteSet
	next, other uint16
	rule        uint8
}

type stepKind uint8

const (
	read stepKind = iota
	fork
	accept
)

// state is a set of steps; next and stay are filled in as bytes come.
type state struct {
	rules ruleSet
	steps []uint16 // read steps only
	next  []*state
	stay  [256]bool // bytes that lead back here: most of a line, of data that is none
}

func newAutomaton(patterns []pattern, rules []uint8) *automaton {
	a := &automaton{known: map[string]*state{}}
	starts := make([]uint16, len(patterns))
	for i, p := range patterns {
		end := a.step(step{kind: accept, rule: rules[i]})
		starts[i] = a.compile(p, end)
	}
	a.mark = make([]uint32, len(a.steps))
	a.classify()
	a.start = a.state(starts)
	return a
}

func (a *automaton) step(s step) uint16 {
	a.steps = append(a.steps, s)
	return uint16(len(a.steps) - 1)
}

// compile adds p before step next and returns its first step.
func (a *automaton) compile(p pattern, next uint16) uint16 {
	switch p.op {
	case oneOf:
		return a.step(step{kind: read, set: p.set, next: next})
	case sequence:
		for i := len(p.subs) - 1; i >= 0; i-- {
			next = a.compile(p.subs[i], next)
		}
		return next
	case choice:
		first := a.compile(p.subs[0], next)
		for _, sub := range p.subs[1:] {
			first = a.step(step{kind: fork, next: first, other: a.compile(sub, next)})
		}
		return first
	default: // repeat
		if p.hi < 0 {
			loop := a.step(step{kind: fork, other: next})
			a.steps[loop].next = a.compile(p.subs[0], loop)
			next = loop
		} else {
			end := next
			for range p.hi - p.lo {
				next = a.step(step{kind: fork, next: a.compile(p.subs[0], next), other: end})
			}
		}
		for range p.lo {
			next = a.compile(p.subs[0], next)
		}
		return next
	}
}

// classify finds the bytes that all patterns treat alike.
func (a *automaton) classify() {
	a.classes = 1
	for i := range a.steps {
		if a.steps[i].kind != read {
			continue
		}
		set := &a.steps[i].set
		split := map[byte]byte{} // class → class of its members within set
		size := [256]int{}
		within := [256]int{}
		for b := range 256 {
			size[a.class[b]]++
			if set.has(byte(b)) {
				within[a.class[b]]++
			}
		}
		for b := range 256 {
			c := a.class[b]
			if !set.has(byte(b)) || within[c] == size[c] {
				continue
			}
			to, ok := split[c]
			if !ok {
				to = byte(a.classes)
				a.classes++
				split[c] = to
			}
			a.class[b] = to
		}
	}
	a.sample = make([]byte, a.classes)
	for b := 255; b >= 0; b-- {
		a.sample[a.class[b]] = byte(b)
	}
}

// state returns the state of a set of steps, with what follows from them
// without reading.
func (a *automaton) state(from []uint16) *state {
	a.round++
	a.closure = a.closure[:0]
	var rules ruleSet
	stack := append(a.stack[:0], from...)
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if a.mark[i] == a.round {
			continue
		}
		a.mark[i] = a.round
		switch s := &a.steps[i]; s.kind {
		case accept:
			rules |= 1 << s.rule
		case fork:
			stack = append(stack, s.next, s.other)
		default:
			a.closure = append(a.closure, i)
		}
	}
	a.stack = stack
	slices.Sort(a.closure) // so that equal sets have equal keys
	key := a.key[:0]
	for r := rules; r != 0; r &= r - 1 {
		key = append(key, byte(bits.TrailingZeros64(uint64(r))))
	}
	key = append(key, 255)
	for _, i := range a.closure {
		key = append(key, byte(i), byte(i>>8))
	}
	a.key = key
	if s, ok := a.known[string(key)]; ok {
		return s
	}
	if len(a.known) >= maxStates {
		// Streams in progress keep their own state and go on from there.
		for _, s := range a.known {
			clear(s.next)
			clear(s.stay[:])
		}
		clear(a.known)
	}
	s := &state{rules: rules, steps: slices.Clone(a.closure), next: make([]*state, a.classes)}
	a.known[string(key)] = s
	return s
}

func (a *automaton) follow(s *state, class byte) *state {
	b := a.sample[class]
	to := a.ahead[:0]
	for _, i := range s.steps {
		if a.steps[i].set.has(b) {
			to = append(to, a.steps[i].next)
		}
	}
	a.ahead = to
	n := a.state(to)
	s.next[class] = n
	if n == s {
		for b := range s.stay {
			s.stay[b] = s.stay[b] || a.class[b] == class
		}
	}
	return n
}

// run reads b from state s, and returns the state after it and the rules that
// were complete on the way. A nil state means the start.
func (a *automaton) run(s *state, b []byte) (*state, ruleSet) {
	if s == nil {
		s = a.start
	}
	rules := s.rules
	for i := 0; i < len(b); i++ {
		stay := &s.stay
		for i+4 <= len(b) && stay[b[i]] && stay[b[i+1]] && stay[b[i+2]] && stay[b[i+3]] {
			i += 4
		}
		for i < len(b) && stay[b[i]] {
			i++
		}
		if i == len(b) {
			break
		}
		class := a.class[b[i]]
		n := s.next[class]
		if n == nil {
			n = a.follow(s, class)
		}
		s = n
		rules |= s.rules
		if len(s.steps) == 0 {
			break // nothing can follow
		}
	}
	return s, rules
}
