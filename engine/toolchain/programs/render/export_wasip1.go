// SPDX-License-Identifier: Apache-2.0

package main

import (
	"runtime/debug"
	"unsafe"
)

var (
	requests = map[uint32][]byte{}
	result   []byte
)

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

// call answers the request at `at` and returns where the answer is and how long; it holds until the next call.
//
//go:wasmexport call
func call(at, length uint32) uint64 {
	result = serve(requests[at][:length])
	where := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(result))))
	return where<<32 | uint64(len(result))
}
