// SPDX-License-Identifier: Apache-2.0

//go:build wasip1

// Program rego: OPA's own parser, compiler and tester. One JSON request in, one answer out: four bytes of length, that many
// bytes of JSON, then the module where one was built.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"unsafe"
)

// A request is short and its memory is given up as a whole: collecting what is left behind less often saves a tenth of a compilation.
func init() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(512 << 20)
}

var kept = map[uint32][]byte{}

//go:wasmexport alloc
func alloc(length uint32) uint32 {
	return keep(make([]byte, max(length, 1)))
}

//go:wasmexport free
func free(at uint32) { delete(kept, at) }

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

// answer never panics: a crash of the compiler over one policy is an answer too.
func answer(input []byte) (reply []byte) {
	defer func() {
		if crash := recover(); crash != nil {
			reply = frame(result{Problems: []problem{{Code: "crash", Message: fmt.Sprint(crash)}}}, nil)
		}
	}()
	var asked request
	// Numbers of data keep every digit.
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.UseNumber()
	if err := decoder.Decode(&asked); err != nil {
		return frame(result{Problems: []problem{{Code: "request", Message: err.Error()}}}, nil)
	}
	done, module := do(asked)
	return frame(done, module)
}

func frame(done result, module []byte) []byte {
	text, err := json.Marshal(done)
	if err != nil {
		panic(err)
	}
	reply := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(text)+len(module)), uint32(len(text)))
	return append(append(reply, text...), module...)
}

func main() {}
