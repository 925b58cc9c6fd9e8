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

func TestEncode(t *testing.T) {
	e, err := NewEncoder(Tables{
		Rows:     99,
		Protos:   [conn.NumProto]uint64{conn.TCP: 99},
		States:   [conn.NumState]uint64{conn.SF: 49},
		Services: []ServiceCount{{"", 9}, {"ssl", 24}},
		Ports:    []PortCount{{conn.TCP, 443, 4}},
	})
	require.NoError(t, err)
	ln := func(x float64) float32 { return float32(math.Log(x)) }
	c := full()
	var v Vector
	e.Encode(&v, &c, Window{Connections: 7, Failures: 2, Responders: 3, Ports: 1,
		Memory: Memory{RespFailures: 5, PairBytes: 99, PairSeconds: 59, PortUses: 2, Uses: 9}})
	want := Vector{
		ln(1.135524), ln(1597), ln(4040), ln(15), ln(17), ln(1017), ln(1227), ln(5139),
		-ln(99.5 / 100), -ln(24.5 / 100), -ln(49.5 / 100), -ln(4.5 / 100),
		ln(8), float32(2.0 / 7), ln(4), ln(2), ln(3),
		ln(6), ln(100), ln(60), -ln(2.5 / 10),
	}
	for i := range v {
		require.InDelta(t, want[i], v[i], 1e-6, Schema[i].Name)
	}

	c = conn.Conn{Proto: conn.UDP, State: conn.OTH, Service: "not set, so ignored"}
	e.Encode(&v, &c, Window{Connections: 1})
	never := -ln(0.5 / 100)
	want = Vector{unset, unset, unset, 0, 0, 0, 0, 0, never, -ln(9.5 / 100), never, never, ln(2), 0, 0, 0, 0, 0, 0, 0, -ln(0.5)}
	for i := range v {
		require.InDelta(t, want[i], v[i], 1e-6, Schema[i].Name)
	}
}

// Whatever stands in the record, the vector is finite and sits above unset.
func FuzzEncode(f *testing.F) {
	f.Add(uint64(0), int64(0), int64(0), uint8(0), uint8(0), uint16(0), uint16(0), "")
	f.Add(uint64(math.MaxUint64), int64(math.MaxInt64), int64(math.MaxInt64), uint8(3), uint8(13), uint16(65535), uint16(0xffff), "ssl")
	f.Add(uint64(1), int64(math.MinInt64), int64(1), uint8(1), uint8(1), uint16(1), uint16(4), strings.Repeat("x", 300))
	e, err := NewEncoder(Tables{Rows: 5, Services: []ServiceCount{{"ssl", 5}}})
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
		e.Encode(&v, &c, h.Observe(&c))
		for i, x := range v {
			require.False(t, math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) || x < unset, Schema[i].Name)
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
	k, h := NewCounter(), NewHosts(100)
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
		service := k.ServiceCode(c)
		k.Count(c, service)
		samples[i].Set(c, windows[i], service)
	}
	tables := k.Tables()
	require.Len(t, tables.Services, MaxServices)
	require.Len(t, tables.Ports, MaxPorts)
	e, err := NewEncoder(tables)
	require.NoError(t, err)
	for i := range rows {
		var got, want Vector
		k.Finish(&got, &samples[i], e)
		e.Encode(&want, &rows[i], windows[i])
		require.Equal(t, want, got)
	}
}

// The tables depend on the rows alone, not on the counter's seed.
func TestTablesAreDeterministic(t *testing.T) {
	a, b := NewCounter(), NewCounter()
	for i := range 200000 {
		c := full()
		c.Service = fmt.Sprint(i % 2000)
		c.Resp = row(0, "10.0.0.1", "10.0.0.2", uint16(i*i%60000), 0).Resp
		a.Count(&c, a.ServiceCode(&c))
		b.Count(&c, b.ServiceCode(&c))
	}
	require.Equal(t, a.Tables(), b.Tables())
}

