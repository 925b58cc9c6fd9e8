package feature

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// What a sample says in words is what its window says, but for how often an
// originator used a port where several counts are that rare.
func TestAppendSample(t *testing.T) {
	c := full()
	e, err := NewEncoder(Conn, tablesOf(100, nil, nil, nil, nil))
	require.NoError(t, err)
	words := func(w Window) (of, sample []string) {
		var s Sample
		s.SetConn(&c, w, nil)
		for i := range Conn.Features {
			of, sample = append(of, string(e.AppendConn(nil, i, &c, w))), append(sample, string(e.AppendSample(nil, i, &c, &s)))
		}
		return of, sample
	}
	for name, w := range map[string]Window{
		"nothing":          {Memory: Memory{Uses: 97}},
		"one":              {Connections: 1, Failures: 1, Responders: 1, Ports: 1, Memory: Memory{PortUses: 0, Uses: 100}},
		"a scan":           {Connections: 65_535, Failures: 65_000, Responders: 40_000, Ports: 22, Memory: Memory{RespFailures: 1234, Uses: 97}},
		"an upload":        {Connections: 212, Memory: Memory{PairBytes: 4_321_987_654, PairSeconds: 86_399, PortUses: 256, Uses: 256}},
		"no answer can be": {Connections: 3, OneWay: true, Memory: Memory{Uses: 256}},
		"it has one count": {Connections: 3, Memory: Memory{PortUses: 250, Uses: 255}},
	} {
		of, sample := words(w)
		require.Equal(t, of, sample, name)
	}
	of, sample := words(Window{Memory: Memory{PortUses: 1, Uses: 3}})
	require.Equal(t, "443/tcp, 1 of its 3 connections", of[originatorPort])
	require.Equal(t, "443/tcp, 1 in 3 connections of this originator", sample[originatorPort])
	c.Absent = conn.Service
	of, sample = words(Window{Memory: Memory{Uses: 97}})
	require.Equal(t, of, sample)

	for n := range uint64(1 << 20) {
		require.Equal(t, n, numberOf(LogCount(n)))
	}
}

func TestAlikeConn(t *testing.T) {
	c := full()
	var s Sample
	s.SetConn(&c, Window{Connections: 99, OneWay: true, Memory: Memory{RespFailures: 7}}, nil)
	require.True(t, AlikeConn(&c, &s))
	for name, change := range map[string]func(c *conn.Conn){
		"orig_bytes": func(c *conn.Conn) { c.OrigBytes++ },
		"duration":   func(c *conn.Conn) { c.Duration += 100 },
		"port":       func(c *conn.Conn) { c.Resp = row(0, "10.0.0.1", "10.0.0.2", 1, conn.SF).Resp },
		"state":      func(c *conn.Conn) { c.State = conn.S1 },
		"service":    func(c *conn.Conn) { c.Service = "http" },
	} {
		other := full()
		change(&other)
		require.False(t, AlikeConn(&other, &s), name)
	}
	// A log without the column does not say.
	other := full()
	other.Service, other.Set, other.Absent = "", other.Set&^conn.Service, conn.Service
	require.True(t, AlikeConn(&other, &s))
	// One that sends and gets nothing, and has no duration, is the one packet of it.
	silent := full()
	silent.Set &^= conn.Duration | conn.OrigBytes | conn.RespBytes
	s.SetConn(&silent, Window{OneWay: true}, nil)
	require.True(t, AlikeConn(&silent, &s))
}
