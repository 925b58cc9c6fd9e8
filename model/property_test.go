package model_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

// What must hold for every model and every connection, tried on models and
// traffic drawn at random. The golden vectors hold single digits; these hold
// the laws.

// eachModel runs a property for models of several shapes (0 stands for the
// default), each with traffic that it was not trained on.
func eachModel(t *testing.T, property func(*testing.T, *model.Model, []conn.Conn)) {
	for i, o := range []learn.Options{
		{}, {Sampling: learn.Uniform}, {Trees: 1}, {Trees: 13, Subsample: 2}, {Trees: 101, Subsample: 500, Sampling: learn.Uniform},
		{Trees: 30, MaxDepth: 60, Sampling: learn.Uniform},
	} {
		t.Run(fmt.Sprintf("%s, %d trees of %d, depth %d", o.Sampling, o.Trees, o.Subsample, o.MaxDepth), func(t *testing.T) {
			o.Seed = uint64(i)
			rows := traffic(uint64(i), 3000)
			m, _, err := learn.Fit(func(c *conn.Conn) error {
				if len(rows) == 0 {
					return io.EOF
				}
				*c, rows = rows[0], rows[1:]
				return nil
			}, o)
			require.NoError(t, err)
			property(t, m, traffic(uint64(i+1000), 2500))
		})
	}
}

// traffic is two hours of n connections with whatever a conn.log can hold: rows
// that come late, unset fields, sizes up to the largest, a few busy hosts and
// many that come once.
func traffic(seed uint64, n int) []conn.Conn {
	r := rand.New(rand.NewPCG(seed, 77))
	services := []string{"", "dns", "ssl", "http", "ssl,http", "gssapi,smb,krb", fmt.Sprint("x", seed)}
	rows := make([]conn.Conn, n)
	now := conn.Micros(1_700_000_000e6)
	for i := range rows {
		now += conn.Micros(r.Int64N(7200e6 / int64(n)))
		host := uint32(r.IntN(8))
		if r.IntN(3) == 0 {
			host = r.Uint32N(1 << 16)
		}
		size := func() uint64 { return r.Uint64() >> r.IntN(64) }
		c := conn.Conn{
			Orig:  netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(host >> 16), byte(host >> 8), byte(host)}), uint16(r.Uint32())),
			Resp:  netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(r.IntN(256))}), uint16(1)<<r.IntN(16)),
			Proto: conn.Proto(r.IntN(int(conn.NumProto))), State: conn.State(r.IntN(int(conn.NumState))),
			Service: services[r.IntN(len(services))], Duration: conn.Micros(r.Int64N(1 << r.IntN(34))),
			OrigBytes: size(), RespBytes: size(), MissedBytes: size() >> 20,
			OrigPkts: size(), RespPkts: size(), OrigIPBytes: size(), RespIPBytes: size(),
			Set: conn.Fields(r.Uint32()) & (conn.Service | conn.Duration | conn.OrigBytes | conn.RespBytes | conn.LocalOrig | conn.LocalResp),
		}
		unset := func(f conn.Fields, clear func()) {
			if !c.Has(f) {
				clear()
			}
		}
		unset(conn.Service, func() { c.Service = "" })
		unset(conn.Duration, func() { c.Duration = 0 })
		unset(conn.OrigBytes, func() { c.OrigBytes = 0 })
		unset(conn.RespBytes, func() { c.RespBytes = 0 })
		c.TS = now - c.Duration - conn.Micros(r.Int64N(1<<r.IntN(27))) // written when it had ended, up to a minute later
		rows[i] = c
	}
	return rows
}

// scored are the scores of rows in their order, windows cold at first.
func scored(t testing.TB, m *model.Model, rows []conn.Conn) []model.Score {
	return scoredWith(t, m, feature.NewHosts(model.DefaultHosts), rows)
}

// scoredWith are the scores of rows that follow on those in hosts.
func scoredWith(t testing.TB, m *model.Model, hosts *feature.Hosts, rows []conn.Conn) []model.Score {
	s, row := stream.Stream{Model: m}, stream.NewConns(hosts)
	scores := make([]model.Score, len(rows))
	for i := range rows {
		scored, err := s.Next(row.Of(&rows[i]))
		require.NoError(t, err)
		scores[i] = scored.Score
	}
	return scores
}

// The shares of the features add up to c(ψ) − E[h(x)], to the last bit.
func TestSharesAddUp(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model.Model, rows []conn.Conn) {
		hosts := feature.NewHosts(1000)
		for i := range rows {
			w := hosts.Observe(&rows[i])
			sum := 0.0
			for _, why := range inWindow(m, &rows[i], w).Explain(0) {
				sum += why.Credit
			}
			require.Equal(t, m.Forest().AverageLength()-inWindow(m, &rows[i], w).Path, sum, "row %d", i)
		}
	})
}

