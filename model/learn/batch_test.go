package learn_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// row is a connection with its window.
type row struct {
	c conn.Conn
	w feature.Window
}

// observed are rows as a sensor sees them.
func observed(conns []conn.Conn) []row {
	hosts := feature.NewHosts(1000)
	rows := make([]row, len(conns))
	for i, c := range conns {
		rows[i] = row{c, hosts.Observe(&c)}
	}
	return rows
}

// batches are batches of the rows, as many in each as there is room for.
func batches(rows []row) (all [][]byte) {
	b := learn.NewBatch()
	for i := range rows {
		b.Add(&rows[i].c, rows[i].w)
		if b.Full() || i == len(rows)-1 {
			all = append(all, bytes.Clone(b.Bytes()))
			b.Reset()
		}
	}
	return all
}

func unpacked(t testing.TB, all ...[]byte) (rows []row) {
	t.Helper()
	var r learn.BatchReader
	for _, b := range all {
		require.NoError(t, r.Read(b, func(c *conn.Conn, w feature.Window) { rows = append(rows, row{*c, w}) }))
	}
	return rows
}

// odd are rows that a batch must hold as well.
func odd() []row {
	address := func(s string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(s), 1) }
	most := conn.Conn{
		TS: math.MaxInt64, Duration: math.MaxInt64, Orig: address("2001:db8::ffff:1"), Resp: address("::1"),
		Proto: conn.ICMP, State: conn.NumState - 1, Service: strings.Repeat("s", 300),
		OrigBytes: math.MaxUint64, RespBytes: math.MaxUint64, MissedBytes: math.MaxUint64,
		OrigPkts: math.MaxUint64, RespPkts: math.MaxUint64, OrigIPBytes: math.MaxUint64, RespIPBytes: math.MaxUint64,
		LocalOrig: true, LocalResp: true, Set: math.MaxUint16 >> 7,
	}
	least := conn.Conn{TS: math.MinInt64, Orig: address("::ffff:10.0.0.1")}
	return []row{
		{most, feature.Window{Connections: math.MaxUint32, Failures: math.MaxUint32, Responders: math.MaxUint32, Ports: math.MaxUint32, Cold: true, OneWay: true,
			Memory: feature.Memory{RespFailures: math.MaxUint32, PairBytes: math.MaxUint64, PairSeconds: math.MaxUint64, PortUses: math.MaxUint32, Uses: math.MaxUint32}}},
		{least, feature.Window{}},
		{conn.Conn{TS: -1, Orig: address("0.0.0.0"), Set: conn.Service | conn.LocalOrig}, feature.Window{Connections: 1}},
	}
}

// A learner makes the same models of batches as of the connections themselves.
func TestBatchesTeachTheSame(t *testing.T) {
	rows := observed(officeRows(21, 7000))
	for i, o := range odd() {
		rows[3000+i] = row{o.c, o.w}
		rows[3000+i].c.TS = rows[2999].c.TS // a year of 292,000 would be another day
	}
	o := learn.Options{Seed: 4, Warmup: 500, RebuildEvery: 900, Trees: 30}
	direct, packed := learn.NewLearner(o), learn.NewLearner(o)
	models := 0
	again := unpacked(t, batches(rows)...)
	require.Len(t, again, len(rows))
	for i := range rows {
		m, err := direct.Take(&rows[i].c, rows[i].w)
		n, again := packed.Take(&again[i].c, again[i].w)
		require.Equal(t, err, again, "row %d", i)
		require.Equal(t, m == nil, n == nil, "row %d", i)
		if m != nil {
			models++
			require.True(t, bytes.Equal(file(t, m), file(t, n)), "after row %d", i)
		}
	}
	require.Greater(t, models, 4)
}

func TestBatchHoldsWhatIsLearntFrom(t *testing.T) {
	for i, got := range unpacked(t, batches(odd())...) {
		want := odd()[i]
		require.Equal(t, want.w, got.w)
		require.Equal(t, want.c.Orig.Addr().Unmap(), got.c.Orig.Addr())
		require.Equal(t, want.c.Resp.Port(), got.c.Resp.Port())
		require.False(t, got.c.Resp.Addr().IsValid(), "nobody needs the responder's address")
		require.Len(t, got.c.Service, min(len(want.c.Service), feature.MaxServiceName+1))
		var a, b feature.Vector
		feature.EncodeNumbers(&a, &want.c, want.w)
		feature.EncodeNumbers(&b, &got.c, got.w)
		require.Equal(t, a, b)
	}
}

