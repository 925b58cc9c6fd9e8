//go:build cgo

package main

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
)

// Vectors come over the border as pointers to their elements; beyond the most
// that are looked at the host may give more, or none at all.
func TestVectorsOverTheBorder(t *testing.T) {
	before := the
	defer func() { the, fields = before, nil }()
	open := func(log string) {
		s, err := sensor.Open(log, 10)
		require.NoError(t, err)
		use(s)
	}
	open("dns")
	give := func(field string, elements unsafe.Pointer, n uint64) (got sensor.Value) {
		given := reflect.New(valueType)
		*(*unsafe.Pointer)(given.UnsafePointer()) = elements
		*(*uint64)(unsafe.Add(given.UnsafePointer(), 8)) = n
		*at[uint8](given, "set") = 1
		for i, f := range fields {
			if f.Name == field {
				readValue(&got, given, i)
			}
		}
		return got
	}
	list := make([]text, 150)
	reals := make([]float64, 150)
	for i := range list {
		list[i], reals[i] = textFor([]byte{'a', byte(i)}), float64(i)
	}
	list[1] = text{} // a null pointer is "" if its length is 0
	got := give("answers", unsafe.Pointer(unsafe.SliceData(list)), 150)
	require.Len(t, got.Texts, sensor.MaxElements)
	require.Equal(t, []string{"a\x00", "", "a\x02"}, got.Texts[:3])
	require.Empty(t, give("answers", nil, 3).Texts)
	require.Empty(t, give("answers", nil, 0).Texts)
	require.Equal(t, reals[:sensor.MaxElements], give("TTLs", unsafe.Pointer(unsafe.SliceData(reals)), 150).Reals)
	require.Empty(t, give("TTLs", nil, 3).Reals)

	open("http") // which has two vectors of strings
	sent := give("orig_mime_types", unsafe.Pointer(&list[0]), 1)
	require.Equal(t, []string{"a\x02"}, give("resp_mime_types", unsafe.Pointer(&list[2]), 1).Texts)
	require.Equal(t, []string{"a\x00"}, sent.Texts)
}

// readValue is valueOf with the struct by reflection: cgo is not for test files.
func readValue(to *sensor.Value, v reflect.Value, i int) {
	reflect.ValueOf(valueOf).Call([]reflect.Value{reflect.ValueOf(to), v, reflect.ValueOf(i)})
}
