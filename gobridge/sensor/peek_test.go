package sensor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

// A sensor that looks at connections while they go on scores, learns and counts
// what one does that looks at none, and says of each what its end would say.
func TestPeekLeavesNothingBehind(t *testing.T) {
	rs := records(3000)
	looking, plain := New(model.DefaultHosts), New(model.DefaultHosts)
	for _, s := range []*Sensor{looking, plain} {
		require.NoError(t, s.Learn(Learning{Seed: 1, Warmup: 1000, RebuildEvery: 1000}))
		s.SetAlerts(20)
	}
	_, err := looking.Peek(&rs[0])
	require.ErrorIs(t, err, errNoModel)
	looks := 0
	for i := range rs {
		peeked, err := looking.Peek(&rs[i])
		if err == nil {
			looks++
		}
		ended, endErr := looking.Score(&rs[i])
		want, wantErr := plain.Score(&rs[i])
		require.Equal(t, wantErr, endErr)
		require.Equal(t, want, ended)
		if err == nil {
			peeked.Unusual = ended.Unusual // a matter of the alerts before
			require.Equal(t, ended, peeked, "row %d", i)
		}
	}
	require.Greater(t, looks, 1000)
	got := looking.Statistics()
	require.EqualValues(t, looks, got.Looks)
	got.Looks = 0
	require.Equal(t, plain.Statistics(), got)
}

func TestPeekRefuses(t *testing.T) {
	s, err := Open("ssl", 1)
	require.NoError(t, err)
	_, err = s.Peek(&Record{})
	require.ErrorContains(t, err, "a connection is given to the sensor of ssl.log")

	s = New(1)
	rs := records(500)
	require.NoError(t, s.LoadFile(file(t, trained(t, rs, 1))))
	rs[0].State = "??"
	_, err = s.Peek(&rs[0])
	require.Equal(t, BadRecord, StatusOf(err))
	require.Zero(t, s.Statistics().Calls[BadRecord], "it is counted when it ends")
}

// A long connection is told once, at a look, and not again at the next or when
// it ends.
func TestLongConnectionIsToldOnce(t *testing.T) {
	rs := records(2500)
	s := New(model.DefaultHosts)
	require.NoError(t, s.LoadFile(file(t, trained(t, rs[:500], 1))))
	s.SetAlerts(20)
	for i := range rs {
		_, err := s.Score(&rs[i])
		require.NoError(t, err)
	}
	tunnel := rs[0]
	tunnel.TS, tunnel.State, tunnel.RespPort, tunnel.Service, tunnel.OrigBytes = rs[len(rs)-1].TS-7200, "S1", 4444, "", 1e9
	tunnel.OrigIPBytes, tunnel.Duration = 2e9, 7200
	r, err := s.Peek(&tunnel)
	require.NoError(t, err)
	require.Greater(t, r.Score, 0.6)
	require.True(t, r.Unusual)
	require.NotEmpty(t, s.Reason())
	require.Equal(t, alerts.Raise, s.Raise())

	tunnel.Duration += 3600
	r, err = s.Peek(&tunnel)
	require.NoError(t, err)
	require.False(t, r.Unusual)

	tunnel.State = "SF"
	r, err = s.Score(&tunnel)
	require.NoError(t, err)
	if r.Unusual {
		require.Equal(t, alerts.Folded, s.Raise())
	}
	require.EqualValues(t, 1, s.Statistics().Raised)
}

func TestPeekDoesNotAllocate(t *testing.T) {
	rs := records(2000)
	s := New(model.DefaultHosts)
	s.SetAlerts(20)
	require.NoError(t, s.LoadFile(file(t, trained(t, rs, 1))))
	for i := range rs {
		_, err := s.Score(&rs[i])
		require.NoError(t, err)
	}
	i := 0
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if r, err := s.Peek(&rs[i%len(rs)]); err != nil {
			t.Fatal(err)
		} else if r.Unusual {
			s.Raise()
		}
		i++
	}))
}
