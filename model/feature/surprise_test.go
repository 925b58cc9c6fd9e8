package feature

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// names is a set with a text and its code.
var names = NewSet(Set{
	Log: "tea", Rows: "cups",
	Features: []Feature{
		{"name", "name", "rarity", Rarity, "", ""},
		{"surprise of the name", "name", "bits a character", Surprise, "", ""},
		{"length of the name", "name", "characters", Amount, "", ""},
	},
	Codes: []Coded{{Feature: 0, Most: 10}},
	Text:  true,
})

func named(text string) (s Sample) {
	s.Codes[0] = CodeOf(text)
	s.Text.Set(text)
	s.Vector[2] = LogCount(uint64(len(text)))
	return s
}

func TestClassesOfCharacters(t *testing.T) {
	met := map[byte][]byte{}
	for i := range 256 {
		class := classOf[byte(i)]
		require.NotZero(t, class)
		require.Less(t, class, byte(classes))
		met[class] = append(met[class], byte(i))
	}
	for c, want := range map[byte]int{'a': 1, '0': 1, '.': 1, 'Q': 26, 0x80: 128, '\n': 33, '<': 12} {
		require.Len(t, met[classOf[c]], want, "%q", c)
	}
}

func TestSurprise(t *testing.T) {
	k := NewCounter(names)
	for range 300 {
		for _, text := range []string{"mail.example.com", "www.example.com", "login.example.org", "images.example.net"} {
			s := named(text)
			k.Count(&s)
			k.CountText(&s)
		}
	}
	tables := k.Tables()
	e, err := NewEncoder(names, tables)
	require.NoError(t, err)

	require.Less(t, e.Surprise("mail.example.org"), float32(1.5))
	require.Greater(t, e.Surprise("q7zk2xw9v4.example.com"), e.Surprise("www.example.com")+1)
	require.InDelta(t, 6, e.Surprise("zzzz"), 2, "nothing is known of z: about six bits for one of 64")
	require.Equal(t, float32(Unset), e.Surprise(""))
	long := strings.Repeat("example", 20)
	require.Equal(t, e.Surprise(long[:textLength]), e.Surprise(long))

	// By hand: "ma" after the beginning.
	n := func(a, b byte) float64 {
		from := 0
		if a != 0 {
			from = int(classOf[a])
		}
		var sum float64
		for i := range classes {
			sum += float64(tables.Bigrams[from*classes+i])
		}
		return -math.Log2((float64(tables.Bigrams[from*classes+int(classOf[b])]) + 0.5) / (sum + 32))
	}
	require.InDelta(t, (n(0, 'm')+n('m', 'a'))/2, e.Surprise("ma"), 1e-6)

	var v Vector
	s := named("ma")
	e.Finish(&v, &s)
	require.Equal(t, e.Surprise("ma"), v[1])
	require.Equal(t, "4.2 bits a character", string(appendNumber(nil, Surprise, 4.2)))
	require.Equal(t, "unset", string(appendNumber(nil, Surprise, Unset)))
	require.Equal(t, "unset", string(appendNumber(nil, Amount, Unset)))
	require.Equal(t, "17", string(appendNumber(nil, Amount, LogCount(17))))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s.Text.Set("a name that is somewhat long")
		k.CountText(&s)
		e.Finish(&v, &s)
	}))

	tables.Bigrams = tables.Bigrams[1:]
	_, err = NewEncoder(names, tables)
	require.Error(t, err)
	tables.Bigrams = nil
	_, err = NewEncoder(names, tables)
	require.Error(t, err)
}

func TestCountsOfTextsGoOnAfterARestart(t *testing.T) {
	k := NewCounter(names)
	for _, text := range []string{"a", "mail.example.com", "\xff\x00", ""} {
		s := named(text)
		k.Count(&s)
		k.CountText(&s)
	}
	again := NewCounter(names)
	for part := range k.StateParts() {
		require.NoError(t, again.RestoreState(part, k.AppendState(nil, part)))
	}
	require.NoError(t, again.RestoreEnd())
	require.Equal(t, k.Tables(), again.Tables())
	last := k.StateParts() - 1
	good := k.AppendState(nil, last)
	require.Error(t, again.RestoreState(last, good[1:]))
	require.Error(t, again.RestoreState(last, append(good, 0)))
	require.Error(t, again.RestoreState(last, append([]byte{255, 255, 255, 255, 255, 1}, good[1:]...)), "more than a count holds")

	before := k.Tables()
	k.Halve()
	for i, n := range k.Tables().Bigrams {
		require.Equal(t, before.Bigrams[i]/2, n)
	}
}

func TestCheckText(t *testing.T) {
	good := named("example.com")
	require.NoError(t, names.CheckSample(&good))
	require.Error(t, Conn.CheckSample(&Sample{Text: good.Text}), "conn.log has no text")
	for name, change := range map[string]func(*Sample){
		"too long":             func(s *Sample) { s.Text[0] = textLength + 1 },
		"an unknown class":     func(s *Sample) { s.Text[3] = classes },
		"more than it says":    func(s *Sample) { s.Text[0]-- },
		"a surprise by itself": func(s *Sample) { s.Vector[1] = 3 },
	} {
		s := good
		change(&s)
		require.Error(t, names.CheckSample(&s), name)
	}
}

func FuzzText(f *testing.F) {
	f.Add("mail.example.com")
	f.Add(strings.Repeat("\xff", 70_000))
	k := NewCounter(names)
	f.Fuzz(func(t *testing.T, text string) {
		s := named(text)
		require.NoError(t, names.CheckSample(&s))
		k.Count(&s)
		k.CountText(&s)
		e, err := NewEncoder(names, k.Tables())
		require.NoError(t, err)
		var v Vector
		e.Finish(&v, &s)
		require.NoError(t, names.CheckSample(&s))
		x := v[1]
		require.True(t, x == Unset || x >= 0 && x < 64, "%v", x)
	})
}

// An event of any log is counted as a connection is: by host, and by pair, in
// the host's five minutes and beyond.
func TestEventsOfAnotherLog(t *testing.T) {
	h := NewHosts(10)
	ask := func(at int64, host byte, name string, failed bool) Window {
		e := Event{
			Host: [16]byte{15: host}, End: conn.Micros(at) * minute, Failed: failed,
			Peer: KeyOf(CodeOf(name)), Port: KeyOf(CodeOf("example.com")),
			Target: Hash(CodeOf("example.com")), Pair: Hash(uint64(host), CodeOf("example.com")), Use: Hash(uint64(host), 1),
			Bytes: 10,
		}
		w := h.PeekEvent(&e)
		require.Equal(t, w, h.ObserveEvent(&e))
		return w
	}
	ask(100, 1, "a.example.com", false)
	ask(101, 1, "b.example.com", true)
	w := ask(102, 2, "a.example.com", true)
	require.Equal(t, uint32(1), w.Connections)
	require.Equal(t, uint32(2), w.RespFailures, "at the domain, by two hosts")
	w = ask(103, 1, "b.example.com", false)
	require.Equal(t, [4]uint32{3, 1, 2, 1}, [4]uint32{w.Connections, w.Failures, w.Responders, w.Ports})
	require.Equal(t, uint64(30), w.PairBytes)
	require.Equal(t, uint32(3), w.PortUses)
	w = ask(110, 1, "c.example.com", false)
	require.Equal(t, [4]uint32{1, 0, 1, 1}, [4]uint32{w.Connections, w.Failures, w.Responders, w.Ports})
}
