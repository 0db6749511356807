// SPDX-License-Identifier: Apache-2.0

package main

import "unsafe"

var kept = map[uint32][]byte{}

//go:wasmexport alloc
func alloc(length uint32) uint32 { return keep(make([]byte, max(length, 1))) }

//go:wasmexport free
func free(at uint32) { delete(kept, at) }

// call answers the request at `at` and returns where the answer is and how long; it holds until it is freed.
//
//go:wasmexport call
func call(at, length uint32) uint64 {
	reply := answer(kept[at][:length])
	return uint64(keep(reply))<<32 | uint64(len(reply))
}

func keep(content []byte) uint32 {
	at := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(content))))
	kept[at] = content
	return at
}