// permuted is a model whose trees stand in another order.
func permuted(t testing.TB, m *model.Model, r *rand.Rand) *model.Model {
	p := m.Forest().Plain()
	q := forest.Plain{Dim: p.Dim, Subsample: p.Subsample, HeightLimit: p.HeightLimit}
	type tree struct{ node, split int }
	starts := make([]tree, len(p.Nodes)+1)
	for i, n := range p.Nodes {
		splits := 0
		for _, f := range p.Feature[starts[i].node:][:n] {
			if f != forest.External {
				splits++
			}
		}
		starts[i+1] = tree{starts[i].node + int(n), starts[i].split + splits}
	}
	for _, i := range r.Perm(len(p.Nodes)) {
		from, to := starts[i], starts[i+1]
		q.Nodes = append(q.Nodes, p.Nodes[i])
		q.Feature = append(q.Feature, p.Feature[from.node:to.node]...)
		q.Size = append(q.Size, p.Size[from.node:to.node]...)
		q.Threshold = append(q.Threshold, p.Threshold[from.split:to.split]...)
	}
	f, err := q.Forest()
	require.NoError(t, err)
	parts := model.Parts{Summary: m.Summary(), Encoder: m.Encoder(), Forest: f, Curve: m.Curve()}
	for i := range parts.Usual {
		parts.Usual[i] = m.Usual(i)
	}
	other, err := model.New(parts)
	require.NoError(t, err)
	return other
}

// The order of the trees changes neither a path nor a share.
func TestOrderOfTreesChangesNothing(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model.Model, rows []conn.Conn) {
		other := permuted(t, m, rand.New(rand.NewPCG(4, 4)))
		if m.Summary().Trees > 1 {
			require.NotEqual(t, m.Fingerprint(), other.Fingerprint())
		}
		require.Equal(t, scored(t, m, rows), scored(t, other, rows))
		hosts := feature.NewHosts(1000)
		for i := range rows[:500] {
			w := hosts.Observe(&rows[i])
			require.Equal(t, inWindow(m, &rows[i], w).Explain(0), inWindow(other, &rows[i], w).Explain(0))
		}
	})
}

// A model that was saved and loaded is the same one: its file, each score, each
// rank, each reason.
func TestSaveAndLoadChangeNothing(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model.Model, rows []conn.Conn) {
		var file bytes.Buffer
		require.NoError(t, m.Write(&file))
		again, err := model.Read(bytes.NewReader(file.Bytes()))
		require.NoError(t, err)
		var second bytes.Buffer
		require.NoError(t, again.Write(&second))
		require.Equal(t, file.Bytes(), second.Bytes())

		a, b := scored(t, m, rows), scored(t, again, rows)
		hosts := feature.NewHosts(1000)
		for i := range rows {
			require.Equal(t, math.Float64bits(a[i].Path), math.Float64bits(b[i].Path))
			require.Equal(t, a[i], b[i])
			require.Equal(t, math.Float64bits(m.Rank(a[i].Path)), math.Float64bits(again.Rank(a[i].Path)))
			w := hosts.Observe(&rows[i])
			require.Equal(t, inWindow(m, &rows[i], w).AppendReason(nil), inWindow(again, &rows[i], w).AppendReason(nil))
		}
	})
}

// However many goroutines score, each row's score is the same.
func TestThreadsChangeNothing(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model.Model, rows []conn.Conn) {
		want := scored(t, m, rows)
		hosts := feature.NewHosts(model.DefaultHosts)
		windows := make([]feature.Window, len(rows))
		for i := range rows {
			windows[i] = hosts.Observe(&rows[i])
		}
		for _, threads := range []int{2, 3, 16} {
			got := make([]model.Score, len(rows))
			var wg sync.WaitGroup
			for g := range threads {
				wg.Add(1)
				go func() {
					defer wg.Done()
					for i := g; i < len(rows); i += threads {
						got[i] = inWindow(m, &rows[i], windows[i]).Score
					}
				}()
			}
			wg.Wait()
			require.Equal(t, want, got)
		}
	})
}

// A log that is scored in pieces gets the scores of the whole where the table
// goes along, as a sensor's does over a restart. Where it does not, the windows
// are those of the whole but for the rows that are marked cold; and only the
// beginning of a piece is cold.
func TestPiecesAreTheWhole(t *testing.T) {
	eachModel(t, func(t *testing.T, m *model.Model, rows []conn.Conn) {
		whole := scored(t, m, rows)
		r := rand.New(rand.NewPCG(6, 6))
		for range 5 {
			cut := r.IntN(len(rows))
			hosts := feature.NewHosts(model.DefaultHosts)
			for i := range rows[:cut] {
				hosts.Observe(&rows[i])
			}
			restored, err := feature.RestoreHosts(model.DefaultHosts, hosts.AppendState(nil, 0, hosts.Places()))
			require.NoError(t, err)
			require.Equal(t, whole[cut:], scoredWith(t, m, restored, rows[cut:]), "cut at %d", cut)

			hosts = feature.NewHosts(model.DefaultHosts)
			piece := scored(t, m, rows[cut:])
			all := feature.NewHosts(model.DefaultHosts)
			for i := range rows[:cut] {
				all.Observe(&rows[i])
			}
			for i := range rows[cut:] {
				got, want := hosts.Observe(&rows[cut+i]), all.Observe(&rows[cut+i])
				got.Memory, want.Memory, want.Cold = feature.Memory{}, feature.Memory{}, false
				if !got.Cold {
					require.Equal(t, want, got, "cut at %d, row %d of the piece", cut, i)
				}
			}
			end := func(c *conn.Conn) conn.Micros { return c.TS + c.Duration }
			for i, s := range piece {
				if c := &rows[cut+i]; i > 64 && end(c) > end(&rows[cut+63])+8*60e6 {
					require.False(t, s.Cold, "row %d of the piece", i)
				}
			}
		}
	})
}
