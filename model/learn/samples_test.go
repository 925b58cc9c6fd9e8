package learn

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/dnslog"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// sampleOf is a sample of the set none of whose parts is zero.
func sampleOf(set *feature.Set, n int) (s feature.Sample) {
	for i := range set.N() {
		s.Vector[i] = float32(100*n + i + 1)
	}
	for i := range set.Codes {
		s.Codes[i] = uint64(200*n + i + 1)
	}
	s.Silent, s.Absent = uint8(n+1), uint32(n+3)
	if set.Text {
		s.Text[0], s.Text[1] = 1, byte(n+1)
	}
	return s
}

func TestSamplesComeBackAsTheyWere(t *testing.T) {
	for _, set := range []*feature.Set{feature.Conn, dnslog.Set} {
		list := newSamples(set, 3)
		for i := range 3 {
			row := sampleOf(set, i)
			list.put(i, &row)
			require.Equal(t, i+1, list.n)
		}
		other := newSamples(set, 4)
		other.copy(1, list, 0, 3)
		require.Equal(t, 4, other.n)
		require.Equal(t, feature.Sample{}, other.at(0))
		first := list.first(2)
		require.Equal(t, 2, first.n)
		for i := range 3 {
			require.Equal(t, sampleOf(set, i), list.at(i), "%s.log", set.Log)
			require.Equal(t, sampleOf(set, i), other.at(i+1), "%s.log", set.Log)
		}
	}
}

// What a site's learner keeps must fit beside a sensor (docs/benchmarks.md).
func TestSampleOfConnIsSmall(t *testing.T) {
	const rows = 1000
	bytes := 0
	s := reflect.ValueOf(*newSamples(feature.Conn, rows))
	for i := range s.NumField() {
		if f := s.Field(i); f.Kind() == reflect.Slice {
			bytes += f.Cap() * int(f.Type().Elem().Size())
		}
	}
	require.Equal(t, 121, bytes/rows)
}
