//go:build cgo

package main

/*
#include "iforest_abi.h"
*/
import "C"

import (
	"unsafe"

	"github.com/zeek-iforest/zeek-iforest/gobridge/sensor"
)

// recovered turns a panic into a status: one that crossed into C would end Zeek.
func recovered(status *C.int32_t, message *C.char, size C.uint64_t) {
	if value := recover(); value != nil {
		*status = report(sensor.Panicked(value), message, size)
	}
}

// report gives the host the status for err, and its text.
func report(err error, message *C.char, size C.uint64_t) C.int32_t {
	if err != nil {
		put(message, size, err.Error())
	}
	return C.int32_t(sensor.StatusOf(err))
}

// put writes text to the host's buffer, cut to fit and ended with a zero byte.
func put[T ~string | ~[]byte](buffer *C.char, size C.uint64_t, text T) {
	if buffer == nil || size == 0 {
		return
	}
	to := unsafe.Slice((*byte)(unsafe.Pointer(buffer)), size)
	to[copy(to[:size-1], text)] = 0
}

// textOf and bytesOf look at the host's memory; they copy nothing.
func textOf(t C.iforest_text) string {
	return unsafe.String((*byte)(unsafe.Pointer(t.data)), int(t.len))
}

func bytesOf(t C.iforest_text) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(t.data)), int(t.len))
}

func boolean(b bool) C.uint8_t {
	if b {
		return 1
	}
	return 0
}
