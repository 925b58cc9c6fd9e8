package learn_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// office makes n rows of ordinary traffic, one after the other.
func office(seed uint64, n int) func(*conn.Conn) error {
	r := rand.New(rand.NewPCG(seed, 7))
	ts := int64(1_600_000_000e6)
	services := []string{"dns", "ssl", "http", "ssh"}
	ports := []uint16{53, 443, 80, 22}
	return func(c *conn.Conn) error {
		if n--; n < 0 {
			return io.EOF
		}
		ts += r.Int64N(300e3)
		k := min(r.IntN(4), r.IntN(4))
		c.Reset()
		c.TS, c.Proto, c.State, c.Service = conn.Micros(ts), conn.TCP, conn.SF, services[k]
		if k == 0 {
			c.Proto = conn.UDP
		}
		if r.IntN(20) == 0 {
			c.State = conn.State(1 + r.IntN(int(conn.NumState)-1))
		}
		c.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(2)), byte(r.IntN(100))}), uint16(r.Uint32()))
		c.Resp = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(100))}), ports[k])
		c.Duration, c.OrigBytes, c.RespBytes = conn.Micros(r.Int64N(1<<r.IntN(30))), r.Uint64N(1<<r.IntN(20)), r.Uint64N(1<<r.IntN(24))
		c.OrigPkts, c.RespPkts = c.OrigBytes/1000+1, c.RespBytes/1400+1
		c.OrigIPBytes, c.RespIPBytes = c.OrigBytes+40*c.OrigPkts, c.RespBytes+40*c.RespPkts
		c.Set = conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes
		return nil
	}
}

func file(t testing.TB, m *model.Model) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, m.Write(&b))
	return b.Bytes()
}

func TestFitIsDeterministic(t *testing.T) {
	for _, o := range []learn.Options{{Seed: 7}, {Seed: 7, Sampling: learn.Uniform}} {
		a, report, err := learn.Fit(office(1, 20000), o)
		require.NoError(t, err)
		require.Equal(t, learn.Report{Rows: 20000}, report)
		b, _, err := learn.Fit(office(1, 20000), o)
		require.NoError(t, err)
		require.Equal(t, file(t, a), file(t, b))
		o.Seed++
		other, _, err := learn.Fit(office(1, 20000), o)
		require.NoError(t, err)
		require.NotEqual(t, a.Fingerprint(), other.Fingerprint())
	}
}

func TestSummary(t *testing.T) {
	m, _, err := learn.Fit(office(1, 20000), learn.Options{Seed: 7, ZeekVersion: "8.0.10"})
	require.NoError(t, err)
	s := m.Summary()
	require.Equal(t, model.Summary{
		Rows: 20000, First: s.First, Last: s.Last, Seed: 7,
		Trees: model.BalancedTrees, Subsample: model.BalancedSubsample, HeightLimit: 8,
		Sampling: "balanced", Cells: s.Cells, Calibration: s.Calibration, Disjoint: true, ZeekVersion: "8.0.10",
	}, s)
	require.Greater(t, s.Last, s.First)
	require.Greater(t, s.Cells, 50)
	require.InDelta(t, 20000/8, s.Calibration, 200)

	m, _, err = learn.Fit(office(1, 20000), learn.Options{Sampling: learn.Uniform})
	require.NoError(t, err)
	s = m.Summary()
	require.Equal(t, "uniform", s.Sampling)
	require.Equal(t, [3]int{model.PaperTrees, model.PaperSubsample, 8}, [3]int{s.Trees, s.Subsample, s.HeightLimit}, "the paper's")

	m, _, err = learn.Fit(office(1, 3000), learn.Options{Trees: 7, Subsample: 100, MaxDepth: 3})
	require.NoError(t, err)
	s = m.Summary()
	require.Equal(t, [3]int{7, 100, 3}, [3]int{s.Trees, s.Subsample, s.HeightLimit})
}

