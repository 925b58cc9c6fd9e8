package feature

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Models in use have this identity: who changes it makes them useless, and
// must mean to.
func TestIdentityOfConn(t *testing.T) {
	require.Equal(t, "1ac8fcdae3bdd982", Conn.ID)
	require.Equal(t, 21, Conn.N())
}

func TestSets(t *testing.T) {
	good := func() Set {
		return Set{
			Log: "tea", Rows: "cups",
			Features: []Feature{{"leaf", "leaf", "rarity", Rarity, "", ""}, {"milk", "milk", "B", Bytes, "", ""}},
			Codes:    []Coded{{Feature: 0, Most: 10}},
			Beyond:   1 << 1,
		}
	}
	s := NewSet(good())
	require.Equal(t, 1, s.Find("milk"))
	require.Equal(t, -1, s.Find("sugar"))
	require.Equal(t, "0, 1 in 11 cups", string(s.appendOneIn([]byte("0, "), rarity(9, 99))))
	before, one, many := s.Phrases(1)
	require.Equal(t, "milk /", before+one+"/"+many)

	other := good()
	other.Constants = "warm"
	require.NotEqual(t, s.ID, NewSet(other).ID)
	require.Equal(t, s.ID, NewSet(good()).ID)

	for name, change := range map[string]func(*Set){
		"no feature":              func(s *Set) { s.Features = nil },
		"too many features":       func(s *Set) { s.Features = make([]Feature, Places+1) },
		"too many codes":          func(s *Set) { s.Codes = make([]Coded, MaxCodes+1) },
		"a code of a number":      func(s *Set) { s.Codes[0].Feature = 1 },
		"no room for codes":       func(s *Set) { s.Codes[0].Most = 0 },
		"numbers without end":     func(s *Set) { s.Codes[0].Below = maxNumbers + 1 },
		"a cut beyond no feature": func(s *Set) { s.Beyond = 1 << 2 },
	} {
		set := good()
		change(&set)
		require.Panics(t, func() { NewSet(set) }, name)
	}
}

// Of more values than there is room for, those met last have it, and a state
// goes on as the counter would.
func TestCounterMakesRoom(t *testing.T) {
	s := NewSet(Set{Log: "tea", Rows: "cups", Features: []Feature{{Kind: Rarity}}, Codes: []Coded{{Feature: 0, Most: 3}}})
	met := func(k *Counter, texts ...string) {
		for _, text := range texts {
			k.Count(&Sample{Codes: [MaxCodes]uint64{CodeOf(text)}})
		}
	}
	k := NewCounter(s)
	met(k, "a", "b", "c", "a", "d")
	k.Count(&Sample{Codes: [MaxCodes]uint64{LongCode}})
	require.Equal(t, Tables{Rows: 6, Codes: [][]CodeCount{{{CodeOf("a"), 2}, {CodeOf("c"), 1}, {CodeOf("d"), 1}}}}, k.Tables())
	k.Halve()
	require.Equal(t, Tables{Rows: 3, Codes: [][]CodeCount{{{CodeOf("a"), 1}}}}, k.Tables())

	again := NewCounter(s)
	for part := range k.StateParts() {
		require.NoError(t, again.RestoreState(part, k.AppendState(nil, part)))
	}
	require.NoError(t, again.RestoreEnd())
	for _, k := range []*Counter{k, again} {
		met(k, "e", "f") // c and a make room
		require.Equal(t, []CodeCount{{CodeOf("e"), 1}, {CodeOf("f"), 1}}, k.Tables().Codes[0])
	}
}
