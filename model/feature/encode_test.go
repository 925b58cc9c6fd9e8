package feature

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// full is a connection with every field set.
func full() conn.Conn {
	c := row(1000, "10.0.0.1", "192.0.2.7", 443, conn.SF)
	c.Service, c.Duration = "ssl", 1135424
	c.OrigBytes, c.RespBytes, c.MissedBytes = 1596, 4039, 5138
	c.OrigPkts, c.OrigIPBytes, c.RespPkts, c.RespIPBytes = 14, 1016, 16, 1226
	c.Set = conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes
	return c
}

// port is the code of a proto and responder port.
func port(p conn.Proto, port uint16) uint64 { return uint64(p)<<16 | uint64(port) }

// tablesOf are tables of conn.log.
func tablesOf(rows uint64, protos, services, states, ports []CodeCount) Tables {
	return Tables{Rows: rows, Codes: [][]CodeCount{protos, services, states, ports}}
}

// encode is the vector of a connection.
func encode(e *Encoder, v *Vector, c *conn.Conn, w Window) {
	var s Sample
	s.SetConn(c, w, nil)
	e.Finish(v, &s)
}

func TestEncode(t *testing.T) {
	e, err := NewEncoder(Conn, tablesOf(99,
		[]CodeCount{{uint64(conn.TCP), 99}},
		[]CodeCount{{0, 9}, {CodeOf("ssl"), 24}},
		[]CodeCount{{uint64(conn.SF), 49}},
		[]CodeCount{{port(conn.TCP, 443), 4}}))
	require.NoError(t, err)
	ln := func(x float64) float32 { return float32(math.Log(x)) }
	c := full()
	var v Vector
	encode(e, &v, &c, Window{Connections: 7, Failures: 2, Responders: 3, Ports: 1,
		Memory: Memory{RespFailures: 5, PairBytes: 99, PairSeconds: 59, PortUses: 2, Uses: 9}})
	want := Vector{
		ln(1.135524), ln(1597), ln(4040), ln(15), ln(17), ln(1017), ln(1227), ln(5139),
		-ln(99.5 / 100), -ln(24.5 / 100), -ln(49.5 / 100), -ln(4.5 / 100),
		ln(8), float32(2.0 / 7), ln(4), ln(2), ln(3),
		ln(6), ln(100), ln(60), -ln(2.5 / 10),
	}
	for i := range Conn.Features {
		require.InDelta(t, want[i], v[i], 1e-6, Conn.Features[i].Name)
	}

	c = conn.Conn{Proto: conn.UDP, State: conn.OTH, Service: "not set, so ignored"}
	encode(e, &v, &c, Window{Connections: 1})
	never := -ln(0.5 / 100)
	want = Vector{Unset, Unset, Unset, 0, 0, 0, 0, 0, never, -ln(9.5 / 100), never, never, ln(2), 0, 0, 0, 0, 0, 0, 0, -ln(0.5)}
	for i := range Conn.Features {
		require.InDelta(t, want[i], v[i], 1e-6, Conn.Features[i].Name)
	}
}

// Whatever stands in the record, the vector is finite and sits above unset.
func FuzzEncode(f *testing.F) {
	f.Add(uint64(0), int64(0), int64(0), uint8(0), uint8(0), uint16(0), uint16(0), "")
	f.Add(uint64(math.MaxUint64), int64(math.MaxInt64), int64(math.MaxInt64), uint8(3), uint8(13), uint16(65535), uint16(0xffff), "ssl")
	f.Add(uint64(1), int64(math.MinInt64), int64(1), uint8(1), uint8(1), uint16(1), uint16(4), strings.Repeat("x", 300))
	e, err := NewEncoder(Conn, tablesOf(5, nil, []CodeCount{{CodeOf("ssl"), 5}}, nil, nil))
	require.NoError(f, err)
	h := NewHosts(3)
	f.Fuzz(func(t *testing.T, n uint64, ts, d int64, proto, state uint8, port, set uint16, service string) {
		c := row(0, "10.0.0.1", "10.0.0.2", port, conn.State(state))
		c.TS, c.Duration, c.Proto, c.Set, c.Service = conn.Micros(ts), conn.Micros(d), conn.Proto(proto), conn.Fields(set), service
		c.OrigBytes, c.RespBytes, c.OrigPkts, c.MissedBytes, c.OrigIPBytes = n, n/2, n/3, n/5, n
		if Check(&c) != nil {
			return
		}
		var v Vector
		encode(e, &v, &c, h.Observe(&c))
		for i, x := range v[:Conn.N()] {
			require.False(t, math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) || x < Unset, Conn.Features[i].Name)
		}
	})
}