// Few rows work: the true subsample size normalises, and a remark says so.
func TestFitOfFewRows(t *testing.T) {
	for _, sampling := range []learn.Sampling{learn.Balanced, learn.Uniform} {
		for _, n := range []int{0, 1} {
			_, _, err := learn.Fit(office(2, n), learn.Options{Sampling: sampling})
			require.ErrorIs(t, err, forest.ErrTooFewRows)
			require.ErrorContains(t, err, fmt.Sprintf("%d connections", n))
		}
		for _, n := range []int{2, 3, 10, 255, 256, 1000} {
			m, report, err := learn.Fit(office(2, n), learn.Options{Sampling: sampling})
			require.NoError(t, err, "%d rows", n)
			if n < 256 {
				require.Len(t, report.Remarks, 1)
				require.Contains(t, report.Remarks[0], fmt.Sprintf("only %d connections", n))
				require.LessOrEqual(t, m.Summary().Subsample, n)
			} else {
				require.Empty(t, report.Remarks)
			}
			require.False(t, m.Summary().Disjoint && n < 512)
			s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(100))
			next, c := office(2, n), conn.Conn{}
			for next(&c) == nil {
				got, err := s.Next(row.Of(&c))
				require.NoError(t, err)
				require.True(t, got.Value > 0 && got.Value < 1)
			}
		}
	}
}

// Equal rows cannot be told apart: every score is one half.
func TestFitOfEqualRows(t *testing.T) {
	var row conn.Conn
	require.NoError(t, office(1, 1)(&row))
	left := 1000
	m, _, err := learn.Fit(func(c *conn.Conn) error {
		if left--; left < 0 {
			return io.EOF
		}
		*c = row
		c.TS += conn.Micros(1000-left) * 3600e6                                                                  // windows of their own
		c.Orig = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 9, byte(left >> 8), byte(left)}), c.Orig.Port()) // and memories
		return nil
	}, learn.Options{})
	require.NoError(t, err)
	s := stream.Stream{Model: m}
	got, err := s.Next(stream.NewConns(feature.NewHosts(1)).Of(&row))
	require.NoError(t, err)
	require.Equal(t, 0.5, got.Value)
}

func TestFitEndsOnAnError(t *testing.T) {
	broken := errors.New("broken")
	next := office(1, 100)
	_, report, err := learn.Fit(func(c *conn.Conn) error {
		if err := next(c); err == io.EOF {
			return broken
		}
		return nil
	}, learn.Options{})
	require.ErrorIs(t, err, broken)
	require.Zero(t, report.Remarks)
}

func TestFitLeavesOutWhatNoLogHolds(t *testing.T) {
	next := office(1, 1000)
	n := 0
	_, report, err := learn.Fit(func(c *conn.Conn) error {
		err := next(c)
		if n++; n%100 == 0 {
			c.Duration = -5
		}
		return err
	}, learn.Options{})
	require.NoError(t, err)
	require.Equal(t, uint64(990), report.Rows)
	require.Equal(t, uint64(10), report.Unusable)
	require.Equal(t, []string{"10 connections could not be used: the first one's duration is negative: -0.000005 s"}, report.Remarks)
}

func TestParseSampling(t *testing.T) {
	for _, s := range []learn.Sampling{learn.Balanced, learn.Uniform} {
		got, err := learn.ParseSampling(s.String())
		require.NoError(t, err)
		require.Equal(t, s, got)
	}
	_, err := learn.ParseSampling("fair")
	require.ErrorContains(t, err, `"fair"`)
}

// Memory does not grow with the number of rows.
func TestFitInBoundedMemory(t *testing.T) {
	taken := func(n int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := learn.Fit(office(3, n), learn.Options{})
		require.NoError(t, err)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	few, many := taken(100_000), taken(300_000)
	require.Less(t, many, few+few/5, "%d bytes for 100,000 rows, %d for 300,000", few, many)
}

// Rows that made the curve did not make the trees, so that new rows of the same
// traffic have ranks that are spread evenly.
func TestRanksAreEven(t *testing.T) {
	m, _, err := learn.Fit(office(4, 100_000), learn.Options{Seed: 3})
	require.NoError(t, err)
	s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(1000))
	next, c := office(5, 50_000), conn.Conn{}
	var below [3]int
	shares := [3]float64{0.5, 0.1, 0.01}
	for next(&c) == nil {
		got, err := s.Next(row.Of(&c))
		require.NoError(t, err)
		for i, p := range shares {
			if m.Rank(got.Path) <= p {
				below[i]++
			}
		}
	}
	for i, p := range shares {
		require.InEpsilon(t, p, float64(below[i])/50_000, 0.25, "rank of at most %v", p)
	}
}

func BenchmarkFit(b *testing.B) {
	const n = 200_000
	next := office(6, n)
	rows := make([]conn.Conn, n)
	for i := range rows {
		_ = next(&rows[i])
	}
	for b.Loop() {
		i := 0
		if _, _, err := learn.Fit(func(c *conn.Conn) error {
			if i == n {
				return io.EOF
			}
			*c = rows[i]
			i++
			return nil
		}, learn.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
}
