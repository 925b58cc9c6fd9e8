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

// rowOf is the row of a connection.
func rowOf(c *conn.Conn, w feature.Window) *feature.Row {
	r := new(feature.Row)
	r.SetConn(c, w, nil)
	return r
}

// observed are rows as a sensor sees them.
func observed(conns []conn.Conn) []feature.Row {
	hosts := feature.NewHosts(1000)
	rows := make([]feature.Row, len(conns))
	for i, c := range conns {
		rows[i] = *rowOf(&c, hosts.Observe(&c))
	}
	return rows
}

// batches are batches of the rows, as many in each as there is room for.
func batches(rows []feature.Row) (all [][]byte) {
	b := learn.NewBatch(feature.Conn)
	for i := range rows {
		b.Add(&rows[i])
		if b.Full() || i == len(rows)-1 {
			all = append(all, bytes.Clone(b.Bytes()))
			b.Reset()
		}
	}
	return all
}

func unpacked(t testing.TB, all ...[]byte) (rows []feature.Row) {
	t.Helper()
	r := learn.NewBatchReader(feature.Conn)
	for _, b := range all {
		require.NoError(t, r.Read(b, func(r *feature.Row) { rows = append(rows, *r) }))
	}
	return rows
}

// odd are rows that a batch must hold as well.
func odd() []feature.Row {
	address := func(s string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(s), 1) }
	most := conn.Conn{
		TS: math.MaxInt64, Duration: math.MaxInt64, Orig: address("2001:db8::ffff:1"), Resp: address("::1"),
		Proto: conn.ICMP, State: conn.NumState - 1, Service: strings.Repeat("s", 300),
		OrigBytes: math.MaxUint64, RespBytes: math.MaxUint64, MissedBytes: math.MaxUint64,
		OrigPkts: math.MaxUint64, RespPkts: math.MaxUint64, OrigIPBytes: math.MaxUint64, RespIPBytes: math.MaxUint64,
		LocalOrig: true, LocalResp: true, Set: math.MaxUint16 >> 7,
	}
	least := conn.Conn{TS: math.MinInt64, Orig: address("::ffff:10.0.0.1")}
	return []feature.Row{
		*rowOf(&most, feature.Window{Connections: math.MaxUint32, Failures: math.MaxUint32, Responders: math.MaxUint32, Ports: math.MaxUint32, Cold: true, OneWay: true,
			Memory: feature.Memory{RespFailures: math.MaxUint32, PairBytes: math.MaxUint64, PairSeconds: math.MaxUint64, PortUses: math.MaxUint32, Uses: math.MaxUint32}}),
		*rowOf(&least, feature.Window{}),
		*rowOf(&conn.Conn{TS: -1, Orig: address("0.0.0.0"), Set: conn.Service | conn.LocalOrig}, feature.Window{Connections: 1}),
	}
}