func TestCheck(t *testing.T) {
	c := full()
	require.NoError(t, Check(&c))
	bad := c
	bad.Proto = conn.NumProto
	require.ErrorContains(t, Check(&bad), "proto")
	bad = c
	bad.State = conn.NumState
	require.ErrorContains(t, Check(&bad), "conn_state")
	bad = c
	bad.Duration = -1
	require.ErrorContains(t, Check(&bad), "duration is negative: -0.000001 s")
}

// A sample finished under the tables is what Encode gives, also for services
// and ports that found no place.
func TestSampleIsEncode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0))
	k, h, texts := NewCounter(Conn), NewHosts(100), NewTexts()
	rows := traffic(7, 60000)
	samples, windows := make([]Sample, len(rows)), make([]Window, len(rows))
	for i := range rows {
		c := &rows[i]
		c.Proto = conn.Proto(r.IntN(int(conn.NumProto)))
		c.Resp = row(0, "10.0.0.1", "10.0.0.2", uint16(r.Uint32()), 0).Resp
		if r.IntN(2) == 0 {
			c.Service = fmt.Sprint("service", r.IntN(1+r.IntN(3000)))
			if r.IntN(100) == 0 {
				c.Service = strings.Repeat("x", 64)
			}
			c.Set |= conn.Service
		}
		c.OrigBytes, c.Set = r.Uint64()>>r.IntN(64), c.Set|conn.OrigBytes
		windows[i] = h.Observe(c)
		samples[i].SetConn(c, windows[i], texts)
		k.Count(&samples[i])
	}
	tables := k.Tables()
	require.Len(t, tables.Codes[ServiceCode], MaxServices)
	require.Len(t, tables.Codes[portCode], MaxPorts)
	e, err := NewEncoder(Conn, tables)
	require.NoError(t, err)
	for i := range rows {
		var got, want Vector
		e.Finish(&got, &samples[i])
		encode(e, &want, &rows[i], windows[i])
		require.Equal(t, want, got)
	}
}

// The tables depend on the rows alone, not on the counter's seed.
func TestTablesAreDeterministic(t *testing.T) {
	a, b := NewCounter(Conn), NewCounter(Conn)
	for i := range 200000 {
		c := full()
		c.Service = fmt.Sprint(i % 2000)
		c.Resp = row(0, "10.0.0.1", "10.0.0.2", uint16(i*i%60000), 0).Resp
		var s Sample
		s.SetConn(&c, Window{}, nil)
		a.Count(&s)
		b.Count(&s)
	}
	require.Equal(t, a.Tables(), b.Tables())
}

func TestTablesKeepThePortsMetMost(t *testing.T) {
	k := NewCounter(Conn)
	for port := range 40000 {
		k.setPort(port, uint64(1+port%3))
	}
	k.setPort(50000, 1<<31)
	k.rows = 1 << 32
	tables := k.Tables()
	require.Len(t, tables.Codes[portCode], MaxPorts)
	var met [4]int
	for _, p := range tables.Codes[portCode] {
		met[p.Rows&3]++
	}
	require.Equal(t, [4]int{1, 0, MaxPorts - 1 - 13333, 13333}, met)
}

func TestHalve(t *testing.T) {
	k, c := NewCounter(Conn), full()
	var s Sample
	s.SetConn(&c, Window{}, nil)
	for range 5 {
		k.Count(&s)
	}
	k.Halve()
	require.Equal(t, tablesOf(2,
		[]CodeCount{{uint64(conn.TCP), 2}}, []CodeCount{{CodeOf("ssl"), 2}},
		[]CodeCount{{uint64(conn.SF), 2}}, []CodeCount{{port(conn.TCP, 443), 2}}), k.Tables())
}

