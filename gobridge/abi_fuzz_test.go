//go:build cgo

package main

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
)

// cgo is not for test files: the header's structs come from the signatures of
// the exports that take them.
var (
	connType   = reflect.TypeOf(iforest_score).In(0).Elem()
	resultType = reflect.TypeOf(iforest_score).In(1).Elem()
	valueType  = reflect.TypeOf(iforest_score_values).In(0).Elem()
	textType   = reflect.TypeOf(iforest_load_bytes).In(0)
)

func call(f any, args ...reflect.Value) int32 {
	return int32(reflect.ValueOf(f).Call(args)[0].Int())
}

// buffer is a host's buffer with a guard byte behind it, as two arguments.
func buffer(f any, place int, b []byte) []reflect.Value {
	in := reflect.TypeOf(f).In
	return []reflect.Value{
		reflect.NewAt(in(place).Elem(), unsafe.Pointer(unsafe.SliceData(b))),
		reflect.ValueOf(uint64(max(len(b)-1, 0))).Convert(in(place + 1)),
	}
}

// at is the field of a struct whose address p holds: reflect does not set fields
// with names in lower case.
func at[T any](p reflect.Value, field string) *T {
	f, _ := p.Type().Elem().FieldByName(field)
	return (*T)(unsafe.Add(p.UnsafePointer(), f.Offset))
}

// text is the layout of iforest_text.
type text struct {
	data *byte
	len  uint64
}

func textFor(b []byte) text { return text{unsafe.SliceData(b), uint64(len(b))} }

// FuzzABI hands structs of any bytes over the border. A call gives a status of
// the header, a result in range, and a message that ends within its buffer.
func FuzzABI(f *testing.F) {
	good, err := os.ReadFile(filepath.Join("..", "testdata", "vectors", "vectors.model"))
	require.NoError(f, err)
	before := the
	f.Cleanup(func() { the, fields = before, nil })
	use(sensor.New(20)) // as iforest_start does, which also sets the runtime up
	the.GiveReasons(true)
	require.NoError(f, the.LoadBytes(good))

	plain := reflect.New(connType)
	*at[float64](plain, "ts") = 1.7e9
	for _, set := range []uint32{0, 0x7f, math.MaxUint32} {
		*at[uint32](plain, "set"), *at[byte](plain, "proto") = set, byte(set&3)
		f.Add(bytesAt(plain), []byte("ssl,http"), []byte("SF"), uint8(200), []byte{})
	}
	f.Add([]byte{}, []byte{}, []byte("S0"), uint8(1), good)
	f.Add([]byte{}, []byte{}, []byte{}, uint8(0), good[:len(good)/2])

	f.Fuzz(func(t *testing.T, record, service, state []byte, size uint8, model []byte) {
		message := make([]byte, int(size)+1)
		message[size] = 0xa5
		ended := func() {
			t.Helper()
			require.Equal(t, byte(0xa5), message[size], "written behind the buffer")
			if size > 0 {
				require.Contains(t, message[:size], byte(0), "the message does not end")
			}
		}
		load := func(data []byte) int32 {
			in := reflect.New(textType)
			*(*text)(in.UnsafePointer()) = textFor(data)
			return call(iforest_load_bytes, append([]reflect.Value{in.Elem()}, buffer(iforest_load_bytes, 1, message)...)...)
		}
		if load(model) == int32(sensor.OK) {
			defer load(good)
		} else {
			ended()
		}

		c, result := reflect.New(connType), reflect.New(resultType)
		copy(bytesAt(c), record)
		*at[text](c, "service"), *at[text](c, "conn_state") = textFor(service), textFor(state)
		*at[text](c, "context") = textFor(state)
		switch status := call(iforest_score, append([]reflect.Value{c, result}, buffer(iforest_score, 2, message)...)...); status {
		case int32(sensor.OK):
			score := result.Elem().FieldByName("score").Float()
			require.True(t, score > 0 && score < 1, "score %v", score)
			require.GreaterOrEqual(t, result.Elem().FieldByName("rank").Float(), 1.0)
			require.Contains(t, unsafe.Slice(at[byte](result, "reason"), 512), byte(0), "the reason does not end")
		case int32(sensor.BadRecord):
			ended()
			require.Zero(t, result.Elem().FieldByName("score").Float())
		default:
			t.Fatalf("status %d: %s", status, message)
		}
		// The same bytes as values: whatever stands in them, too few or too many.
		given := reflect.New(reflect.ArrayOf(sensor.MaxFields, valueType))
		copy(bytesAt(given), record)
		list, stride := given.UnsafePointer(), valueType.Size()
		for i, f := range fields {
			if f.Type == sensor.String || f.Type == sensor.Context {
				*(*text)(unsafe.Add(list, uintptr(i)*stride)) = textFor(service)
			}
		}
		n := uint64(len(fields))
		if len(record) > 0 && record[0] == 0xff {
			n = uint64(len(record))
		}
		result = reflect.New(resultType)
		status := call(iforest_score_values, append([]reflect.Value{
			reflect.NewAt(valueType, list), reflect.ValueOf(n).Convert(reflect.TypeOf(iforest_score_values).In(1)), result,
		}, buffer(iforest_score_values, 3, message)...)...)
		require.Contains(t, []int32{int32(sensor.OK), int32(sensor.BadRecord)}, status, "%s", message)
		if status == int32(sensor.BadRecord) {
			ended()
		}

		info := reflect.New(reflect.TypeOf(iforest_model).In(0).Elem())
		require.EqualValues(t, sensor.OK, call(iforest_model, info))
		counts := reflect.New(reflect.TypeOf(iforest_statistics).In(0).Elem())
		require.EqualValues(t, sensor.OK, call(iforest_statistics, counts))
	})
}

// bytesAt is the memory of a struct.
func bytesAt(p reflect.Value) []byte {
	return unsafe.Slice((*byte)(p.UnsafePointer()), int(p.Elem().Type().Size()))
}