// A learner makes the same models of batches as of the connections themselves.
func TestBatchesTeachTheSame(t *testing.T) {
	rows := observed(officeRows(21, 7000))
	for i, o := range odd() {
		rows[3000+i] = o
		rows[3000+i].TS = rows[2999].TS // a year of 292,000 would be another day
	}
	o := learn.Options{Seed: 4, Warmup: 500, RebuildEvery: 900, Trees: 30}
	direct, packed := learn.NewLearner(o), learn.NewLearner(o)
	models := 0
	again := unpacked(t, batches(rows)...)
	require.Len(t, again, len(rows))
	for i := range rows {
		m, err := direct.Take(&rows[i])
		n, again := packed.Take(&again[i])
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
	want := odd()
	got := unpacked(t, batches(want)...)
	for i := range want {
		want[i].Chance = 0 // whether the row is sampled was decided already
	}
	require.Equal(t, want, got)
}

func TestBatchIsBounded(t *testing.T) {
	b := learn.NewBatch(feature.Conn)
	o := odd()
	require.Zero(t, testing.AllocsPerRun(10, func() {
		for b.Reset(); !b.Full(); {
			b.Add(&o[0])
		}
	}))
	require.Equal(t, learn.BatchRows, b.Rows())
	require.LessOrEqual(t, len(b.Bytes()), learn.MaxBatch)
	require.Len(t, unpacked(t, b.Bytes()), learn.BatchRows)
}

// Reading makes no garbage.
func TestReadingABatchDoesNotAllocate(t *testing.T) {
	all := batches(observed(officeRows(1, learn.BatchRows)))
	require.Len(t, all, 1)
	r := learn.NewBatchReader(feature.Conn)
	n := 0
	read := func() {
		if err := r.Read(all[0], func(*feature.Row) { n++ }); err != nil {
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
	another := func(change func(*feature.Row)) []byte {
		rows := odd()[:1]
		change(&rows[0])
		return append(bytes.Clone(good), batches(rows)[0][17:]...)
	}
	other := learn.NewBatch(feature.NewSet(feature.Set{Log: "tea", Rows: "cups", Features: []feature.Feature{{Name: "milk"}}}))
	other.Add(&feature.Row{})
	for name, batch := range map[string][]byte{
		"empty":            {},
		"no whole head":    good[:9],
		"another version":  with(func(b []byte) []byte { b[0]++; return b }),
		"another schema":   with(func(b []byte) []byte { b[3]++; return b }),
		"cut off":          good[:len(good)-1],
		"unknown flags":    with(func(b []byte) []byte { b[17] |= 0x40; return b }),
		"silent, no code":  with(func(b []byte) []byte { b[17+1] = 0x80; return b }),
		"a state too high": another(func(r *feature.Row) { r.Codes[2] = uint64(conn.NumState) }),
		"a transport":      another(func(r *feature.Row) { r.Codes[0] = uint64(conn.NumProto) }),
		"not a number":     another(func(r *feature.Row) { r.Vector[0] = float32(math.NaN()) }),
		"too many rows":    append(bytes.Clone(head), bytes.Repeat(good[17:], 7)...),
		"too long":         append(bytes.Clone(good), make([]byte, learn.MaxBatch)...),
		"of another log":   other.Bytes(),
	} {
		t.Run(name, func(t *testing.T) {
			r := learn.NewBatchReader(feature.Conn)
			require.Error(t, r.Read(batch, func(*feature.Row) { t.Error("learnt from") }))
		})
	}
}

// Whatever a worker sends: all of it or nothing, and a learner can live with it.
func FuzzBatch(f *testing.F) {
	for _, b := range batches(observed(officeRows(3, 300))) {
		f.Add(b)
	}
	f.Add(batches(odd())[0])
	l := learn.NewLearner(learn.Options{Warmup: 50, RebuildEvery: 500, Trees: 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := learn.NewBatchReader(feature.Conn)
		before, again := l.Rows(), learn.NewBatch(feature.Conn)
		err := r.Read(data, func(r *feature.Row) {
			require.NoError(t, feature.Conn.CheckSample(&r.Sample))
			again.Add(r)
			_, _ = l.Take(r) // a refusal leaves the model in use
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
	batch, thin := learn.NewBatch(feature.Conn), learn.NewThinning(8)
	b.Run("Add", func(b *testing.B) {
		for i := range b.N {
			if r := &rows[i%len(rows)]; batch.Full() {
				batch.Reset()
			} else {
				batch.Add(r)
			}
		}
	})
	b.Run("Takes", func(b *testing.B) {
		for i := range b.N {
			thin.Takes(&rows[i%len(rows)])
		}
	})
	b.Run("Read", func(b *testing.B) {
		all := batches(rows[:learn.BatchRows])
		r := learn.NewBatchReader(feature.Conn)
		for range b.N/learn.BatchRows + 1 {
			if err := r.Read(all[0], func(*feature.Row) {}); err != nil {
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

// modelFrame is the head of a frame that says that a model follows.
func modelFrame(rows uint64, size uint32) []byte {
	b := binary.LittleEndian.AppendUint64(nil, rows)
	return binary.LittleEndian.AppendUint32(b, size|1<<31)
}