func (k *Counter) setPort(i int, n uint64) {
	c := &k.codes[portCode]
	c.numbers[i] = n
	c.met[i/64] |= 1 << (i % 64)
}

func TestMagnitude(t *testing.T) {
	last := -1
	for n := uint64(0); n < 1<<20; n++ {
		m := magnitude(n)
		require.True(t, m == last || m == last+1)
		last = m
	}
	require.Equal(t, 0, magnitude(0))
	require.Less(t, magnitude(math.MaxUint64), magnitudes)
}

func TestNewEncoderRefuses(t *testing.T) {
	number := func(code, rows uint64) []CodeCount { return []CodeCount{{code, rows}} }
	for name, tables := range map[string]Tables{
		"more rows than a float64 counts": tablesOf(1<<53+1, nil, nil, nil, nil),
		"counts of too few features":      {Rows: 1, Codes: make([][]CodeCount, 3)},
		"more of a proto than rows":       tablesOf(1, number(uint64(conn.UDP), 2), nil, nil, nil),
		"more of a state than rows":       tablesOf(1, nil, nil, number(uint64(conn.SF), 2), nil),
		"more of a service than rows":     tablesOf(1, nil, number(CodeOf("dns"), 2), nil, nil),
		"more of a port than rows":        tablesOf(1, nil, nil, nil, number(port(conn.UDP, 53), 2)),
		"services out of order":           tablesOf(1, nil, []CodeCount{{CodeOf("ssl"), 1}, {CodeOf("dns"), 1}}, nil, nil),
		"a service twice":                 tablesOf(1, nil, []CodeCount{{CodeOf("ssl"), 1}, {CodeOf("ssl"), 1}}, nil, nil),
		"no service":                      tablesOf(1, nil, number(LongCode, 1), nil, nil),
		"a port twice":                    tablesOf(1, nil, nil, nil, []CodeCount{{53, 1}, {53, 1}}),
		"an unknown proto":                tablesOf(1, number(uint64(conn.NumProto), 1), nil, nil, nil),
		"a port of an unknown proto":      tablesOf(1, nil, nil, nil, number(port(conn.NumProto, 53), 1)),
		"too many services":               tablesOf(1, nil, make([]CodeCount, MaxServices+1), nil, nil),
		"too many ports":                  tablesOf(1, nil, nil, nil, make([]CodeCount, MaxPorts+1)),
	} {
		_, err := NewEncoder(Conn, tables)
		require.Error(t, err, name)
	}
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	e, err := NewEncoder(Conn, tablesOf(5, nil, []CodeCount{{CodeOf("ssl"), 5}}, nil, nil))
	require.NoError(t, err)
	k, c, texts := NewCounter(Conn), full(), NewTexts()
	var v Vector
	var r Row
	services := [...]string{"", "ssl", "quic,ssl", strings.Repeat("x", 60)}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		encode(e, &v, &c, Window{Connections: 1})
		c.Service = services[c.OrigPkts%4]
		c.OrigPkts++
		r.SetConn(&c, Window{Connections: 1}, texts)
		k.Count(&r.Sample)
		e.Finish(&v, &r.Sample)
	}))
}

func BenchmarkEncode(b *testing.B) {
	e, err := NewEncoder(Conn, tablesOf(5, nil, []CodeCount{{CodeOf("ssl"), 5}}, nil, nil))
	require.NoError(b, err)
	c := full()
	var v Vector
	var s Sample
	texts := NewTexts()
	for b.Loop() {
		c.OrigBytes++
		s.SetConn(&c, Window{Connections: 100, Responders: 3, Ports: 4, Failures: 5}, texts)
		e.Finish(&v, &s)
	}
}

func BenchmarkTables(b *testing.B) {
	k := NewCounter(Conn)
	for i := range k.codes[portCode].numbers {
		k.setPort(i, uint64(i%100))
	}
	for b.Loop() {
		k.Tables()
	}
}
