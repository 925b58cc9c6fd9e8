package sensor

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// valuesOf is a record as values of the fields of conn.log.
func valuesOf(r *Record) []Value {
	by := map[string]Value{
		"ts": {Set: true, Real: r.TS}, "proto": {Set: true, Number: uint64(r.Proto)},
		"id.orig_h": {Set: true, Address: r.OrigHost}, "id.orig_p": {Set: true, Number: uint64(r.OrigPort)},
		"id.resp_h": {Set: true, Address: r.RespHost}, "id.resp_p": {Set: true, Number: uint64(r.RespPort)},
		"service": {Set: r.Set&conn.Service != 0, Text: r.Service}, "conn_state": {Set: r.State != "", Text: r.State},
		"duration":   {Set: r.Set&conn.Duration != 0, Real: r.Duration},
		"orig_bytes": {Set: r.Set&conn.OrigBytes != 0, Number: r.OrigBytes}, "resp_bytes": {Set: r.Set&conn.RespBytes != 0, Number: r.RespBytes},
		"local_orig":   {Set: r.Set&conn.LocalOrig != 0, Number: map[bool]uint64{true: 1}[r.LocalOrig]},
		"local_resp":   {Set: r.Set&conn.LocalResp != 0, Number: map[bool]uint64{true: 1}[r.LocalResp]},
		"missed_bytes": {Set: true, Number: r.MissedBytes}, "orig_pkts": {Set: true, Number: r.OrigPkts}, "resp_pkts": {Set: true, Number: r.RespPkts},
		"orig_ip_bytes": {Set: true, Number: r.OrigIPBytes}, "resp_ip_bytes": {Set: true, Number: r.RespIPBytes},
		"ip_proto": {Set: r.Set&conn.IPProto != 0, Number: uint64(r.IPProto)},
		"id.ctx":   {Set: r.Context != "", Text: r.Context},
	}
	var values []Value
	for _, f := range connFields {
		values = append(values, by[f.Name])
	}
	return values
}

// Values of the fields that the sensor lists are the record.
func TestValuesAreTheRecord(t *testing.T) {
	rs := append(records(3000), full())
	path := file(t, trained(t, rs, 1))
	a, b := New(model.DefaultHosts), New(model.DefaultHosts)
	require.NoError(t, a.LoadFile(path))
	require.NoError(t, b.LoadFile(path))
	for i := range rs {
		want, err := a.Score(&rs[i])
		require.NoError(t, err)
		got, err := b.ScoreValues(valuesOf(&rs[i]))
		require.NoError(t, err)
		require.Equal(t, want, got, "record %d", i)
		require.Equal(t, string(a.Reason()), string(b.Reason()))
		require.Equal(t, a.kind.Subject(), b.kind.Subject())
	}
	values := valuesOf(&rs[0])
	require.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = b.ScoreValues(values) }))
}

func TestValuesThatAreNoRow(t *testing.T) {
	rs := records(1000)
	s := New(100)
	require.NoError(t, s.LoadFile(file(t, trained(t, rs, 1))))
	good := valuesOf(&rs[0])
	for want, change := range map[string]func(v []Value) []Value{
		"18 values, want 20":           func(v []Value) []Value { return v[:18] },
		"field id.orig_h is unset":     func(v []Value) []Value { v[1] = Value{}; return v },
		"ts is not a time: NaN":        func(v []Value) []Value { v[0].Real = math.NaN(); return v },
		"proto has the unknown code 4": func(v []Value) []Value { v[5].Number = 1 << 40; return v },
	} {
		_, err := s.ScoreValues(change(append([]Value(nil), good...)))
		require.EqualError(t, err, "connection cannot be scored: "+want)
		require.Equal(t, BadRecord, StatusOf(err))
	}
	_, err := s.ScoreValues(good)
	require.NoError(t, err)
}

func TestLogsThatHaveASensor(t *testing.T) {
	s, err := Open("conn", 10)
	require.NoError(t, err)
	require.Equal(t, "conn", s.Log())
	require.Len(t, s.Fields(), 21, "with uid")
	_, err = Open("weird", 10)
	require.EqualError(t, err, "rows of weird.log cannot be scored by this library")
	require.Equal(t, NotDone, StatusOf(err))
}

// A row of a connection that goes on is told from what is there, and leaves
// nothing behind.
func TestKindPeeks(t *testing.T) {
	rs := records(500)
	peeking, plain := newConnKind(100), newConnKind(100)
	for i := range rs {
		var p, r, want feature.Row
		require.NoError(t, peeking.take(&rs[i]))
		peeking.Peek()
		peeking.Encode(&p)
		require.True(t, peeking.Window.Open)
		peeking.Observe()
		peeking.Encode(&r)
		require.NoError(t, plain.take(&rs[i]))
		plain.Observe()
		plain.Encode(&want)
		require.Equal(t, want, p)
		require.Equal(t, want, r)
	}
}
