package sensor

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/seed"
)

func TestSeedScoresWhereThereIsNoModelYet(t *testing.T) {
	m, err := seed.Model()
	require.NoError(t, err)
	rs := records(3000)
	own := trained(t, rs, 1)
	for _, test := range []struct {
		name  string
		begin func(*Sensor)
		want  Status
	}{
		{"learning", func(s *Sensor) { require.NoError(t, s.Learn(Learning{Seed: 1})) }, OK},
		{"sampling", func(s *Sensor) { s.Sample(Sampling{OneIn: 1}) }, OK},
		{"not asked for", func(s *Sensor) { s.Sample(Sampling{OneIn: 1}); s.UseSeed(false) }, NoModel},
		{"neither", func(*Sensor) {}, NoModel},
		{"learning that ended early", func(s *Sensor) {
			require.NoError(t, s.Learn(Learning{Seed: 1}))
			require.NoError(t, s.EndLearning())
		}, NoModel},
		{"a model that was given", func(s *Sensor) { require.NoError(t, s.LoadFile(file(t, own))) }, OK},
	} {
		s := New(model.DefaultHosts)
		s.SetAlerts(1e6) // as many as there are
		s.UseSeed(true)
		require.Nil(t, s.InUse(), "%s: before the first connection", test.name)
		test.begin(s)
		r, err := s.Score(&rs[0])
		require.Equal(t, test.want, StatusOf(err), test.name)
		bySeed := test.want == OK && s.Model() == nil
		require.Equal(t, bySeed, s.InUse() == m, test.name)
		if bySeed {
			require.Equal(t, m.ScoreRow(s.stream.Row()).Value, r.Score, test.name)
			require.NotEmpty(t, s.Reason(), test.name)
			require.Equal(t, uint64(1), s.Statistics().Seed, test.name)
		}
	}
}

// The seed's scores are no part of what a sensor learns and of what its own
// model finds; for some time they have a say in what is worth an alert.
func TestSeedChangesNothingThatFollows(t *testing.T) {
	rs := records(6000)
	var files [2][]byte
	var told [2][]Event
	var later [2][]Result
	for i, use := range []bool{false, true} {
		s := New(model.DefaultHosts)
		s.SetAlerts(200)
		s.UseSeed(use)
		require.NoError(t, s.Learn(Learning{Seed: 4}))
		for n := range rs {
			own := s.Model() != nil
			r, _ := s.Score(&rs[n])
			if own {
				if r.Unusual {
					s.Raise()
				}
				r.Unusual = false
				later[i] = append(later[i], r)
			} else {
				require.False(t, r.Unusual)
				require.Equal(t, use, r.Score > 0)
			}
			for s.News() > 0 {
				if e := s.Event(); e.Kind != Incident {
					told[i] = append(told[i], e)
				}
			}
		}
		files[i] = s.ModelFile()
	}
	require.Equal(t, files[0], files[1])
	require.Equal(t, told[0], told[1])
	require.Equal(t, later[0], later[1])
}

// On a manager, which scores nothing, the seed is never the model in use.
func TestSeedIsNotWhatAManagerSends(t *testing.T) {
	c := newCluster(t, Learning{Seed: 1}, 1)
	c.manager.UseSeed(true)
	c.workers[0].UseSeed(true)
	rs := records(300)
	for i := range rs {
		_, err := c.workers[0].Score(&rs[i])
		require.NoError(t, err)
	}
	c.send(t, c.workers[0])
	require.Nil(t, c.manager.InUse())
	require.Nil(t, c.manager.ModelFile())
	require.NotNil(t, c.workers[0].InUse())

	own := trained(t, rs, 1)
	require.NoError(t, c.workers[0].Adopt(own.Bytes(), own.Fingerprint()))
	require.Equal(t, own.Fingerprint(), c.workers[0].InUse().Fingerprint())
}

func TestScoringBySeedDoesNotAllocate(t *testing.T) {
	rs := records(2000)
	s := New(model.DefaultHosts)
	s.Sample(Sampling{OneIn: 1})
	s.UseSeed(true)
	i := 0
	score := func() {
		if _, err := s.Score(&rs[i%len(rs)]); err != nil {
			panic(err)
		}
		for s.News() > 0 {
			s.Event()
			s.TakeSamples()
		}
		i++
	}
	for range 1000 {
		score()
	}
	require.Zero(t, testing.AllocsPerRun(1000, score))
}
