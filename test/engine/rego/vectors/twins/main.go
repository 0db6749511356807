// SPDX-License-Identifier: Apache-2.0

// Command twins writes calls of the builtins that have a twin in TypeScript, with what OPA's own answer, into one file each:
//
//	go run ./twins .
//
// A line is a JSON array of the parameters' texts and the answer's, which is null where OPA fails. The calls come from a seed, so
// that the same version of OPA and Go writes the same files.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
)

const (
	answered = 3000
	failing  = 200
)

type maker struct{ *rand.Rand }

func (m maker) pick(from ...string) string { return from[m.IntN(len(from))] }

func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(out))
}

func (m maker) digits(most int) string {
	n := 1 + m.IntN(most)
	var out strings.Builder
	for range n {
		out.WriteByte(byte('0' + m.IntN(10)))
	}
	return out.String()
}

func (m maker) number() string {
	switch m.IntN(5) {
	case 0:
		return "0"
	case 1:
		return m.digits(3)
	case 2:
		return m.pick("9223372036854775807", "9223372036854775808", "99999999999999999999", "18446744073709551616")
	}
	return strconv.Itoa(m.IntN(30))
}

func (m maker) identifiers() string {
	parts := make([]string, 1+m.IntN(3))
	for i := range parts {
		parts[i] = m.pick("alpha", "beta", "rc", "1", "2", "10", "x-y", "A", "a", "0", "01", "-", "9a", "9223372036854775808", "1.2", m.digits(3))
	}
	return strings.Join(parts, ".")
}

func (m maker) version() string {
	out := m.pick("", "", "", "v") + m.number() + "." + m.number() + "." + m.number()
	if m.IntN(2) == 0 {
		out += "-" + m.identifiers()
	}
	if m.IntN(4) == 0 {
		out += "+" + m.identifiers()
	}
	if m.IntN(12) == 0 {
		at := m.IntN(len(out) + 1)
		out = out[:at] + m.pick(".", "-", "+", "x", " ", "é", "..", "v", "\n", "_") + out[at:]
	}
	if m.IntN(20) == 0 {
		out = m.pick("", "latest", "1", "1.2", "v1", "1.2.3.4", "1.27.4-alpine", "=1.2.3", "1.2.x")
	}
	return out
}

// near is another version that differs little.
func (m maker) near(version string) string {
	if m.IntN(3) == 0 {
		return m.version()
	}
	return strings.Replace(version, m.pick("1", "alpha", "rc", "0", "."), m.pick("2", "beta", "rc", "0", ".", "10"), 1)
}

func (m maker) quantity() string {
	number := m.digits(6)
	switch m.IntN(6) {
	case 0:
		number += "." + m.digits(9)
	case 1:
		number = "." + m.digits(4)
	case 2:
		number += "."
	case 3:
		number += "." + m.digits(2)
	}
	if m.IntN(12) == 0 {
		number = m.digits(19)
	}
	if m.IntN(15) == 0 {
		number += m.pick("e", "E", "e+", "E-") + m.digits(2)
	}
	unit := m.pick("", "m", "k", "K", "Ki", "ki", "M", "Mi", "mi", "MI", "mI", "g", "G", "Gi", "gi", "GI", "t", "T", "Ti", "p", "P", "Pi", "e", "E", "Ei", "ei", "kb", "KB", "kib", "KiB",
		"mb", "MB", "MiB", "gb", "GB", "GiB", "tib", "b", "B", "x", "mm", "Kii", "MiBs", "\u212A", "k\u0130")
	return m.pick("", "", "", "", "-", "+", `"`, " ") + number + unit
}

func (m maker) duration() string {
	out := m.pick("", "", "", "-", "+")
	for range 1 + m.IntN(3) {
		switch m.IntN(4) {
		case 0:
			out += m.digits(4) + "." + m.digits(9)
		case 1:
			out += m.pick(".5", "0.", "1.", ".", "007", "9223372036854775807", "2562047", "0.1", "0.30000000000000004")
		default:
			out += m.digits(3)
		}
		out += m.pick("ns", "us", "µs", "μs", "ms", "s", "m", "h", "h", "s", "s", "m")
		if m.IntN(20) == 0 {
			out += m.pick("1d", "2w", "1.5y", "3", "4x")
		}
	}
	if m.IntN(15) == 0 {
		out = m.pick("", "0", "+0", "-0", "00", "1h30", "s", "1hour", " 1s", "1s ", "1 s", "1S", "-", "2562047h47m16.854775807s", "2562047h47m16.854775808s", "-2562047h47m16.854775808s")
	}
	return out
}

