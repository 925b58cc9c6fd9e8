package feature

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// The codes are part of model files: they must never change.
func TestCodeOf(t *testing.T) {
	for text, want := range map[string]uint64{
		"":         0,
		"ssl":      0x73736c0000000003,
		"dns,ntp":  0x646e732c6e747007,
		"quic,ssl": 0xa3388f3bb9706b9d, // of sha256sum
	} {
		require.Equal(t, want, CodeOf(text), "%q %x", text, CodeOf(text))
	}
}

func TestCodesTellTextsApart(t *testing.T) {
	texts := []string{"", "\x00", "\x00\x00", "a", "a\x00", "abcdefg", "abcdefgh", "abcdefg\x00", "\x80", "é", "ABC", "abc", strings.Repeat("x", 300), strings.Repeat("x", 301)}
	for i := range 2000 {
		texts = append(texts, strings.Repeat("y", i%9)+string(rune(i+0x100)))
	}
	known, met := NewTexts(), map[uint64]string{}
	for range 2 {
		for _, text := range texts {
			code := CodeOf(text)
			require.Less(t, code, uint64(LongCode))
			require.Equal(t, code, known.Code(text), "%q", text)
			require.Equal(t, code, (*Texts)(nil).Code(text))
			if other, ok := met[code]; ok {
				require.Equal(t, other, text)
			}
			met[code] = text
			if said, ok := TextOf(code); ok {
				require.Equal(t, text, said)
			} else {
				require.True(t, len(text) > shortText || strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }), "%q", text)
			}
		}
	}
}

func FuzzTextOf(f *testing.F) {
	for _, code := range []uint64{0, 7, 8, 1 << 63, CodeOf("ssl"), NoCode, LongCode, CodeOf("a\x00")} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code uint64) {
		if text, ok := TextOf(code); ok {
			require.Equal(t, code, CodeOf(text))
		}
	})
}

// A state or transport that says nothing is as usual as the most usual one, and
// is counted where there is one.
func TestSilentCodes(t *testing.T) {
	c := full()
	c.Proto, c.State = conn.UDP, conn.S0
	var s Sample
	s.SetConn(&c, Window{OneWay: true}, nil)
	k := NewCounter(Conn)
	k.Count(&s)
	c.Proto, c.State = conn.TCP, conn.SF
	for range 3 {
		var s Sample
		s.SetConn(&c, Window{}, nil)
		k.Count(&s)
	}
	c.State = conn.NoState
	var unset Sample
	unset.SetConn(&c, Window{}, nil)
	k.Count(&unset)
	tables := k.Tables()
	require.Equal(t, []CodeCount{{uint64(conn.TCP), 4}, {uint64(conn.UDP), 1}}, tables.Codes[protoCode])
	require.Equal(t, []CodeCount{{uint64(conn.S0), 1}, {uint64(conn.SF), 3}}, tables.Codes[stateCode], "unset is no state")

	e, err := NewEncoder(Conn, tables)
	require.NoError(t, err)
	for _, s := range []Sample{s, unset} {
		var v Vector
		e.Finish(&v, &s)
		require.Equal(t, rarity(4, 5), v[protoRarity])
		require.Equal(t, rarity(3, 5), v[stateRarity])
	}
}

func TestCheckSample(t *testing.T) {
	c := full()
	var good Sample
	good.SetConn(&c, Window{OneWay: true}, nil)
	require.NoError(t, Conn.CheckSample(&good))
	for name, change := range map[string]func(*Sample){
		"not a number":          func(s *Sample) { s.Vector[3] = float32(math.NaN()) },
		"infinite":              func(s *Sample) { s.Vector[20] = float32(math.Inf(-1)) },
		"a rarity":              func(s *Sample) { s.Vector[portRarity] = 1 },
		"an unknown proto":      func(s *Sample) { s.Codes[protoCode] = uint64(conn.NumProto) },
		"an unknown state":      func(s *Sample) { s.Codes[stateCode] = 1 << 40 },
		"silent without a code": func(s *Sample) { s.Silent = 1 << 4 },
	} {
		s := good
		change(&s)
		require.Error(t, Conn.CheckSample(&s), name)
	}
}

// One originator's rows have one hash; the kind of row takes in what it should.
func TestRowOfAConnection(t *testing.T) {
	of := func(change func(c *conn.Conn)) (r Row) {
		c := full()
		c.Set |= conn.LocalOrig
		change(&c)
		r.SetConn(&c, Window{Cold: true}, nil)
		return r
	}
	base := of(func(*conn.Conn) {})
	require.True(t, base.Cold)
	require.Equal(t, full().TS, base.TS)
	cells := map[uint64]string{base.Cell: "base"}
	for name, change := range map[string]func(c *conn.Conn){
		"local":            func(c *conn.Conn) { c.LocalOrig = true },
		"unknown":          func(c *conn.Conn) { c.Set &^= conn.LocalOrig },
		"proto":            func(c *conn.Conn) { c.Proto = conn.UDP },
		"service":          func(c *conn.Conn) { c.Service = "http" },
		"state":            func(c *conn.Conn) { c.State = conn.S1 },
		"twice the bytes":  func(c *conn.Conn) { c.OrigIPBytes *= 2 },
		"twice the answer": func(c *conn.Conn) { c.RespIPBytes *= 2 },
		"failed":           func(c *conn.Conn) { c.State = conn.S0 },
	} {
		r := of(change)
		require.Empty(t, cells[r.Cell], name)
		cells[r.Cell] = name
		require.Equal(t, base.Host, r.Host)
	}
	more := of(func(c *conn.Conn) { c.OrigIPBytes++ })
	require.Equal(t, base.Cell, more.Cell, "about as many bytes")
	require.Equal(t, of(func(c *conn.Conn) { c.State = conn.S0 }).Cell,
		of(func(c *conn.Conn) { c.State, c.OrigIPBytes = conn.S0, 1<<40 }).Cell, "the bytes of an attempt that failed")

	other := of(func(c *conn.Conn) { c.Orig = row(0, "10.0.0.2", "10.0.0.1", 1, conn.SF).Orig })
	require.NotEqual(t, base.Host, other.Host)
	require.NotEqual(t, base.Chance, other.Chance)
	require.NotEqual(t, base.Chance, of(func(c *conn.Conn) { c.TS++ }).Chance)
}
