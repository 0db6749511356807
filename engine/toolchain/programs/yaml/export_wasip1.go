// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime/debug"
	"slices"
	"unsafe"
)

const keepBytes = 16 << 20

var (
	requests = map[uint32][]byte{}
	result   answer
)

// Documents are small and short-lived. Collecting less often than this gains nothing and costs memory (measured).
func init() { debug.SetGCPercent(200) }

//go:wasmexport alloc
func alloc(length uint32) uint32 {
	request := make([]byte, max(length, 1))
	at := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(request))))
	requests[at] = request
	return at
}

//go:wasmexport free
func free(at uint32) { delete(requests, at) }

// call reads the file at `at` and returns where its answer is and how long; it holds until the next call.
//
//go:wasmexport call
func call(at, length uint32) uint64 {
	if cap(result.buffer) > keepBytes {
		result = answer{}
	}
	result.buffer = slices.Grow(result.buffer[:0], int(length))
	read(requests[at][:length], &result)
	where := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(result.buffer))))
	return where<<32 | uint64(len(result.buffer))
}
