//go:build cgo

package main

import (
	"bytes"
	"reflect"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/learn"
)

// Samples, models and what is wrong with them cross the border: a worker's
// samples teach a manager, whose model the worker takes.
func TestClusterOverTheBorder(t *testing.T) {
	before := the
	t.Cleanup(func() { the = before })
	worker, manager := sensor.New(100), sensor.New(100)
	message := make([]byte, 200)

	asText := func(data []byte) reflect.Value {
		in := reflect.New(textType)
		*(*text)(in.UnsafePointer()) = textFor(data)
		return in.Elem()
	}
	pointer := func(f any, place int, to unsafe.Pointer) reflect.Value {
		return reflect.NewAt(reflect.TypeOf(f).In(place).Elem(), to)
	}
	number := func(f any, place int, n uint64) reflect.Value {
		return reflect.ValueOf(n).Convert(reflect.TypeOf(f).In(place))
	}
	ok := func(status int32) {
		t.Helper()
		require.EqualValues(t, sensor.OK, status, "%s", message)
	}
	take := func() (batch []byte, rows uint64) {
		f := iforest_take_samples
		batch = make([]byte, 32768+1)
		batch[32768] = 0xa5
		var length uint64
		ok(call(f, pointer(f, 0, unsafe.Pointer(&batch[0])), pointer(f, 1, unsafe.Pointer(&length)), pointer(f, 2, unsafe.Pointer(&rows))))
		require.Equal(t, byte(0xa5), batch[32768], "written behind the buffer")
		return batch[:length], rows
	}
	observe := func(batch []byte) (status int32, news uint8) {
		f := iforest_observe
		status = call(f, append([]reflect.Value{asText(batch), pointer(f, 1, unsafe.Pointer(&news))}, buffer(f, 2, message)...)...)
		return status, news
	}

	the = manager
	ok(int32(sensor.StatusOf(the.Learn(sensor.Learning{Seed: 1, Warmup: 300}))))
	the = worker
	batch, rows := take()
	require.Empty(t, batch)
	require.Zero(t, rows)
	f := iforest_sample
	ok(call(f, append([]reflect.Value{number(f, 0, 1), number(f, 1, 0), asText(nil)}, buffer(f, 3, message)...)...))

	promoted := false
	conns := office(1500, 3)
	for i := range conns {
		the = worker
		r := recordOfConn(&conns[i])
		_, _ = the.Score(&r) // there is no model yet
		if the.News() == 0 {
			continue
		}
		require.Equal(t, sensor.Samples, the.Event().Kind)
		batch, rows = take()
		require.EqualValues(t, learn.BatchRows, rows)
		the = manager
		status, news := observe(batch)
		ok(status)
		for news != 0 && the.News() > 0 {
			promoted = promoted || the.Event().Kind == sensor.Promoted
		}
	}
	require.True(t, promoted)
	the = manager
	for _, damaged := range [][]byte{nil, batch[:9], batch[:len(batch)-1], bytes.Repeat(batch, 9)} {
		status, _ := observe(damaged)
		require.EqualValues(t, sensor.BadRecord, status)
		require.Contains(t, string(message), "batch")
	}

	f2 := iforest_model_file
	var length uint64
	ok(call(f2, pointer(f2, 0, nil), number(f2, 1, 0), pointer(f2, 2, unsafe.Pointer(&length))))
	require.EqualValues(t, len(the.ModelFile()), length)
	file := make([]byte, length)
	ok(call(f2, pointer(f2, 0, unsafe.Pointer(&file[0])), number(f2, 1, length-1), pointer(f2, 2, unsafe.Pointer(&length))))
	require.Equal(t, make([]byte, length), file, "it does not fit")
	ok(call(f2, pointer(f2, 0, unsafe.Pointer(&file[0])), number(f2, 1, length), pointer(f2, 2, unsafe.Pointer(&length))))
	require.Equal(t, the.ModelFile(), file)
	name := []byte(the.Model().Fingerprint())

	the = worker
	require.EqualValues(t, sensor.NoModel, call(f2, pointer(f2, 0, nil), number(f2, 1, 0), pointer(f2, 2, unsafe.Pointer(&length))))
	adopt := func(file, name []byte) int32 {
		return call(iforest_adopt, append([]reflect.Value{asText(file), asText(name)}, buffer(iforest_adopt, 2, message)...)...)
	}
	require.EqualValues(t, sensor.BadModel, adopt(file, []byte("0123456789ab")))
	require.EqualValues(t, sensor.BadModel, adopt(file[:100], name))
	ok(adopt(file, name))
	require.Equal(t, string(name), the.Model().Fingerprint())
	clear(file) // nothing of the host's memory was kept
	r := recordOfConn(&conns[0])
	_, err := the.Score(&r)
	require.NoError(t, err)
}

// recordOfConn is a connection as Zeek would hold it.
func recordOfConn(c *conn.Conn) sensor.Record {
	return sensor.Record{
		TS: c.TS.Seconds(), Duration: c.Duration.Seconds(),
		OrigBytes: c.OrigBytes, RespBytes: c.RespBytes, OrigPkts: c.OrigPkts, RespPkts: c.RespPkts,
		OrigIPBytes: c.OrigIPBytes, RespIPBytes: c.RespIPBytes,
		Service: c.Service, State: c.State.String(),
		OrigHost: c.Orig.Addr().As16(), RespHost: c.Resp.Addr().As16(), OrigPort: c.Orig.Port(), RespPort: c.Resp.Port(),
		Proto: uint8(c.Proto), Set: c.Set,
	}
}
