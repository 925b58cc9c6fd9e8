package sensor

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// records returns n connections between a few hosts.
func records(n int) []Record {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([]Record, n)
	for i := range out {
		out[i] = Record{
			TS: 1.7e9 + float64(i)/7, Duration: r.ExpFloat64(),
			OrigBytes: r.Uint64N(1e4), RespBytes: r.Uint64N(1e6), OrigPkts: r.Uint64N(50), RespPkts: r.Uint64N(50),
			Service: []string{"ssl", "http", "dns", "ssl,http"}[r.IntN(4)], State: []string{"SF", "S0", "RSTO"}[r.IntN(3)],
			OrigHost: netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(50))}).As16(),
			RespHost: netip.AddrFrom4([4]byte{192, 88, 99, byte(r.IntN(250))}).As16(),
			Context:  []string{"", "", "vlan=10"}[i%3],
			OrigPort: uint16(r.IntN(65536)), RespPort: []uint16{53, 80, 443, 8443}[r.IntN(4)],
			Proto: uint8(conn.TCP), IPProto: 6,
			Set: conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.IPProto,
		}
	}
	return out
}

func trained(t testing.TB, rs []Record, seed uint64) *model.Model {
	t.Helper()
	i := 0
	m, _, err := learn.Fit(func(c *conn.Conn) error {
		if i == len(rs) {
			return io.EOF
		}
		i++
		return rs[i-1].fill(c, &names{})
	}, learn.Options{Seed: seed})
	require.NoError(t, err)
	return m
}

func file(t testing.TB, m *model.Model) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model")
	require.NoError(t, m.WriteFile(path))
	return path
}

func TestScoreIsTheModels(t *testing.T) {
	rs := records(500)
	m := trained(t, rs, 1)
	s := New(model.DefaultHosts)
	require.NoError(t, s.LoadFile(file(t, m)))
	require.Equal(t, m.Fingerprint(), s.Model().Fingerprint())

	want, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
	var sum float64
	for i := range rs {
		var c conn.Conn
		require.NoError(t, rs[i].fill(&c, &names{}))
		score, err := want.Next(row.Of(&c))
		require.NoError(t, err)
		got, err := s.Score(&rs[i])
		require.NoError(t, err)
		require.Equal(t, score.Value, got.Score)
		require.Equal(t, score.Cold, got.Cold)
		require.GreaterOrEqual(t, got.Rank, 1.0)
		require.Equal(t, string(score.AppendReason(nil)), string(s.Reason()))
		sum += got.Score
	}

	st := s.Statistics()
	require.Equal(t, uint64(len(rs)), st.Calls[OK])
	require.Equal(t, sum, st.Sum)
	var binned uint64
	for _, n := range st.Bins {
		binned += n
	}
	require.Equal(t, st.Calls[OK], binned)
	require.Equal(t, uint64(1), st.Models)
}

func TestScoreDoesNotAllocate(t *testing.T) {
	rs := records(2000)
	s := New(model.DefaultHosts)
	require.NoError(t, s.LoadFile(file(t, trained(t, rs, 1))))
	_, err := s.Score(&rs[0])
	require.NoError(t, err)
	for i := range rs { // meet each service once
		_, err := s.Score(&rs[i])
		require.NoError(t, err)
	}
	i := 0
	require.Zero(t, testing.AllocsPerRun(len(rs)-1, func() {
		rs[i].OrigHost[15]++ // hosts that are new, too
		rs[i].OrigHost[14]++
		if _, err := s.Score(&rs[i]); err != nil {
			t.Fatal(err)
		}
		i++
	}))
	require.Zero(t, testing.AllocsPerRun(100, func() { s.Reason() }))
}

func TestScoreWithoutAModel(t *testing.T) {
	s := New(16)
	rs := records(3)
	for i := range rs {
		_, err := s.Score(&rs[i])
		require.Equal(t, NoModel, StatusOf(err))
	}
	require.Nil(t, s.Model())
	require.Equal(t, uint64(3), s.Statistics().Calls[NoModel])
	require.Zero(t, testing.AllocsPerRun(10, func() { s.Score(&rs[0]) }))
}

func TestScoreOfABadRecord(t *testing.T) {
	rs := records(500)
	s := New(model.DefaultHosts)
	require.NoError(t, s.LoadFile(file(t, trained(t, rs, 1))))
	bad := rs[0]
	bad.Proto = 9
	_, err := s.Score(&bad)
	require.Equal(t, BadRecord, StatusOf(err))
	require.EqualError(t, err, "connection cannot be scored: proto has the unknown code 9")
	require.Equal(t, uint64(1), s.Statistics().Calls[BadRecord])
}

// A model that is refused leaves the one before in use; the windows of hosts
// outlive a change of the model.
func TestLoad(t *testing.T) {
	rs := records(600)
	first, second := trained(t, rs, 1), trained(t, rs, 2)
	s := New(model.DefaultHosts)
	require.NoError(t, s.LoadFile(file(t, first)))
	want, row := stream.Stream{Model: first}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
	same := func(rs []Record) {
		t.Helper()
		for i := range rs {
			var c conn.Conn
			require.NoError(t, rs[i].fill(&c, &names{}))
			score, err := want.Next(row.Of(&c))
			require.NoError(t, err)
			got, err := s.Score(&rs[i])
			require.NoError(t, err)
			require.Equal(t, score.Value, got.Score)
		}
	}
	same(rs[:200])

	err := s.LoadFile(filepath.Join(t.TempDir(), "none"))
	require.Equal(t, BadModel, StatusOf(err))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, BadModel, StatusOf(s.LoadBytes([]byte("garbage"))))
	same(rs[200:400])

	var data bytes.Buffer
	require.NoError(t, second.Write(&data))
	require.NoError(t, s.LoadBytes(data.Bytes()))
	want.Model = second
	same(rs[400:])

	st := s.Statistics()
	require.Equal(t, uint64(2), st.Models)
	require.Equal(t, uint64(2), st.Refused)
}

func TestStatusOf(t *testing.T) {
	require.Equal(t, OK, StatusOf(nil))
	require.Equal(t, Panic, StatusOf(io.EOF))
	err := Panicked("index out of range")
	require.Equal(t, Panic, StatusOf(err))
	require.EqualError(t, err, "fault in the sensor library: index out of range; please report it")
}

func BenchmarkScore(b *testing.B) {
	rs := records(4096)
	s := New(model.DefaultHosts)
	require.NoError(b, s.LoadFile(file(b, trained(b, rs, 1))))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := s.Score(&rs[i%len(rs)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
	runtime.KeepAlive(s)
}

func BenchmarkFill(b *testing.B) {
	rs := records(4096)
	var c conn.Conn
	var n names
	i := 0
	for b.Loop() {
		if err := rs[i%len(rs)].fill(&c, &n); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