func (m maker) two(below int) string { return fmt.Sprintf("%02d", m.IntN(below)) }

func (m maker) date() string {
	year := m.pick("2024", "2026", "1970", "1969", "2000", "1999", "1900", "1700", "2200", "1677", "2262", "2263", "0001", strconv.Itoa(1600+m.IntN(800)))
	out := year + "-" + m.two(14) + "-" + m.two(33) + "T" + m.two(25) + ":" + m.two(61) + ":" + m.two(61)
	if m.IntN(2) == 0 {
		out = year + "-" + fmt.Sprintf("%02d", 1+m.IntN(12)) + "-" + fmt.Sprintf("%02d", 1+m.IntN(29)) + "T" + m.two(24) + ":" + m.two(60) + ":" + m.two(60)
	}
	switch m.IntN(6) {
	case 0:
		out += "." + m.digits(9)
	case 1:
		out += m.pick(".", ",5", "."+m.digits(12), ".0", ".000000001")
	}
	out += m.pick("Z", "Z", "Z", "+00:00", "-00:00", "+02:00", "-07:30", "+"+m.two(26)+":"+m.two(62), "z", "", "+0200", "Z ")
	if m.IntN(20) == 0 {
		out = m.pick("", "2026", "2026-01-02", "2026-01-02t03:04:05z", "2026-01-02 03:04:05Z", "2026-1-02T03:04:05Z", "2026-01-02T3:04:05Z", "02026-01-02T03:04:05Z")
	}
	return out
}

var words = []string{"", "a", "b", "ab", "aa", "aba", "reg", "registry.example.com/", "registry.example.com/web", "docker.io/", "é", "éa", "😀", "a😀", "/", "-", "web", "a.b", "\n", "日本"}

func (m maker) word() string {
	out := ""
	for range 1 + m.IntN(3) {
		out += words[m.IntN(len(words))]
	}
	return out
}

