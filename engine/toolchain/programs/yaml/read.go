// SPDX-License-Identifier: Apache-2.0

// Program yaml reads one file as kubectl does and gives its documents as JSON.
//
// Splitting into documents follows k8s.io/apimachinery's YAMLOrJSONDecoder (split.go), values come from the two readers
// that kubectl uses: go.yaml.in/yaml/v2 under sigs.k8s.io/yaml, and sigs.k8s.io/json. write.go makes JSON of what they
// give, equal to sigs.k8s.io/yaml's YAMLToJSON in every value (read_test.go compares). Where kubectl would silently drop
// something, the file is refused instead.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	"go.yaml.in/yaml/v2"
	kjson "sigs.k8s.io/json"
)

// kind of a section in the answer; engine/toolchain/yaml.ts has the same list.
type kind uint8

const (
	document  kind = iota
	syntax         // the payload is the reader's message, also for the kinds below
	duplicate      // a key twice, or overridden by a merge
	number         // an integer beyond int64, infinity, not a number
	deep           // nested deeper than maxDepth
	aliases        // excessive aliasing
	trailing       // content that kubectl would silently ignore
	large          // the JSON of all documents together is too large
	textless       // a key that is no text: never in an object of Kubernetes, and null or a collection nowhere
	half           // half a surrogate pair, or NUL: text that the readers change, or that ends where it should not
)

const (
	maxDepth    = 100
	maxJSON     = 128 << 20 // bytes of all documents of one file; more can only come from aliases
	maxProblems = 100       // in one file
	sniffBytes  = 4096      // kubectl looks this far for the first byte of JSON
)

// fault is why a section has no JSON.
type fault struct {
	kind kind
	text string
}

func (f *fault) Error() string { return f.text }

// file is the reading of one file.
type file struct {
	data     []byte
	answer   *answer
	problems int
	line     int // 1-based line at which lineAt starts
	lineAt   int
}

// The program is a reactor: export_wasip1.go has its entries.
func main() {}

// read appends the sections of data to a.
func read(data []byte, a *answer) {
	f := &file{data: data, answer: a, line: 1}
	if looksLikeJSON(data) {
		f.readJSON()
		return
	}
	f.readYAML(0, nil)
}

func looksLikeJSON(data []byte) bool {
	head := data[:min(len(data), sniffBytes)]
	return bytes.HasPrefix(bytes.TrimLeftFunc(head, unicode.IsSpace), []byte("{"))
}

// readJSON reads one JSON value after the other. Until a second one is read the file may still turn out to be YAML.
func (f *file) readJSON() {
	decoder := json.NewDecoder(bytes.NewReader(f.data))
	end := 0
	for count := 0; ; count++ {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if err == io.EOF {
			return
		}
		if err != nil {
			f.jsonFailed(err, end, count)
			return
		}
		end = int(decoder.InputOffset())
		if !f.section(end-len(raw), end, raw, readJSONValue) {
			return
		}
	}
}

func (f *file) jsonFailed(err error, end, count int) {
	at := end
	var bad *json.SyntaxError
	if errors.As(err, &bad) && bad.Offset > 0 {
		at = min(int(bad.Offset)-1, len(f.data))
	}
	asJSON := &answerError{at: at, fault: fault{syntax, err.Error()}}
	rest := len(f.data) - len(bytes.TrimLeftFunc(f.data[end:], unicode.IsSpace))
	newline := bytes.IndexByte(f.data[end:rest], '\n')
	switch {
	case count > 1:
		f.answer.failed(*asJSON)
	case count == 1 && newline < 0:
		f.answer.failed(answerError{at: rest, fault: fault{trailing, "text after a JSON value on the same line"}})
	case newline >= 0:
		f.readYAML(end+newline+1, asJSON)
	default:
		f.readYAML(rest, asJSON)
	}
}

// readYAML reads the documents from byte start on; asJSON is what to say instead when the first is not YAML either.
func (f *file) readYAML(start int, asJSON *answerError) {
	for chunk := range chunks(f.data, start) {
		if chunk.bad != "" {
			f.answer.failed(answerError{at: chunk.start, fault: fault{syntax, "invalid document separator: " + chunk.bad}})
			return
		}
		text := f.data[chunk.start:chunk.end]
		if asJSON != nil {
			if _, err := readYAMLValue(text); err != nil && (err.kind == syntax || err.kind == textless) {
				f.answer.failed(*asJSON)
				return
			}
			asJSON = nil
		}
		if !f.section(chunk.start, chunk.end, text, readYAMLValue) {
			return
		}
	}
}

