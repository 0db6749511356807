// SPDX-License-Identifier: Apache-2.0

// The program render turns a chart or a Kustomize folder, handed over as bytes, into the stream that `helm template` and
// `kustomize build` print, by the code of those tools. It reaches no network, no program and no file: what it lacks it
// names, and its client decides whether to hand it over.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	_ "countersign.dev/render/internal/args"
)

// request is the head of what the client sends; the bytes of parts follow it, one after the other.
type request struct {
	Parts     []part     `json:"parts"`
	Helm      *helmJob   `json:"helm"`
	Kustomize *kustomJob `json:"kustomize"`
}

// part is one file; path is relative to the chart, or absolute for Kustomize. given marks a file that --set-file names.
type part struct {
	Path  string `json:"path"`
	Size  int    `json:"size"`
	Given bool   `json:"given"`
	data  []byte
}

// answer is the head of what the program says; stream follows it.
type answer struct {
	Error    string   `json:"error,omitempty"`
	Wanted   []string `json:"wanted,omitempty"` // paths that are not among the parts; nothing else holds then
	Origins  []origin `json:"origins,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Lookups  []string `json:"lookups,omitempty"` // objects that a template asked the cluster for
	stream   []byte
}

// origin says from which file the lines of the stream from Line (1-based) on came.
type origin struct {
	Line int    `json:"line"`
	Path string `json:"path"`
}

// The program is a reactor: export_wasip1.go has its entries.
func main() {}

// serve answers one request: a length of four bytes (little endian), a head in JSON, then bytes; the answer is alike.
func serve(raw []byte) []byte {
	var said bytes.Buffer
	log.SetFlags(0)
	log.SetOutput(&said)
	a := answerTo(raw)
	a.Warnings = append(a.Warnings, lines(said.Bytes())...)
	head, err := json.Marshal(a)
	if err != nil {
		head, _ = json.Marshal(answer{Error: err.Error()})
	}
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(head)))
	return append(append(out, head...), a.stream...)
}

func answerTo(raw []byte) (a answer) {
	defer func() {
		// A fault of the rendered code is none of this program: the client hears of it as of any other failure.
		if fault := recover(); fault != nil {
			a = answer{Error: fmt.Sprintf("rendering failed: %v", fault)}
		}
	}()
	r, err := parse(raw)
	if err != nil {
		return answer{Error: err.Error()}
	}
	switch {
	case r.Helm != nil:
		return renderHelm(r)
	case r.Kustomize != nil:
		return renderKustomize(r)
	}
	return answer{Error: "the request asks for nothing"}
}

func parse(raw []byte) (*request, error) {
	if len(raw) < 4 || uint64(len(raw)-4) < uint64(binary.LittleEndian.Uint32(raw)) {
		return nil, errors.New("the request is cut")
	}
	end := 4 + int(binary.LittleEndian.Uint32(raw))
	r := &request{}
	if err := json.Unmarshal(raw[4:end], r); err != nil {
		return nil, err
	}
	rest := raw[end:]
	for i := range r.Parts {
		size := r.Parts[i].Size
		if size < 0 || size > len(rest) {
			return nil, errors.New("the request is cut")
		}
		r.Parts[i].data, rest = rest[:size:size], rest[size:]
	}
	return r, nil
}

func lines(text []byte) (list []string) {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && len(list) < 100 {
			list = append(list, string(line))
		}
	}
	return list
}

// stream is what is printed, with where its parts came from.
type stream struct {
	bytes.Buffer
	line    int // lines that are complete
	origins []origin
}

// add appends text that came from path.
func (s *stream) add(path, text string) {
	s.origins = append(s.origins, origin{Line: s.line + 1, Path: path})
	s.line += bytes.Count([]byte(text), []byte("\n"))
	s.WriteString(text)
}
