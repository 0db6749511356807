// SPDX-License-Identifier: Apache-2.0

// Program kube knows Kubernetes' own types: what they decode strictly, what the API server fills in, how they are written, and which
// versions of them are served when. One request in, one answer out: one byte that says what is asked, then JSON; back come four bytes
// of length, that many bytes of JSON, then the object where one was written.
//
// engine/schema works with the table that this program prints (table.go), so that it need not run; it runs where the table is made,
// where defaults are asked for, and in tests as the oracle.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	_ "countersign.dev/kube/internal/arguments"
)

// The program is a reactor: export_wasip1.go has its entries.
func main() {}

// answer never panics: a crash over one object is an answer too.
func answer(request []byte) (reply []byte) {
	defer func() {
		if crash := recover(); crash != nil {
			reply = encode(reading{Error: fmt.Sprint("crash: ", crash)})
		}
	}()
	if len(request) == 0 {
		return encode(reading{Error: "an empty request"})
	}
	switch text := request[1:]; request[0] {
	case 'd':
		return encode(decode(text))
	case 'n':
		return encode(normal(text))
	case 'f':
		return encode(filled(text))
	case 't':
		return encode(newTable())
	}
	return encode(reading{Error: "an unknown request"})
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	reply := append(binary.LittleEndian.AppendUint32(nil, uint32(len(text))), text...)
	if read, is := value.(reading); is {
		reply = append(reply, read.object...)
	}
	return reply
}
