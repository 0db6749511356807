// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"iter"
)

// chunk is a document's bytes in a file, or a separator line that kubectl refuses.
type chunk struct {
	start, end int
	bad        string
}

var separator = []byte("---")

// chunks splits as apimachinery's YAMLReader: a line that begins with --- ends a document, whatever it stands in; a
// separator before which there is nothing belongs to the document after it.
func chunks(data []byte, start int) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		for at := start; ; {
			at = nextSeparator(data, at)
			if at < 0 {
				break
			}
			after := lineEnd(data, at)
			rest := bytes.TrimSpace(data[at+len(separator) : after])
			if len(rest) > 0 && rest[0] != '#' {
				if at > start && !yield(chunk{start: start, end: at}) {
					return
				}
				yield(chunk{start: at, end: after, bad: string(rest)})
				return
			}
			if at > start {
				if !yield(chunk{start: start, end: at}) {
					return
				}
				start = after
			}
			at = after
		}
		if start < len(data) {
			yield(chunk{start: start, end: len(data)})
		}
	}
}

// nextSeparator is where the next line that begins with --- begins; at is the beginning of a line.
func nextSeparator(data []byte, at int) int {
	if bytes.HasPrefix(data[at:], separator) {
		return at
	}
	found := bytes.Index(data[at:], []byte("\n---"))
	if found < 0 {
		return -1
	}
	return at + found + 1
}

func lineEnd(data []byte, at int) int {
	newline := bytes.IndexByte(data[at:], '\n')
	if newline < 0 {
		return len(data)
	}
	return at + newline + 1
}

// contentLine counts the lines before the first that is not blank, a comment, a separator or a directive.
func contentLine(text []byte) int {
	for line, at := 0, 0; at < len(text); line++ {
		end := lineEnd(text, at)
		trimmed := bytes.TrimSpace(bytes.TrimPrefix(text[at:end], []byte("\uFEFF")))
		skip := len(trimmed) == 0 || trimmed[0] == '#' || trimmed[0] == '%' || bytes.HasPrefix(text[at:end], separator)
		if !skip {
			return line
		}
		at = end
	}
	return 0
}
