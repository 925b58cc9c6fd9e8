//go:build cgo

package main

/*
#include "iforest_abi.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/feature"
)

// The windows that the workers of a cluster share.

//export iforest_take_counts
func iforest_take_counts(shards C.uint64_t, buffer *C.char, size C.uint64_t, length *C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	to := evidenceBuffer(buffer, size)
	*length = C.uint64_t(len(the.AppendCounts(to[:0:len(to)], feature.ShardSet(shards), len(to))))
	return C.IFOREST_OK
}

//export iforest_add_counts
func iforest_add_counts(worker C.uint64_t, counts C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	return report(the.AddCounts(int(worker&math.MaxInt32), bytesOf(counts)), message, size)
}

//export iforest_take_totals
func iforest_take_totals(buffer *C.char, size C.uint64_t, length *C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	to := evidenceBuffer(buffer, size)
	*length = C.uint64_t(len(the.AppendTotals(to[:0:len(to)], len(to))))
	return C.IFOREST_OK
}

//export iforest_tell_all
func iforest_tell_all(worker C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	the.TellAll(int(worker & math.MaxInt32))
	return C.IFOREST_OK
}

//export iforest_take_all
func iforest_take_all(worker C.uint64_t, buffer *C.char, size C.uint64_t, length *C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	to := evidenceBuffer(buffer, size)
	*length = C.uint64_t(len(the.AppendAll(to[:0:len(to)], int(worker&math.MaxInt32), len(to))))
	return C.IFOREST_OK
}

//export iforest_add_totals
func iforest_add_totals(totals C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	return report(the.TakeTotals(bytesOf(totals)), message, size)
}

// evidenceBuffer returns the host's memory for a message.
func evidenceBuffer(buffer *C.char, size C.uint64_t) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(buffer)), int(min(size, C.IFOREST_MAX_EVIDENCE)))
}
