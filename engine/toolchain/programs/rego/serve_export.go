// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

package main

import (
	"encoding/binary"
	"time"
	"unsafe"

	"countersign.dev/rego/internal/serve"
)

// The builtins of a policy's module, called in place. Bytes go from one memory to the other: the host writes into a buffer of ours and
// reads the answer where it is, before the next call.
var (
	server = serve.New()
	asked  = make([]byte, 64<<10)
	told   = make([]byte, 0, 64<<10)
)

const maxArguments = 4

// serve_buffer is where the host may write that many bytes.
//
//go:wasmexport serve_buffer
func serveBuffer(length uint32) uint32 {
	if int(length) > len(asked) {
		asked = make([]byte, 2*length)
	}
	return addressOf(asked)
}

// serve_start begins an evaluation at a time, in nanoseconds of Unix time.
//
//go:wasmexport serve_start
func serveStart(nanoseconds int64) { server.Start(time.Unix(0, nanoseconds)) }

// serve_lookup resolves the name in the buffer; -1 where there is no such builtin.
//
//go:wasmexport serve_lookup
func serveLookup(length uint32) int32 { return server.Lookup(string(asked[:length])) }

// serve_call calls a builtin with the arguments in the buffer, each its length (four bytes, little endian) and its text. The result
// is the address and the length of the answer: one byte of kind, and text.
//
//go:wasmexport serve_call
func serveCall(id int32, count uint32) uint64 {
	var arguments [maxArguments][]byte
	at := uint32(0)
	for i := range min(count, maxArguments) {
		length := binary.LittleEndian.Uint32(asked[at:])
		arguments[i] = asked[at+4 : at+4+length]
		at += 4 + length
	}
	told = server.Call(int(id), arguments[:min(count, maxArguments)], told[:0])
	return uint64(addressOf(told))<<32 | uint64(len(told))
}

func addressOf(bytes []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes)))) }