// section reads one document and appends it, or why it cannot be read: then the section's line is the chunk's first, from
// which the readers count. False when the rest is not worth reading.
func (f *file) section(start, end int, text []byte, reader func([]byte) (any, *fault)) bool {
	f.line += bytes.Count(f.data[f.lineAt:start], []byte("\n"))
	f.lineAt = start
	line := f.line + contentLine(text)
	value, bad := reader(text)
	if bad == nil && value == nil {
		return true
	}
	if bad == nil || bad.kind == duplicate {
		mark := f.answer.begin(document, line, start, end)
		if failed := f.answer.document(value); failed != nil && (bad == nil || failed.kind == deep) {
			bad = failed
		}
		if bad == nil {
			f.answer.finish(mark)
			return f.answer.size() <= maxJSON || f.refuse(start, end, &fault{large, "more JSON than a file may become"})
		}
		f.answer.drop(mark)
	}
	return f.refuse(start, end, bad) && bad.kind != aliases
}

func (f *file) refuse(start, end int, bad *fault) bool {
	mark := f.answer.begin(bad.kind, f.line, start, end)
	f.answer.text(bad.text)
	f.answer.finish(mark)
	f.problems++
	return bad.kind != large && f.problems < maxProblems
}

func readJSONValue(text []byte) (any, *fault) {
	var value any
	duplicates, err := kjson.UnmarshalStrict(text, &value, kjson.DisallowDuplicateFields)
	if err != nil {
		return nil, &fault{number, beyondInt64} // Decode has checked the syntax; only a number can be too large.
	}
	if len(duplicates) > 0 {
		return value, &fault{duplicate, duplicates[0].Error()}
	}
	if hasHalf(text) {
		return nil, &fault{half, "half a surrogate pair"}
	}
	return value, nil
}

// hasHalf says whether an escape of JSON is half of a pair, for which the reader would put U+FFFD.
func hasHalf(text []byte) bool {
	for at := bytes.IndexByte(text, '\\'); at >= 0 && at+1 < len(text); {
		unit, isUnit := escaped(text[at:])
		low, isPair := rune(0), false
		if isUnit && utf16.IsSurrogate(unit) {
			low, isPair = escaped(text[at+6:])
			if !isPair || utf16.DecodeRune(unit, low) == unicode.ReplacementChar {
				return true
			}
		}
		at += 2
		if isPair {
			at += 10
		}
		next := bytes.IndexByte(text[at:], '\\')
		if next < 0 {
			return false
		}
		at += next
	}
	return false
}

// escaped is the UTF-16 code unit that text begins with, written as \uXXXX.
func escaped(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(unit), err == nil
}

func readYAMLValue(text []byte) (value any, bad *fault) {
	defer func() {
		if crash := recover(); crash != nil {
			value, bad = nil, &fault{syntax, fmt.Sprint("the reader crashed: ", crash)}
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(asRead(text)))
	decoder.SetStrict(true)
	err := decoder.Decode(&value)
	if err == io.EOF {
		return nil, nil
	}
	if err != nil {
		return value, faultOf(err)
	}
	var next any
	if err := decoder.Decode(&next); err != io.EOF {
		return nil, &fault{trailing, "a second document that no line of --- begins"}
	}
	return value, nil
}

// asRead gives a chunk the line ends that kubectl's line reader gives it.
func asRead(text []byte) []byte {
	if bytes.IndexByte(text, '\r') >= 0 {
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	}
	if len(text) > 0 && text[len(text)-1] != '\n' {
		text = append(bytes.Clone(text), '\n')
	}
	return text
}

func faultOf(err error) *fault {
	var strict *yaml.TypeError
	if errors.As(err, &strict) {
		return &fault{duplicate, strings.Join(strict.Errors, "\n")}
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(text, "excessive aliasing") {
		return &fault{aliases, text}
	}
	if strings.Contains(text, "exceeded max depth") {
		return &fault{deep, text}
	}
	if strings.HasPrefix(text, "invalid map key") {
		return &fault{textless, "a key is a collection, not text"}
	}
	return &fault{syntax, text}
}
