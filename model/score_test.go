package model_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/stream"
)

func goldenModel(t testing.TB) *model.Model {
	t.Helper()
	m, err := model.ReadFile(vectorFile(t, trained))
	require.NoError(t, err)
	return m
}

// inWindow scores a connection by itself whose window was observed before.
func inWindow(m *model.Model, c *conn.Conn, w feature.Window) *stream.Scored {
	return stream.Of(m, &stream.Conn{Conn: c, Window: w})
}

func TestScore(t *testing.T) {
	m, rows := goldenModel(t), goldenConns()
	s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(100))
	twin := feature.NewHosts(100)
	for i := range rows {
		got, err := s.Next(row.Of(&rows[i]))
		require.NoError(t, err)
		require.Greater(t, got.Value, 0.0)
		require.Less(t, got.Value, 1.0)
		require.Equal(t, got.Value, math.Round(got.Value*1e4)/1e4, "more than four decimals")
		require.InDelta(t, math.Exp2(-got.Path/m.Forest().AverageLength()), got.Value, 0.00005)
		require.Equal(t, inWindow(m, &rows[i], twin.Observe(&rows[i])).Score, got.Score, "in two steps")
		rank := m.Rank(got.Path)
		require.True(t, rank > 0 && rank <= 1)
	}
}

func TestScoreRefusesWhatNoLogHolds(t *testing.T) {
	m, c := goldenModel(t), goldenConns()[0]
	hosts := feature.NewHosts(100)
	s, row := stream.Stream{Model: m}, stream.NewConns(hosts)
	bad := c
	bad.Duration = -1
	_, err := s.Next(row.Of(&bad))
	require.ErrorContains(t, err, "duration")
	require.Zero(t, hosts.Len(), "a refused connection is not observed")
}

// The windows outlive the model.
func TestModelSwap(t *testing.T) {
	m, rows := goldenModel(t), goldenConns()
	a, ofA := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(100))
	var b stream.Stream
	ofB := stream.NewConns(feature.NewHosts(100))
	for i := range rows {
		b.Model = goldenModel(t)
		want, err := a.Next(ofA.Of(&rows[i]))
		require.NoError(t, err)
		got, err := b.Next(ofB.Of(&rows[i]))
		require.NoError(t, err)
		require.Equal(t, want.Score, got.Score)
		if i == 50 {
			break
		}
	}
}

func TestExplainAddsUp(t *testing.T) {
	m, rows := goldenModel(t), goldenConns()
	s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(100))
	for i := range rows {
		got, err := s.Next(row.Of(&rows[i]))
		require.NoError(t, err)
		why := got.Explain(0)
		require.Len(t, why, feature.Conn.N())
		sum := 0.0
		for j, r := range why {
			sum += r.Credit
			require.True(t, j == 0 || r.Credit <= why[j-1].Credit, "largest first")
			require.Equal(t, feature.Conn.Features[r.Feature].Name, r.Name)
			require.NotEmpty(t, r.Value)
			require.NotEmpty(t, r.Usual)
		}
		require.Equal(t, m.Forest().AverageLength()-got.Path, sum, "credits add up exactly")
		require.Equal(t, why[:3], got.Explain(3))
		require.Equal(t, model.ReasonText(feature.Conn, why), string(got.AppendReason(nil)))
	}
}

