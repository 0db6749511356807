// SPDX-License-Identifier: Apache-2.0

// Package term reads and writes the text of values that a policy's module dumps and parses: JSON with sets ({1, 2}, set()) and keys
// of any type. OPA's own parser takes a hundred times as long, since it reads all of Rego.
package term

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
)

const (
	// maxDepth keeps recursion within the stack: overflowing it would end the program.
	maxDepth = 1000
	// maxNumber bounds digits and exponent: 1e1000000000 as an integer has a thousand million digits.
	maxNumber = 100_000
)

// ErrTooLarge is for what could be read but not worked with.
var ErrTooLarge = errors.New("a number has more than 100000 digits")

// Read reads one value.
func Read(text []byte) (*ast.Term, error) {
	r := reader{text: text}
	value, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if r.space(); r.at != len(text) {
		return nil, r.fault()
	}
	return value, nil
}

type reader struct {
	text []byte
	at   int
}

func (r *reader) fault() error { return fmt.Errorf("unreadable value at byte %d", r.at) }

func (r *reader) space() {
	for r.at < len(r.text) && (r.text[r.at] == ' ' || r.text[r.at] == '\n' || r.text[r.at] == '\t' || r.text[r.at] == '\r') {
		r.at++
	}
}

// next is the first byte that is no space, 0 at the end.
func (r *reader) next() byte {
	r.space()
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *reader) take(c byte) bool {
	if r.next() != c {
		return false
	}
	r.at++
	return true
}

func (r *reader) word(word string, value func() *ast.Term) (*ast.Term, error) {
	if !bytes.HasPrefix(r.text[r.at:], []byte(word)) {
		return nil, r.fault()
	}
	r.at += len(word)
	return value(), nil
}

func (r *reader) value(depth int) (*ast.Term, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("a value is nested deeper than %d", maxDepth)
	}
	switch r.next() {
	case 'n':
		return r.word("null", ast.NullTerm)
	case 't':
		return r.word("true", func() *ast.Term { return ast.BooleanTerm(true) })
	case 'f':
		return r.word("false", func() *ast.Term { return ast.BooleanTerm(false) })
	case 's':
		return r.word("set()", func() *ast.Term { return ast.SetTerm() })
	case '"':
		return r.str()
	case '[':
		return r.array(depth)
	case '{':
		return r.braces(depth)
	}
	return r.number()
}

func (r *reader) array(depth int) (*ast.Term, error) {
	r.at++
	if r.take(']') {
		return ast.ArrayTerm(), nil
	}
	items, err := r.items(nil, ']', depth)
	if err != nil {
		return nil, err
	}
	return ast.ArrayTerm(items...), nil
}

// items reads values up to the closing byte; there is at least one.
func (r *reader) items(items []*ast.Term, closing byte, depth int) ([]*ast.Term, error) {
	for {
		if len(items) == 0 || r.take(',') {
			item, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
			continue
		}
		if r.take(closing) {
			return items, nil
		}
		return nil, r.fault()
	}
}

func (r *reader) braces(depth int) (*ast.Term, error) {
	r.at++
	if r.take('}') {
		return ast.ObjectTerm(), nil
	}
	first, err := r.value(depth + 1)
	if err != nil {
		return nil, err
	}
	if r.next() == ':' {
		return r.object(first, depth)
	}
	items, err := r.items([]*ast.Term{first}, '}', depth)
	if err != nil {
		return nil, err
	}
	return ast.SetTerm(items...), nil
}

func (r *reader) object(key *ast.Term, depth int) (*ast.Term, error) {
	members := [][2]*ast.Term{}
	for {
		if !r.take(':') {
			return nil, r.fault()
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		members = append(members, [2]*ast.Term{key, value})
		if r.take('}') {
			return ast.ObjectTerm(members...), nil
		}
		if !r.take(',') {
			return nil, r.fault()
		}
		if key, err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
}

// number may begin with its point: a literal .5 keeps its text.
func (r *reader) number() (*ast.Term, error) {
	start := r.at
	for r.at < len(r.text) && bytes.IndexByte([]byte("+-.0123456789eE"), r.text[r.at]) >= 0 {
		r.at++
	}
	text := string(r.text[start:r.at])
	if len(text) > 0 && text[0] == '.' {
		text = "0" + text
	}
	if len(text) > 1 && text[0] == '-' && text[1] == '.' {
		text = "-0" + text[1:]
	}
	if !json.Valid([]byte(text)) {
		r.at = start
		return nil, r.fault()
	}
	if !isModest(text) {
		return nil, ErrTooLarge
	}
	return ast.NumberTerm(json.Number(text)), nil
}

func isModest(text string) bool {
	if len(text) > maxNumber {
		return false
	}
	mark := bytes.IndexAny([]byte(text), "eE")
	if mark < 0 {
		return true
	}
	exponent := 0
	for _, c := range text[mark+1:] {
		if c >= '0' && c <= '9' {
			exponent = exponent*10 + int(c-'0')
		}
		if exponent > maxNumber {
			return false
		}
	}
	return true
}

// str reads a string; bytes that are not UTF-8 stay as they are.
func (r *reader) str() (*ast.Term, error) {
	start := r.at + 1
	end := bytes.IndexByte(r.text[start:], '"')
	if end < 0 {
		return nil, r.fault()
	}
	if bytes.IndexByte(r.text[start:start+end], '\\') < 0 {
		r.at = start + end + 1
		return ast.StringTerm(string(r.text[start : start+end])), nil
	}
	return r.escaped(start)
}

func (r *reader) escaped(start int) (*ast.Term, error) {
	for end := start; end < len(r.text); end++ {
		switch r.text[end] {
		case '\\':
			end++
		case '"':
			var text string
			if err := json.Unmarshal(r.text[start-1:end+1], &text); err != nil {
				return nil, r.fault()
			}
			r.at = end + 1
			return ast.StringTerm(text), nil
		}
	}
	return nil, r.fault()
}
