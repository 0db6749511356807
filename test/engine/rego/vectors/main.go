// SPDX-License-Identifier: Apache-2.0

// Command vectors writes calls of sprintf with what OPA's own builtin answers, one JSON line each:
//
//	go run . > sprintf.jsonl
//
// The calls come from a seed, so that the same version of OPA and Go writes the same file.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

const calls = 2500

// vector is one call: Values is the text of a Rego array.
type vector struct {
	Format string `json:"f"`
	Values string `json:"v"`
	Result string `json:"r"`
}

var texts = []string{
	"", "a", "hi", "world", "a b", "tab\there", "line\nbreak", `quo"te`, `back\slash`, "`tick`", "'", "ünï", "日本語", "😀",
	"a\u0301", "\u200b", "\u00a0", "\ufeffbom", "\x7f", "\x01\x1f", "\u2028", "\ufffd", "\U0010ffff", "\u0378", "%d %s", "nginx:1.27@sha256:0123",
	"registry.example.com/shop/web", "kube-system",
}

var numbers = []string{
	"0", "-0", "1", "-1", "5", "7", "8", "10", "42", "-42", "65", "97", "127", "128", "255", "256", "1000", "8364", "55296", "65533", "128512", "1114111",
	"1114112", "2147483647", "4294967296", "9007199254740991", "9007199254740993", "9223372036854775807", "-9223372036854775808",
	"9223372036854775808", "-9223372036854775809", "18446744073709551616", "123456789012345678901234567890", "-1000000000000000000000",
	"0.0", "-0.0", "1.0", "0.1", "0.5", "1.5", "2.5", "-2.5", "0.25", "0.125", "3.7", "-3.14159", "1e5", "1e6", "100000.0", "1000000.0", "123456.0",
	"1234567.0", "1e20", "1e21", "1e22", "1E5", "1e-4", "1e-5", "0.00012345", "0.000012345", "12345.678", "9.995", "0.995", "99.5", "999999.5", "1e100", "1e308", "5e-324",
	"2.2250738585072014e-308", "1.7976931348623157e308", "1e400", "-1e400", "1e-400", "0.1e1", "1.50", "123456789.125", "4503599627370497.5", "1e15", "1e16", "1e17", "0.3",
}

var verbs = []string{
	"v", "v", "v", "s", "s", "s", "d", "d", "d", "q", "q", "x", "X", "o", "O", "b", "c", "U", "t", "e", "E", "f", "f", "F", "g", "g", "G", "T", "p", "w", "z", "y", "!", "é", "世", "%", "n",
}

type maker struct{ *rand.Rand }

func (m maker) pick(from []string) string { return from[m.IntN(len(from))] }

func (m maker) number() string {
	switch m.IntN(4) {
	case 0:
		return strconv.FormatInt(int64(m.IntN(2000)-1000), 10)
	case 1:
		f := math.Float64frombits(m.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			f = m.Float64()
		}
		text := strconv.FormatFloat(f, 'g', -1, 64)
		if !strings.ContainsAny(text, ".e") {
			text += ".0"
		}
		return text
	default:
		return m.pick(numbers)
	}
}

// term is the text of a Rego value.
func (m maker) term(depth int) string {
	kinds := 8
	if depth == 0 {
		kinds = 11
	}
	switch kind := m.IntN(kinds); kind {
	case 0, 1, 2:
		return quoted(m.pick(texts))
	case 3, 4, 5:
		return m.number()
	case 6:
		return m.pick([]string{"true", "false"})
	case 7:
		return "null"
	default:
		items := make([]string, m.IntN(5))
		for i := range items {
			items[i] = m.term(m.IntN(2))
			if kind == 9 {
				items[i] = m.term(1) + ": " + items[i]
			}
		}
		switch joined := strings.Join(items, ", "); {
		case kind == 8:
			return "[" + joined + "]"
		case kind == 10 && joined == "":
			return "set()"
		case isDistinct("{"+joined+"}", len(items)):
			return "{" + joined + "}"
		default:
			return "{}"
		}
	}
}

