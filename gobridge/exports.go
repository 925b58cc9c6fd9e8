//go:build cgo

// Package main is the sensor library, built with -buildmode=c-shared and loaded
// into Zeek by the plugin (zeek-pkg/src/Bridge.cc). iforest_abi.h says what
// each function does. An export converts, recovers, calls, and returns a status.
package main

/*
#include "iforest_abi.h"
*/
import "C"

import (
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
	"github.com/zeek-iforest/zeek-iforest/model"
	"github.com/zeek-iforest/zeek-iforest/model/conn"
)

// The header is the one definition of the codes: these lines do not compile
// when sensor's differ.
var _ = [1]struct{}{}[C.IFOREST_OK-sensor.OK]
var _ = [1]struct{}{}[C.IFOREST_NO_LIBRARY-sensor.NoLibrary]
var _ = [1]struct{}{}[C.IFOREST_NO_MODEL-sensor.NoModel]
var _ = [1]struct{}{}[C.IFOREST_BAD_RECORD-sensor.BadRecord]
var _ = [1]struct{}{}[C.IFOREST_BAD_MODEL-sensor.BadModel]
var _ = [1]struct{}{}[C.IFOREST_PANIC-sensor.Panic]
var _ = [1]struct{}{}[C.IFOREST_STATUSES-sensor.Statuses]
var _ = [1]struct{}{}[C.IFOREST_BINS-sensor.Bins]

// One process, one Zeek, one sensor.
var the *sensor.Sensor

func main() {}

//export iforest_abi_version
func iforest_abi_version() C.uint32_t { return C.IFOREST_ABI_VERSION }

//export iforest_start
func iforest_start(message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	if the == nil {
		sensor.SetUpRuntime()
		the = sensor.New(model.DefaultHosts)
	}
	return C.IFOREST_OK
}

//export iforest_load_file
func iforest_load_file(path C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	defer sensor.Tidy()
	return report(the.LoadFile(string(bytesOf(path))), message, size)
}

//export iforest_load_bytes
func iforest_load_bytes(data C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	defer sensor.Tidy()
	return report(the.LoadBytes(bytesOf(data)), message, size)
}

//export iforest_score
func iforest_score(c *C.iforest_conn, result *C.iforest_result, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer func() {
		if value := recover(); value != nil {
			the.Fault()
			status = report(sensor.Panicked(value), message, size)
		}
	}()
	record := recordOf(c)
	provoke(&record)
	r, err := the.Score(&record)
	if err != nil {
		return report(err, message, size)
	}
	*result = C.iforest_result{score: C.double(r.Score), rank: C.double(r.Rank), cold: boolean(r.Cold)}
	return C.IFOREST_OK
}

//export iforest_reason
func iforest_reason(text *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, text, size)
	put(text, size, the.Reason())
	return C.IFOREST_OK
}

//export iforest_model
func iforest_model(info *C.iforest_model_info) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	m := the.Model()
	if m == nil {
		return C.IFOREST_NO_MODEL
	}
	s := m.Summary()
	*info = C.iforest_model_info{
		rows:  C.uint64_t(s.Rows),
		first: C.double(s.First.Seconds()),
		last:  C.double(s.Last.Seconds()),
	}
	put(&info.fingerprint[0], C.uint64_t(len(info.fingerprint)), m.Fingerprint())
	return C.IFOREST_OK
}

//export iforest_statistics
func iforest_statistics(out *C.iforest_counts) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	s := the.Statistics()
	for i, n := range s.Calls {
		out.calls[i] = C.uint64_t(n)
	}
	for i, n := range s.Bins {
		out.bins[i] = C.uint64_t(n)
	}
	out.sum = C.double(s.Sum)
	out.cold = C.uint64_t(s.Cold)
	out.models = C.uint64_t(s.Models)
	out.refused = C.uint64_t(s.Refused)
	return C.IFOREST_OK
}

// recordOf reads the struct; its texts still point into the host's memory.
func recordOf(c *C.iforest_conn) sensor.Record {
	return sensor.Record{
		TS:          float64(c.ts),
		Duration:    float64(c.duration),
		OrigBytes:   uint64(c.orig_bytes),
		RespBytes:   uint64(c.resp_bytes),
		MissedBytes: uint64(c.missed_bytes),
		OrigPkts:    uint64(c.orig_pkts),
		OrigIPBytes: uint64(c.orig_ip_bytes),
		RespPkts:    uint64(c.resp_pkts),
		RespIPBytes: uint64(c.resp_ip_bytes),
		Service:     textOf(c.service),
		State:       textOf(c.conn_state),
		OrigHost:    *(*[16]byte)(unsafe.Pointer(&c.orig_h)),
		RespHost:    *(*[16]byte)(unsafe.Pointer(&c.resp_h)),
		OrigPort:    uint16(c.orig_p),
		RespPort:    uint16(c.resp_p),
		IPProto:     uint16(c.ip_proto),
		Proto:       uint8(c.proto),
		LocalOrig:   c.local_orig != 0,
		LocalResp:   c.local_resp != 0,
		Set:         fieldsOf(uint32(c.set)),
	}
}

// fieldsOf translates the header's bits into conn's.
func fieldsOf(set uint32) (f conn.Fields) {
	for _, b := range [...]struct {
		bit   uint32
		field conn.Fields
	}{
		{C.IFOREST_SERVICE, conn.Service},
		{C.IFOREST_DURATION, conn.Duration},
		{C.IFOREST_ORIG_BYTES, conn.OrigBytes},
		{C.IFOREST_RESP_BYTES, conn.RespBytes},
		{C.IFOREST_LOCAL_ORIG, conn.LocalOrig},
		{C.IFOREST_LOCAL_RESP, conn.LocalResp},
		{C.IFOREST_IP_PROTO, conn.IPProto},
	} {
		if set&b.bit != 0 {
			f |= b.field
		}
	}
	return f
}
