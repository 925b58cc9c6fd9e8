package learn

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// ordinary is the i-th row of a monotonous network, begun at a time.
func ordinary(i int, begun conn.Micros) conn.Conn {
	c := from(byte(i%50), begun+conn.Micros(i)*1e6)
	c.OrigIPBytes, c.RespIPBytes = 40<<(i%7), 40<<(i%11)
	c.OrigPkts, c.RespPkts = 1+uint64(i%7), 1+uint64(i%11)
	return c
}

// feed lets the learner see n ordinary rows and returns what it did.
func feed(t *testing.T, l *Learner, n int, begun conn.Micros) (promoted []*model.Model, refused []*Refused) {
	t.Helper()
	hosts := feature.NewHosts(100)
	for i := range n {
		c := ordinary(i, begun)
		w := hosts.Observe(&c)
		var s model.Score
		if m := l.Model(); m != nil {
			s = m.ScoreRow(rowOf(&c, w))
		}
		l.Observe(rowOf(&c, w), s)
		m, err := l.Step()
		if m != nil {
			require.Same(t, m, l.Model())
			promoted = append(promoted, m)
		}
		var r *Refused
		if errors.As(err, &r) {
			refused = append(refused, r)
		} else {
			require.NoError(t, err)
		}
	}
	return promoted, refused
}

func TestSchedule(t *testing.T) {
	l := NewLearner(Options{Warmup: 500, RebuildEvery: 2000, Trees: 20})
	promoted, refused := feed(t, l, 499, 0)
	require.Empty(t, promoted)
	require.Empty(t, refused)
	promoted, _ = feed(t, l, 200, 499e6)
	require.Len(t, promoted, 1)
	require.Equal(t, uint64(501), promoted[0].Summary().Rows, "frozen a step after it was due")
	promoted, refused = feed(t, l, 7000, 699e6)
	require.Empty(t, refused)
	var rows []uint64
	for i, m := range promoted {
		rows = append(rows, m.Summary().Rows/100)
		require.Equal(t, i+1, m.Summary().Build)
	}
	require.Equal(t, []uint64{10, 20, 40, 60}, rows, "after 1,000 doubled, then each 2,000")
	require.Equal(t, 5, l.Stats().Promoted)
}

// A model for which the alerts of the old one are ordinary is refused, but not
// for ever.
func TestAlertsStayAlerts(t *testing.T) {
	l := NewLearner(Options{Warmup: 500, RebuildEvery: 1000, Trees: 20})
	promoted, _ := feed(t, l, 900, 0)
	require.Len(t, promoted, 1)
	before := l.Model()
	for i := range 77 { // as if these had been alerts
		c := ordinary(i, 0)
		l.alerts.add(rowOf(&c, feature.Window{Connections: 5, Responders: 1, Ports: 1}))
	}
	promoted, refused := feed(t, l, 3000, 900e6)
	require.Empty(t, promoted)
	require.GreaterOrEqual(t, len(refused), 2)
	require.ErrorContains(t, refused[0], "kinds of alert")
	require.Same(t, before, l.Model())
	require.Equal(t, len(refused), l.Stats().Refused)

	promoted, _ = feed(t, l, 3000, 8*day)
	require.NotEmpty(t, promoted, "after a week it is what is normal here")
}

func TestRollback(t *testing.T) {
	l := NewLearner(Options{Warmup: 500, RebuildEvery: 1000, Trees: 20})
	_, err := l.Rollback()
	require.ErrorIs(t, err, ErrNoPrevious)
	promoted, _ := feed(t, l, 1900, 0)
	require.Len(t, promoted, 2)
	m, err := l.Rollback()
	require.NoError(t, err)
	require.Same(t, promoted[0], m)
	require.Same(t, promoted[0], l.Model())
	_, err = l.Rollback()
	require.ErrorIs(t, err, ErrNoPrevious)
	again, _ := feed(t, l, 900, 1900e6)
	require.Empty(t, again, "not before a rebuild is due")
	again, _ = feed(t, l, 1000, 2800e6)
	require.Len(t, again, 1)
}
