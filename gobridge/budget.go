//go:build cgo

package main

/*
#include "iforest_abi.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/model/alerts"
)

// The one budget of a cluster.

//export iforest_withhold
func iforest_withhold() (status C.int32_t) {
	defer recovered(&status, nil, 0)
	the.Withhold()
	return C.IFOREST_OK
}

//export iforest_take_candidates
func iforest_take_candidates(buffer *C.char, length *C.uint64_t) (status C.int32_t) {
	defer recovered(&status, nil, 0)
	*length = C.uint64_t(copy(unsafe.Slice((*byte)(unsafe.Pointer(buffer)), C.IFOREST_MAX_CANDIDATES), the.Candidates()))
	return C.IFOREST_OK
}

//export iforest_decide
func iforest_decide(worker C.uint64_t, candidates C.iforest_text, message *C.char, size C.uint64_t) (status C.int32_t) {
	defer recovered(&status, message, size)
	return report(the.Decide(int(worker&math.MaxInt32), bytesOf(candidates)), message, size)
}

// alertOf fills the event of an alert.
func alertOf(out *C.iforest_event, c *alerts.Candidate) {
	*out = C.iforest_event{
		kind: C.IFOREST_ALERT, last: C.double(c.TS.Seconds()), score: C.double(c.Score),
		orig_p: C.uint16_t(c.Orig.Port()), resp_p: C.uint16_t(c.Resp.Port()), proto: C.uint8_t(c.Detail.Proto),
		row_score: C.double(c.Detail.Score), rank: C.double(c.Detail.Rank), is_case: boolean(c.Detail.Case),
	}
	if c.Detail.Rank == 0 { // there is none
		out.row_score = out.score
	}
	if c.Open {
		out.age = C.double((c.End - c.TS).Seconds())
	}
	put(&out.text[0], C.uint64_t(len(out.text)), c.Detail.Reason)
	put(&out.log[0], C.uint64_t(len(out.log)), c.Log)
	put(&out.uid[0], C.uint64_t(len(out.uid)), c.Detail.UID)
	put(&out.context[0], C.uint64_t(len(out.context)), c.In)
	put(&out.model[0], C.uint64_t(len(out.model)), c.Model)
	putAddr(&out.orig_h, c.Orig.Addr())
	putAddr(&out.resp_h, c.Resp.Addr())
}
