// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// answer is a row of sections: kind (1 byte), line, start, end and length of the payload (4 bytes each, little endian),
// payload. line is 0 where only the byte start is known.
type answer struct {
	buffer   []byte
	entries  []entry // a stack, so that the members of a mapping are sorted without allocating
	textless string  // of the keys of this document that are no text the least, as text; "" where there is none
	hasNUL   bool    // in a text of this document
}

type answerError struct {
	at int
	fault
}

type entry struct {
	key   string
	value any
}

const header = 17

func (a *answer) size() int { return len(a.buffer) }

func (a *answer) begin(k kind, line, start, end int) (mark int) {
	mark = len(a.buffer)
	a.buffer = append(a.buffer, byte(k))
	for _, n := range [...]int{line, start, end, 0} {
		a.buffer = binary.LittleEndian.AppendUint32(a.buffer, uint32(n))
	}
	return mark
}

func (a *answer) finish(mark int) {
	binary.LittleEndian.PutUint32(a.buffer[mark+header-4:], uint32(len(a.buffer)-mark-header))
}

func (a *answer) drop(mark int) {
	a.buffer = a.buffer[:mark]
	a.entries = a.entries[:0]
}

func (a *answer) failed(e answerError) {
	mark := a.begin(e.kind, 0, e.at, e.at)
	a.text(e.text)
	a.finish(mark)
}

func (a *answer) text(s string) { a.buffer = append(a.buffer, s...) }

// document appends the value of a document as JSON. Keys that are no text become text, as sigs.k8s.io/yaml has it, but not in an
// object of Kubernetes.
func (a *answer) document(v any) *fault {
	a.textless, a.hasNUL = "", false
	if bad := a.value(v, 1); bad != nil {
		return bad
	}
	if a.hasNUL {
		return &fault{half, "a text holds NUL"}
	}
	if a.textless != "" && isKubernetes(v) {
		return &fault{textless, fmt.Sprintf("key %q is not text", a.textless)}
	}
	return nil
}

func isKubernetes(v any) bool {
	object, _ := v.(map[any]any)
	apiVersion, _ := object["apiVersion"].(string)
	kind, _ := object["kind"].(string)
	return apiVersion != "" && kind != ""
}

// value appends v as JSON: members in order of their keys, strings valid UTF-8.
func (a *answer) value(v any, depth int) *fault {
	switch v := v.(type) {
	case string:
		a.quote(v)
	case nil:
		a.text("null")
	case bool:
		a.buffer = strconv.AppendBool(a.buffer, v)
	case int:
		a.buffer = strconv.AppendInt(a.buffer, int64(v), 10)
	case int64:
		a.buffer = strconv.AppendInt(a.buffer, v, 10)
	case uint64:
		return &fault{number, beyondInt64}
	case float64:
		return a.float(v)
	case []any:
		return a.array(v, depth)
	case map[any]any:
		return a.mapping(v, depth)
	case map[string]any:
		return a.object(v, depth)
	default:
		return a.other(v)
	}
	return nil
}

const beyondInt64 = "a number does not fit into 64 bits with a sign"

// float refuses what stands for an integer beyond int64 too: the readers round such integers to floats.
func (a *answer) float(f float64) *fault {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return &fault{number, "infinity and NaN are no JSON numbers"}
	}
	if math.Abs(f) >= 1<<63 {
		return &fault{number, beyondInt64}
	}
	return a.other(f)
}

func (a *answer) other(v any) *fault {
	text, err := json.Marshal(v)
	if err != nil {
		return &fault{syntax, err.Error()}
	}
	a.buffer = append(a.buffer, text...)
	return nil
}

func (a *answer) array(items []any, depth int) *fault {
	if depth > maxDepth {
		return tooDeep()
	}
	a.buffer = append(a.buffer, '[')
	for i, item := range items {
		if i > 0 {
			a.buffer = append(a.buffer, ',')
		}
		if bad := a.value(item, depth+1); bad != nil {
			return bad
		}
	}
	a.buffer = append(a.buffer, ']')
	return nil
}

func (a *answer) mapping(m map[any]any, depth int) *fault {
	base := len(a.entries)
	for key, value := range m {
		name, bad := keyText(key)
		if bad != nil {
			return bad
		}
		if _, isText := key.(string); !isText && (a.textless == "" || name < a.textless) {
			a.textless = name
		}
		a.entries = append(a.entries, entry{name, value})
	}
	return a.members(base, depth)
}

func (a *answer) object(m map[string]any, depth int) *fault {
	base := len(a.entries)
	for key, value := range m {
		a.entries = append(a.entries, entry{key, value})
	}
	return a.members(base, depth)
}

func (a *answer) members(base, depth int) *fault {
	if depth > maxDepth {
		return tooDeep()
	}
	count := len(a.entries) - base
	slices.SortFunc(a.entries[base:], func(x, y entry) int { return strings.Compare(x.key, y.key) })
	a.buffer = append(a.buffer, '{')
	for i := range count {
		member := a.entries[base+i]
		if i > 0 {
			if member.key == a.entries[base+i-1].key {
				return &fault{duplicate, fmt.Sprintf("key %q already set in map", member.key)}
			}
			a.buffer = append(a.buffer, ',')
		}
		a.quote(member.key)
		a.buffer = append(a.buffer, ':')
		if bad := a.value(member.value, depth+1); bad != nil {
			return bad
		}
	}
	a.buffer = append(a.buffer, '}')
	clear(a.entries[base:])
	a.entries = a.entries[:base]
	return nil
}

func tooDeep() *fault {
	return &fault{deep, "nested deeper than " + strconv.Itoa(maxDepth) + " levels"}
}

// keyText is the text that sigs.k8s.io/yaml makes of a key that is not a string.
func keyText(key any) (string, *fault) {
	switch key := key.(type) {
	case string:
		return key, nil
	case int:
		return strconv.Itoa(key), nil
	case int64:
		return strconv.FormatInt(key, 10), nil
	case bool:
		return strconv.FormatBool(key), nil
	case float64:
		text := strconv.FormatFloat(key, 'g', -1, 32)
		if special, found := map[string]string{"+Inf": ".inf", "-Inf": "-.inf", "NaN": ".nan"}[text]; found {
			return special, nil
		}
		return text, nil
	}
	if key == nil {
		return "", &fault{textless, "a key is null, not text"}
	}
	return "", &fault{textless, fmt.Sprintf("a key is of type %T, not text", key)}
}

const hex = "0123456789abcdef"

// quote appends s as a JSON string; bytes that are not UTF-8, which only !!binary can bring, become U+FFFD.
func (a *answer) quote(s string) {
	a.buffer = append(a.buffer, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				a.text(s[done:i])
				a.text("\uFFFD")
				done = i + 1
			}
			i += size
			continue
		}
		a.text(s[done:i])
		a.escape(c)
		i++
		done = i
	}
	a.text(s[done:])
	a.buffer = append(a.buffer, '"')
}

func (a *answer) escape(c byte) {
	a.hasNUL = a.hasNUL || c == 0
	switch c {
	case '"', '\\':
		a.buffer = append(a.buffer, '\\', c)
	case '\n':
		a.text(`\n`)
	case '\t':
		a.text(`\t`)
	case '\r':
		a.text(`\r`)
	default:
		a.text(`\u00`)
		a.buffer = append(a.buffer, hex[c>>4], hex[c&0xf])
	}
}