// isDistinct says whether a collection has as many members as were written: what a module hands over has no duplicates.
func isDistinct(text string, members int) bool {
	term, err := ast.ParseTerm(text)
	if err != nil {
		panic(err)
	}
	switch value := term.Value.(type) {
	case ast.Set:
		return value.Len() == members
	case ast.Object:
		return value.Len() == members
	default:
		return false
	}
}

func (m maker) directive(arguments int) string {
	var out strings.Builder
	out.WriteString("%")
	for m.IntN(3) == 0 {
		out.WriteString(m.pick([]string{"+", "-", "#", " ", "0"}))
	}
	index := func() {
		if m.IntN(14) == 0 {
			out.WriteString(m.pick([]string{"[1]", "[2]", "[3]", "[0]", "[9]", "[]", "[x]", "[-1]", "[1", "[" + strconv.Itoa(arguments) + "]"}))
		}
	}
	size := func() {
		switch m.IntN(6) {
		case 0:
			index()
			out.WriteString("*")
		case 1, 2:
			out.WriteString(strconv.Itoa(m.IntN(30)))
		}
	}
	index()
	if m.IntN(2) == 0 {
		size()
	}
	if m.IntN(3) == 0 {
		out.WriteString(".")
		size()
	}
	index()
	if m.IntN(60) != 0 {
		out.WriteString(m.pick(verbs))
	}
	return out.String()
}

func (m maker) call() (string, string) {
	arguments := m.IntN(4)
	values := make([]string, arguments)
	for i := range values {
		values[i] = m.term(0)
	}
	var format strings.Builder
	for range max(1, arguments+m.IntN(3)-1) {
		if m.IntN(2) == 0 {
			format.WriteString(m.pick([]string{" ", "is ", "=", "ü", "[", "100%% "}))
		}
		format.WriteString(m.directive(arguments))
	}
	return format.String(), "[" + strings.Join(values, ", ") + "]"
}

// every verb with every kind of value, plainly and with every flag.
func plain() [][2]string {
	var out [][2]string
	values := []string{"5", "-5", "0", "18446744073709551616", "1.5", "-0.0", "1e21", `"hi"`, "true", "null", `{1, "a"}`, `{"b": 1, "a": [2]}`}
	for _, verb := range []string{"v", "s", "d", "q", "x", "X", "o", "O", "b", "c", "U", "t", "e", "f", "g", "G", "T", "z"} {
		for _, value := range values {
			for _, flags := range []string{"", "+", "#", "-9", "09"} {
				out = append(out, [2]string{"%" + flags + verb, "[" + value + "]"})
			}
		}
	}
	return out
}

func quoted(text string) string {
	bytes, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(string(bytes), "\ufeff", `\ufeff`) // OPA's parser refuses the mark itself
}

var tooWide = regexp.MustCompile(`\d{4}`)

// sprintf is OPA's builtin.
func sprintf(format, values string) (string, error) {
	var result string
	operands := []*ast.Term{ast.StringTerm(format), ast.MustParseTerm(values)}
	err := topdown.GetBuiltin("sprintf")(topdown.BuiltinContext{}, operands, func(term *ast.Term) error {
		result = string(term.Value.(ast.String))
		return nil
	})
	return result, err
}

// answer is false for what Countersign refuses: an address (it differs from call to call), a struct's parts, a great width.
func answer(format, values string) (string, bool) {
	first, err := sprintf(format, values)
	second, _ := sprintf(format, values)
	wide := len(first) > 900 || tooWide.MatchString(format)
	return first, err == nil && first == second && !wide && !strings.Contains(first, "&{")
}

func main() {
	m := maker{rand.New(rand.NewPCG(1, 2))}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	write := func(format, values string) {
		if result, ok := answer(format, values); ok {
			if err := encoder.Encode(vector{format, values, result}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
	for _, call := range plain() {
		write(call[0], call[1])
	}
	for range calls {
		write(m.call())
	}
}
