package model_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

const ordinary = 0.1

// observed is the golden rows with their windows, and which are ordinary.
func observed(m *model.Model) (rows []conn.Conn, windows []feature.Window, usual []bool) {
	rows = goldenConns()
	hosts := feature.NewHosts(100)
	for i := range rows {
		w := hosts.Observe(&rows[i])
		windows = append(windows, w)
		usual = append(usual, m.Rank(inWindow(m, &rows[i], w).Path) >= ordinary)
	}
	return rows, windows, usual
}

func TestSimilar(t *testing.T) {
	m := goldenModel(t)
	rows, windows, usual := observed(m)
	for i := 0; i < len(rows); i += 37 {
		find := func(k int) []model.Other {
			s := m.NewSimilar(&rows[i], windows[i], k, ordinary)
			for j := range rows {
				s.Offer(&rows[j], windows[j])
			}
			return s.Others()
		}
		three, all := find(3), find(len(rows))
		require.Len(t, three, 3)
		require.Equal(t, all[:3], three, "the best of all")
		require.True(t, slices.IsSortedFunc(all, func(a, b model.Other) int { return cmp.Compare(a.Difference, b.Difference) }))
		kinds := map[string]bool{}
		for _, o := range all {
			require.GreaterOrEqual(t, m.Rank(o.Score.Path), ordinary)
			require.Equal(t, inWindow(m, &o.Conn, o.Window).Score, o.Score)
			sum := 0.0
			for _, p := range o.Parts {
				require.True(t, p >= 0 && p <= 1)
				sum += p
			}
			require.Equal(t, sum/float64(feature.Conn.N()), o.Difference)
			largest := o.Largest(2)
			require.Equal(t, slices.Max(o.Parts[:]), o.Parts[largest[0]])
			kind := o.Conn.Orig.Addr().String() + o.Conn.Resp.String() + o.Conn.Service + o.Conn.State.String()
			require.False(t, kinds[kind], "one of each kind")
			kinds[kind] = true
		}
		if usual[i] {
			require.Zero(t, three[0].Difference, "itself")
		}
	}
}

// What makes an ordinary connection strange is what has to be changed back.
func TestSmallestChangeFindsWhatWasChanged(t *testing.T) {
	m := goldenModel(t)
	rows, windows, usual := observed(m)
	changes := map[string]func(*conn.Conn, *feature.Window){
		"orig_bytes": func(c *conn.Conn, _ *feature.Window) { c.OrigBytes, c.Set = 1<<60, c.Set|conn.OrigBytes },
		"duration":   func(c *conn.Conn, _ *feature.Window) { c.Duration, c.Set = 1<<50, c.Set|conn.Duration },
		"conn_state": func(c *conn.Conn, _ *feature.Window) { c.State = conn.SHR },
	}
	found := map[string]int{}
	for i := range rows {
		if !usual[i] {
			continue
		}
		for name, change := range changes {
			c, w := rows[i], windows[i]
			change(&c, &w)
			if m.Rank(inWindow(m, &c, w).Path) >= ordinary {
				continue // still ordinary
			}
			s := m.NewSimilar(&c, w, 1, ordinary)
			s.Offer(&rows[i], windows[i])
			got, ok := m.SmallestChange(&c, w, s.Others(), ordinary)
			require.True(t, ok)
			require.Len(t, got.Fields, 1)
			require.Equal(t, name, got.Fields[0].Name)
			require.NotEqual(t, got.Fields[0].From, got.Fields[0].To)
			require.GreaterOrEqual(t, m.Rank(got.Score.Path), ordinary)
			found[name]++
		}
	}
	require.Len(t, found, len(changes), "each of them alone makes some row strange")
}

// Every strange row has a change, and of any others the smallest is chosen.
func TestSmallestChange(t *testing.T) {
	m := goldenModel(t)
	rows, windows, usual := observed(m)
	tried := 0
	for i := range rows {
		if usual[i] && i%50 != 0 || !usual[i] && i%10 != 0 {
			continue
		}
		s := m.NewSimilar(&rows[i], windows[i], 3, ordinary)
		for j := range rows {
			s.Offer(&rows[j], windows[j])
		}
		got, ok := m.SmallestChange(&rows[i], windows[i], s.Others(), ordinary)
		require.True(t, ok)
		require.GreaterOrEqual(t, m.Rank(got.Score.Path), ordinary)
		require.Equal(t, usual[i], len(got.Fields) == 0, "row %d", i)
		for j := range s.Others() {
			one, ok := m.SmallestChange(&rows[i], windows[i], s.Others()[j:j+1], ordinary)
			require.True(t, ok)
			require.LessOrEqual(t, len(got.Fields), len(one.Fields))
		}
		tried++
	}
	require.Greater(t, tried, 10)
	_, ok := m.SmallestChange(&rows[0], windows[0], nil, ordinary)
	require.False(t, ok)
}