func (m maker) words() string {
	if m.IntN(3) == 0 {
		return quoted(m.word())
	}
	items := []string{}
	for range m.IntN(4) {
		if item := quoted(m.word()); !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	if m.IntN(30) == 0 {
		items = append(items, m.pick("1", "null", "[]"))
	}
	switch joined := strings.Join(items, ","); {
	case m.IntN(2) == 0:
		return "[" + joined + "]"
	case joined == "":
		return "set()"
	default:
		return "{" + joined + "}"
	}
}

func (m maker) scalar() string {
	if m.IntN(60) == 0 {
		return m.pick("1.5", "1e2", "9007199254740993", "1.0")
	}
	return m.pick("1", "2", "3", "-1", "0", "null", "true", "false", `"a"`, `"b"`, `""`, `"é"`, "123456789012345", "{}", "[]", "set()")
}

// value is a value of small members, so that two of them are often parts of each other.
func (m maker) value(depth int) ast.Value {
	if depth == 0 || m.IntN(4) == 0 {
		return ast.MustParseTerm(m.scalar()).Value
	}
	items := make([]*ast.Term, m.IntN(4))
	for i := range items {
		items[i] = ast.NewTerm(m.value(depth - 1))
	}
	switch m.IntN(3) {
	case 0:
		return ast.NewArray(items...)
	case 1:
		return ast.NewSet(items...)
	}
	object := ast.NewObject()
	for _, item := range items {
		object.Insert(ast.MustParseTerm(m.pick(`"a"`, `"b"`, `"c"`, "1", `["a"]`)), item)
	}
	return object
}

// part is a value with some of its members left out.
func (m maker) part(value ast.Value) ast.Value {
	keep := func() bool { return m.IntN(4) != 0 }
	switch value := value.(type) {
	case *ast.Array:
		from := m.IntN(value.Len() + 1)
		return value.Slice(from, from+m.IntN(value.Len()-from+1))
	case ast.Set:
		out := ast.NewSet()
		value.Foreach(func(item *ast.Term) {
			if keep() {
				out.Add(item)
			}
		})
		return out
	case ast.Object:
		out := ast.NewObject()
		value.Foreach(func(key, item *ast.Term) {
			if keep() {
				out.Insert(key, ast.NewTerm(m.part(item.Value)))
			}
		})
		return out
	}
	return value
}

func (m maker) subset() []string {
	upper := m.value(3)
	if array, ok := upper.(*ast.Array); ok && m.IntN(3) == 0 {
		set := ast.NewSet()
		m.part(array).(*ast.Array).Foreach(set.Add)
		return []string{upper.String(), ast.NewTerm(set).String()}
	}
	if m.IntN(4) == 0 {
		return []string{upper.String(), m.value(2).String()}
	}
	return []string{upper.String(), m.part(upper).String()}
}

func (m maker) integer() string {
	switch m.IntN(5) {
	case 0:
		return m.pick("-", "") + "1" + m.digits(30)
	case 1:
		return m.pick("-", "") + "1" + m.digits(6) + "." + m.digits(10)
	case 2:
		return m.pick("0", "-0", "0.5", "-0.5", "0.99999999999999999999", "1e3", "1.5e2", "15.9", "-15.9", "9223372036854775807", "-9223372036854775808", "1.0", "100")
	}
	return strconv.Itoa(m.IntN(100000) - 50000)
}

func (m maker) calls() map[string]func() []string {
	version := func() []string {
		a := m.version()
		return []string{quoted(a), quoted(m.near(a))}
	}
	return map[string]func() []string{
		"format_int":     func() []string { return []string{m.integer(), m.pick("2", "8", "10", "10", "16", "16", "3")} },
		"object.subset":  m.subset,
		"semver.compare": version,
		"semver.is_valid": func() []string {
			return []string{m.pick(quoted(m.version()), quoted(m.version()), quoted(m.version()), m.scalar())}
		},
		"strings.any_prefix_match": func() []string { return []string{m.words(), m.words()} },
		"strings.any_suffix_match": func() []string { return []string{m.words(), m.words()} },
		"strings.count": func() []string {
			return []string{quoted(m.word() + m.word()), quoted(m.pick(m.word(), "a", "", "b", "é", "aa"))}
		},
		"strings.split_n": func() []string {
			return []string{quoted(m.word() + m.word()), quoted(m.pick("a", "", "b", "é", "/", m.word())), m.pick("0", "1", "2", "3", "9", "-1", "-2", "-9", "1.0", "1.5")}
		},
		"time.parse_duration_ns": func() []string { return []string{quoted(m.duration())} },
		"time.parse_rfc3339_ns":  func() []string { return []string{quoted(m.date())} },
		"units.parse":            func() []string { return []string{quoted(m.quantity())} },
		"units.parse_bytes":      func() []string { return []string{quoted(m.quantity())} },
	}
}

// endless are calls that OPA's own semver.compare never returns from: two numbers too large for it, and nothing else that differs.
func endless(name string, arguments []string) bool {
	return name == "semver.compare" && strings.Contains(arguments[0], "9223372036854775808") && strings.Contains(arguments[1], "9223372036854775808") ||
		name == "semver.compare" && longDigits(arguments[0]) && longDigits(arguments[1])
}

func longDigits(text string) bool {
	run := 0
	for _, c := range text {
		if c >= '0' && c <= '9' {
			if run++; run > 18 {
				return true
			}
		} else {
			run = 0
		}
	}
	return false
}

func ask(name string, arguments []string) (string, bool) {
	operands := make([]*ast.Term, len(arguments))
	for i, argument := range arguments {
		operands[i] = ast.MustParseTerm(argument)
	}
	var out *ast.Term
	context := topdown.BuiltinContext{Cache: builtins.Cache{}, Capabilities: ast.CapabilitiesForThisVersion()}
	err := topdown.GetBuiltin(name)(context, operands, func(t *ast.Term) error {
		out = t
		return nil
	})
	if err != nil || out == nil {
		return "", false
	}
	return out.String(), true
}

func write(directory, name string, next func() []string) error {
	file, err := os.Create(filepath.Join(directory, name+".jsonl"))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	seen := map[string]bool{}
	for good, bad, tries := 0, 0, 0; good < answered && tries < 200_000; tries++ {
		arguments := next()
		key := strings.Join(arguments, "\x00")
		if seen[key] || endless(name, arguments) {
			continue
		}
		seen[key] = true
		line := []any{}
		for _, argument := range arguments {
			line = append(line, argument)
		}
		answer, ok := ask(name, arguments)
		switch {
		case ok:
			good++
			line = append(line, answer)
		case bad < failing:
			bad++
			line = append(line, nil)
		default:
			continue
		}
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Close()
}

func main() {
	names := []string{}
	for name := range (maker{}).calls() {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		m := maker{rand.New(rand.NewPCG(20260101, uint64(i)))}
		if err := write(os.Args[1], name, m.calls()[name]); err != nil {
			panic(err)
		}
	}
}