func TestTablesKeepThePortsMetMost(t *testing.T) {
	k := NewCounter()
	for port := range 40000 {
		k.setPort(port, uint32(1+port%3))
	}
	k.setPort(50000, 1<<31)
	k.rows = 1 << 32
	tables := k.Tables()
	require.Len(t, tables.Ports, MaxPorts)
	var met [4]int
	for _, p := range tables.Ports {
		met[p.Rows&3]++
	}
	require.Equal(t, [4]int{1, 0, MaxPorts - 1 - 13333, 13333}, met)
}

func TestHalve(t *testing.T) {
	k, c := NewCounter(), full()
	for range 5 {
		k.Count(&c, k.ServiceCode(&c))
	}
	k.Halve()
	require.Equal(t, Tables{
		Rows: 2, Protos: [conn.NumProto]uint64{conn.TCP: 2}, States: [conn.NumState]uint64{conn.SF: 2},
		Services: []ServiceCount{{"ssl", 2}}, Ports: []PortCount{{conn.TCP, 443, 2}},
	}, k.Tables())
}

func (k *Counter) setPort(i int, n uint32) {
	k.ports[i] = n
	k.met[i/64] |= 1 << (i % 64)
}

func TestMagnitude(t *testing.T) {
	last := -1
	for n := uint32(0); n < 1<<20; n++ {
		m := magnitude(n)
		require.True(t, m == last || m == last+1)
		last = m
	}
	require.Equal(t, 0, magnitude(0))
	require.Less(t, magnitude(math.MaxUint32), magnitudes)
}

func TestNewEncoderRefuses(t *testing.T) {
	for name, tables := range map[string]Tables{
		"more rows than a float64 counts": {Rows: 1<<53 + 1},
		"more of a proto than rows":       {Rows: 1, Protos: [conn.NumProto]uint64{conn.UDP: 2}},
		"more of a state than rows":       {Rows: 1, States: [conn.NumState]uint64{conn.SF: 2}},
		"more of a service than rows":     {Rows: 1, Services: []ServiceCount{{"dns", 2}}},
		"more of a port than rows":        {Rows: 1, Ports: []PortCount{{conn.UDP, 53, 2}}},
		"services out of order":           {Rows: 1, Services: []ServiceCount{{"ssl", 1}, {"dns", 1}}},
		"a service twice":                 {Rows: 1, Services: []ServiceCount{{"ssl", 1}, {"ssl", 1}}},
		"a service too long":              {Rows: 1, Services: []ServiceCount{{strings.Repeat("x", 64), 1}}},
		"a port twice":                    {Rows: 1, Ports: []PortCount{{conn.UDP, 53, 1}, {conn.UDP, 53, 1}}},
		"an unknown proto":                {Rows: 1, Ports: []PortCount{{conn.NumProto, 53, 1}}},
		"too many services":               {Rows: 1, Services: make([]ServiceCount, MaxServices+1)},
		"too many ports":                  {Rows: 1, Ports: make([]PortCount, MaxPorts+1)},
	} {
		_, err := NewEncoder(tables)
		require.Error(t, err, name)
	}
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	e, err := NewEncoder(Tables{Rows: 5, Services: []ServiceCount{{"ssl", 5}}})
	require.NoError(t, err)
	k, c := NewCounter(), full()
	var v Vector
	var s Sample
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		e.Encode(&v, &c, Window{Connections: 1})
		service := k.ServiceCode(&c)
		k.Count(&c, service)
		s.Set(&c, Window{Connections: 1}, service)
		k.Finish(&v, &s, e)
	}))
}

func BenchmarkEncode(b *testing.B) {
	e, err := NewEncoder(Tables{Rows: 5, Services: []ServiceCount{{"ssl", 5}}})
	require.NoError(b, err)
	c := full()
	var v Vector
	for b.Loop() {
		c.OrigBytes++
		e.Encode(&v, &c, Window{Connections: 100, Responders: 3, Ports: 4, Failures: 5})
	}
}

func BenchmarkTables(b *testing.B) {
	k := NewCounter()
	for i := range k.ports {
		k.setPort(i, uint32(i%100))
	}
	for b.Loop() {
		k.Tables()
	}
}