func TestReasonText(t *testing.T) {
	named := func(name string) int {
		for i, f := range feature.Conn.Features {
			if f.Name == name {
				return i
			}
		}
		t.Fatal(name)
		return -1
	}
	reason := func(name, value, usual string, credit float64) model.Reason {
		return model.Reason{Feature: named(name), Name: name, Value: value, Usual: usual, Credit: credit, Unusual: true}
	}
	why := []model.Reason{
		reason("orig_bytes", "4.2 GB", "under 31 MB", 3),
		reason("responders", "about 210", "3", 2),
		reason("resp_port", "31337/tcp, never seen", "1 in 200 connections or more", 1),
		reason("failed share", "97 %", "4 %", 0.5),
	}
	require.Equal(t, "orig_bytes 4.2 GB, usually under 31 MB; about 210 responders in five minutes, usually 3; resp_port 31337/tcp, never seen",
		model.ReasonText(feature.Conn, why))
	require.Equal(t, "97 % of connections failed in five minutes, usually 4 %", model.ReasonText(feature.Conn, why[3:]))
	require.Equal(t, "1 responder port in five minutes, usually 4", model.ReasonText(feature.Conn, []model.Reason{reason("responder ports", "1", "4", 1)}))
	require.Equal(t, "1 failure at the responder in five minutes, usually 0", model.ReasonText(feature.Conn, []model.Reason{reason("failures at the responder", "1", "0", 1)}))
	usual := reason("orig_bytes", "unset", "unset or up to 71 kB", 4)
	usual.Unusual = false
	require.Equal(t, "about 210 responders in five minutes, usually 3", model.ReasonText(feature.Conn, []model.Reason{usual, why[1]}), "what is usual is no reason")
	require.Equal(t, "rare together: orig_bytes unset", model.ReasonText(feature.Conn, []model.Reason{usual}))
	why[0].Credit = -1
	require.Empty(t, model.ReasonText(feature.Conn, why), "nothing made it stranger")
	require.Empty(t, model.ReasonText(feature.Conn, nil))
}

func TestScoreDoesNotAllocate(t *testing.T) {
	m, rows := goldenModel(t), goldenConns()
	s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(100))
	i, text := 0, make([]byte, 0, 1024)
	var scored *stream.Scored
	require.Zero(t, testing.AllocsPerRun(2000, func() {
		scored, _ = s.Next(row.Of(&rows[i%len(rows)]))
		scored.OneIn()
		i++
	}))
	require.Zero(t, testing.AllocsPerRun(2000, func() { text = scored.AppendReason(text[:0]) }))
	require.Zero(t, testing.AllocsPerRun(2000, func() {
		scored, _ = s.Next(row.Of(&rows[i%len(rows)]))
		text = scored.AppendReason(text[:0])
		i++
	}))
}

// Asked for or not, each time or now and then, scores and reasons are the same.
func TestScoreDoesNotDependOnReasons(t *testing.T) {
	m, rows := goldenModel(t), goldenConns()
	var never, always, sometimes stream.Stream
	records := map[*stream.Stream]*stream.Conn{}
	for _, s := range []*stream.Stream{&never, &always, &sometimes} {
		s.Model, records[s] = m, stream.NewConns(feature.NewHosts(100))
	}
	for i := range rows {
		want, err := never.Next(records[&never].Of(&rows[i]))
		require.NoError(t, err)
		reason := string(inWindow(m, &rows[i], records[&never].Window).AppendReason(nil))
		for _, s := range []*stream.Stream{&always, &sometimes} {
			got, err := s.Next(records[s].Of(&rows[i]))
			require.NoError(t, err)
			require.Equal(t, want.Score, got.Score)
			if s == &always || i%3 == 0 {
				require.Equal(t, reason, string(got.AppendReason(nil)))
			}
		}
	}
}

// BenchmarkStream is a row on the sensor, without and with its reason: the
// difference is what the reason costs.
func BenchmarkStream(b *testing.B) {
	m, rows := goldenModel(b), goldenConns()
	for name, reasons := range map[string]bool{"score": false, "score and reason": true} {
		b.Run(name, func(b *testing.B) {
			s, row := stream.Stream{Model: m}, stream.NewConns(feature.NewHosts(model.DefaultHosts))
			var text []byte
			i := 0
			for b.Loop() {
				scored, err := s.Next(row.Of(&rows[i]))
				if err != nil {
					b.Fatal(err)
				}
				if reasons {
					text = scored.AppendReason(text[:0])
				}
				if i++; i == len(rows) {
					i = 0
				}
			}
		})
	}
}
