package sensor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// dnsValues is the i-th of some queries, as values of dnsFields.
func dnsValues(i int) []Value {
	v := make([]Value, len(dnsFields))
	v[0] = Value{Set: true, Real: 1.7e9 + float64(i)}
	v[1] = Value{Set: true, Address: [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: byte(i % 20)}}
	v[2], v[4] = Value{Set: true, Number: 4000}, Value{Set: true, Number: 53}
	v[3] = Value{Set: true, Address: [16]byte{10: 0xff, 11: 0xff, 12: 10, 15: 53}}
	v[5], v[7], v[8] = Value{Set: true, Real: 0.01}, Value{Set: true, Number: uint64(1 + i%2*27)}, Value{Set: true}
	v[6] = Value{Set: true, Text: fmt.Sprintf("host%d.example%d.co.uk", i%7, i%5)}
	v[9], v[10] = Value{Set: true, Texts: []string{"192.0.2.1"}}, Value{Set: true, Reals: []float64{60}}
	return v
}

// A sensor of dns.log learns by itself, keeps what it learnt and remembered, and
// has nothing of the seed's, which is conn.log's.
func TestSensorOfDNSLearns(t *testing.T) {
	dir := t.TempDir()
	open := func() *Sensor {
		s, err := Open("dns", 100)
		require.NoError(t, err)
		s.UseSeed(true)
		err = s.Learn(Learning{Dir: dir, Seed: 3, Warmup: 300, RebuildEvery: 500})
		require.NoError(t, err)
		return s
	}
	s := open()
	_, err := s.ScoreValues(dnsValues(0))
	require.Equal(t, NoModel, StatusOf(err), "%v", err)
	for i := 1; i < 900; i++ {
		_, _ = s.ScoreValues(dnsValues(i))
	}
	require.NotNil(t, s.Model())
	require.NoError(t, s.Finish())
	want := s.Model().Fingerprint()

	again := open()
	_, err = again.ScoreValues(dnsValues(900))
	require.NoError(t, err)
	require.Equal(t, want, again.Model().Fingerprint())
	var a, b feature.Row
	require.NoError(t, s.kind.Read(dnsValues(901)))
	s.kind.Observe()
	s.kind.Encode(&a)
	require.NoError(t, again.kind.Read(dnsValues(901)))
	again.kind.Observe()
	again.kind.Encode(&b)
	require.Equal(t, a.Codes, b.Codes)
	what, _ := again.kind.Novel(again.Model().Encoder(), &b)
	require.Empty(t, what)
	v := dnsValues(902)
	v[7].Number = 255
	_, err = again.ScoreValues(v)
	require.NoError(t, err)
	what, name := again.kind.Novel(again.Model().Encoder(), again.stream.Row())
	require.Equal(t, "a query type ANY", what+" "+name)
	require.NotEmpty(t, again.Reason())
}
