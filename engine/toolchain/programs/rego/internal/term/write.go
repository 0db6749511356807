// SPDX-License-Identifier: Apache-2.0

package term

import (
	"fmt"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Append writes a value so that a policy's module can parse it: control characters as JSON escapes, numbers as they are.
func Append(out []byte, value ast.Value) []byte {
	switch value := value.(type) {
	case ast.Null:
		return append(out, "null"...)
	case ast.Boolean:
		return strconv.AppendBool(out, bool(value))
	case ast.Number:
		return append(out, string(value)...)
	case ast.String:
		return appendString(out, string(value))
	case *ast.Array:
		out = append(out, '[')
		for i := range value.Len() {
			out = Append(comma(out, i), value.Elem(i).Value)
		}
		return append(out, ']')
	case ast.Set:
		return appendSet(out, value)
	case ast.Object:
		return appendObject(out, value)
	}
	panic(fmt.Sprintf("no text for a %T", value))
}

func comma(out []byte, index int) []byte {
	if index == 0 {
		return out
	}
	return append(out, ',')
}

func appendSet(out []byte, set ast.Set) []byte {
	if set.Len() == 0 {
		return append(out, "set()"...)
	}
	out = append(out, '{')
	for i, item := range set.Slice() {
		out = Append(comma(out, i), item.Value)
	}
	return append(out, '}')
}

func appendObject(out []byte, object ast.Object) []byte {
	out = append(out, '{')
	index := 0
	object.Foreach(func(key, value *ast.Term) {
		out = Append(comma(out, index), key.Value)
		out = Append(append(out, ':'), value.Value)
		index++
	})
	return append(out, '}')
}

const hex = "0123456789abcdef"

func appendString(out []byte, text string) []byte {
	out = append(out, '"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ':
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}
