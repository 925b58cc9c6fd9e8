//go:build cgo

package main

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// What two workers counted crosses the border to an owner, and its totals cross it
// back, within the memory that the host gives.
func TestEvidenceOverTheBorder(t *testing.T) {
	before := the
	t.Cleanup(func() { the = before })
	owner, workers := sensor.New(100), []*sensor.Sensor{sensor.New(100), sensor.New(100)}
	message := make([]byte, 200)
	number := func(f any, place int, n uint64) reflect.Value {
		return reflect.ValueOf(n).Convert(reflect.TypeOf(f).In(place))
	}
	pointer := func(f any, place int, to unsafe.Pointer) reflect.Value {
		return reflect.NewAt(reflect.TypeOf(f).In(place).Elem(), to)
	}
	give := func(f any, data []byte, before ...reflect.Value) int32 {
		in := reflect.New(textType)
		*(*text)(in.UnsafePointer()) = textFor(data)
		return call(f, append(append(before, in.Elem()), buffer(f, len(before)+1, message)...)...)
	}
	take := func(f any, size int, before ...reflect.Value) []byte {
		data := make([]byte, size+1)
		data[size] = 0xa5
		var length uint64
		at := len(before)
		status := call(f, append(before, pointer(f, at, unsafe.Pointer(&data[0])), number(f, at+1, uint64(size)), pointer(f, at+2, unsafe.Pointer(&length)))...)
		require.EqualValues(t, sensor.OK, status)
		require.Equal(t, byte(0xa5), data[size], "written behind the buffer")
		return data[:length]
	}
	counts := func(size int) []byte {
		return take(iforest_take_counts, size, number(iforest_take_counts, 0, uint64(feature.AllShards)))
	}

	conns := office(400, 3)
	for i, w := range workers {
		the = w
		the.Sample(sensor.Sampling{OneIn: 1})
		require.Empty(t, counts(feature.MaxEvidence), "nothing was noted")
		for j := range conns {
			r := recordOfConn(&conns[j])
			_, _ = the.Score(&r) // there is no model
		}
		require.Empty(t, counts(10), "no room")
		data := counts(feature.MaxEvidence)
		require.NotEmpty(t, data)
		the = owner
		require.EqualValues(t, sensor.OK, give(iforest_add_counts, data, number(iforest_add_counts, 0, uint64(i))), "%s", message)
		clear(data)
	}
	require.Empty(t, take(iforest_take_totals, 10))
	totals := take(iforest_take_totals, feature.MaxEvidence)
	require.NotEmpty(t, totals)
	the = workers[0]
	require.EqualValues(t, sensor.OK, give(iforest_add_totals, totals), "%s", message)
	for _, damaged := range [][]byte{nil, totals[:len(totals)-1], make([]byte, feature.MaxEvidence+1)} {
		require.EqualValues(t, sensor.BadRecord, give(iforest_add_totals, damaged))
		require.Contains(t, string(message), "evidence")
	}
}