func TestBatchIsBounded(t *testing.T) {
	b := learn.NewBatch()
	o := odd()
	require.Zero(t, testing.AllocsPerRun(10, func() {
		for b.Reset(); !b.Full(); {
			b.Add(&o[0].c, o[0].w)
		}
	}))
	require.Equal(t, learn.BatchRows, b.Rows())
	require.LessOrEqual(t, len(b.Bytes()), learn.MaxBatch)
	require.Len(t, unpacked(t, b.Bytes()), learn.BatchRows)
}

// Reading makes no garbage once the services are known.
func TestReadingABatchDoesNotAllocate(t *testing.T) {
	all := batches(observed(officeRows(1, learn.BatchRows)))
	require.Len(t, all, 1)
	var r learn.BatchReader
	n := 0
	read := func() {
		if err := r.Read(all[0], func(*conn.Conn, feature.Window) { n++ }); err != nil {
			panic(err)
		}
	}
	read()
	require.Zero(t, testing.AllocsPerRun(10, read))
}

// Of a batch that is damaged nothing is learnt.
func TestDamagedBatches(t *testing.T) {
	good := batches(observed(officeRows(2, 20)))[0]
	head := good[:17]
	with := func(change func([]byte) []byte) []byte { return change(bytes.Clone(good)) }
	for name, batch := range map[string][]byte{
		"empty":             {},
		"no whole head":     good[:9],
		"another version":   with(func(b []byte) []byte { b[0]++; return b }),
		"another schema":    with(func(b []byte) []byte { b[3]++; return b }),
		"cut off":           good[:len(good)-1],
		"a state too high":  with(func(b []byte) []byte { b[17+3] = byte(conn.NumState); return b }),
		"a transport":       with(func(b []byte) []byte { b[17+2] = byte(conn.NumProto); return b }),
		"unknown flags":     with(func(b []byte) []byte { b[17] |= 0x40; return b }),
		"too many rows":     append(bytes.Clone(head), bytes.Repeat(good[17:], 7)...),
		"too long":          append(bytes.Clone(good), make([]byte, learn.MaxBatch)...),
		"negative duration": with(func(b []byte) []byte { return append(b, negative()...) }),
	} {
		t.Run(name, func(t *testing.T) {
			var r learn.BatchReader
			require.Error(t, r.Read(batch, func(*conn.Conn, feature.Window) { t.Error("learnt from") }))
		})
	}
}

// negative is a row with a negative duration, which Add must not be given.
func negative() []byte {
	b := learn.NewBatch()
	empty := len(b.Bytes())
	b.Add(&conn.Conn{Duration: -1, Set: conn.Duration, Orig: netip.MustParseAddrPort("10.0.0.1:1")}, feature.Window{})
	return b.Bytes()[empty:]
}

// Whatever a worker sends: all of it or nothing, and a learner can live with it.
func FuzzBatch(f *testing.F) {
	for _, b := range batches(observed(officeRows(3, 300))) {
		f.Add(b)
	}
	f.Add(batches(odd())[0])
	l := learn.NewLearner(learn.Options{Warmup: 50, RebuildEvery: 500, Trees: 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		var r learn.BatchReader
		before, again := l.Rows(), learn.NewBatch()
		err := r.Read(data, func(c *conn.Conn, w feature.Window) {
			require.NoError(t, feature.Check(c))
			again.Add(c, w)
			_, _ = l.Take(c, w) // a refusal leaves the model in use
		})
		require.Equal(t, uint64(again.Rows()), l.Rows()-before)
		if err != nil {
			require.Zero(t, again.Rows())
			return
		}
		require.Equal(t, unpacked(t, data), unpacked(t, again.Bytes()))
	})
}

// What sampling costs a worker, and reading the samples the manager, for each
// connection.
func BenchmarkSampling(b *testing.B) {
	rows := observed(officeRows(1, 5000))
	batch, thin := learn.NewBatch(), learn.NewThinning(8)
	b.Run("Add", func(b *testing.B) {
		for i := range b.N {
			if r := &rows[i%len(rows)]; batch.Full() {
				batch.Reset()
			} else {
				batch.Add(&r.c, r.w)
			}
		}
	})
	b.Run("Takes", func(b *testing.B) {
		for i := range b.N {
			thin.Takes(&rows[i%len(rows)].c)
		}
	})
	b.Run("Read", func(b *testing.B) {
		all := batches(rows[:learn.BatchRows])
		var r learn.BatchReader
		for range b.N/learn.BatchRows + 1 {
			if err := r.Read(all[0], func(*conn.Conn, feature.Window) {}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// The numbers of a recording's frames, for tests that damage one.
func frame(rows uint64, batch []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, rows)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(batch)))
	return append(b, batch...)
}
