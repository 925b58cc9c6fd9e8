package learn_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
	"github.com/zeek-iforest/zeek-iforest/model/forest"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

func TestParseFeatures(t *testing.T) {
	for list, want := range map[string]uint32{"": 0, "duration": 1, "orig_bytes,failed share": 1<<1 | 1<<13, "failures, duration": 1<<16 | 1} {
		set, err := learn.ParseFeatures(feature.Conn, list)
		require.NoError(t, err)
		require.Equal(t, want, set)
		again, err := learn.ParseFeatures(feature.Conn, learn.FeatureNames(feature.Conn, set))
		require.NoError(t, err)
		require.Equal(t, set, again)
	}
	_, err := learn.ParseFeatures(feature.Conn, "orig_bytes,beacon")
	require.EqualError(t, err, `there is no feature "beacon"; zeek-iforest info lists them`)
	_, err = learn.ParseFeatures(feature.Conn, learn.FeatureNames(feature.Conn, 1<<feature.Conn.N()-1))
	require.EqualError(t, err, "no feature is left")
}

// Trees do not split by what they shall do without, and by everything else.
func TestFitWithoutFeatures(t *testing.T) {
	without, err := learn.ParseFeatures(feature.Conn, "orig_bytes,service,failures")
	require.NoError(t, err)
	m, _, err := learn.Fit(office(1, 20000), learn.Options{Seed: 3, Without: without})
	require.NoError(t, err)
	var split uint32
	for _, f := range m.Forest().Plain().Feature {
		if f != forest.External {
			split |= 1 << f
		}
	}
	missed, err := learn.ParseFeatures(feature.Conn, "missed_bytes") // always 0 in this office
	require.NoError(t, err)
	require.Equal(t, uint32(1<<feature.Conn.N()-1)&^without&^missed, split)

	_, _, err = learn.Fit(office(1, 100), learn.Options{Without: 1 << feature.Conn.N()})
	require.ErrorContains(t, err, "of which there are 21")
}
