// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func server() *Server {
	s := New()
	s.Start(time.Unix(1_700_000_000, 5))
	return s
}

func ask(s *Server, name string, arguments ...string) (Kind, string) {
	texts := make([][]byte, len(arguments))
	for i, argument := range arguments {
		texts[i] = []byte(argument)
	}
	answer := s.Call(int(s.Lookup(name)), texts, nil)
	return Kind(answer[0]), string(answer[1:])
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		name      string
		arguments []string
		kind      Kind
		text      string
	}{
		{"semver.compare", []string{`"1.2.3"`, `"1.2.4"`}, Value, "-1"},
		{"net.cidr_expand", []string{`"10.0.0.0/31"`}, Value, `{"10.0.0.0","10.0.0.1"}`},
		{"time.now_ns", nil, Value, "1700000000000000005"},
		{"max", []string{"[]"}, Undefined, ""},
		{"to_number", []string{`"high"`}, Failed, "eval_builtin_error\nto_number: strconv.ParseFloat: parsing \"high\": invalid syntax"},
		{"count", []string{"1"}, Failed, "eval_type_error\ncount: operand 1 must be one of {array, object, set, string} but got number"},
		{"base64.decode", []string{`"/w=="`}, Value, "\"\xff\""},
		{"count", []string{"[1"}, Refused, "unreadable value at byte 2"},
	} {
		if kind, text := ask(server(), c.name, c.arguments...); kind != c.kind || text != c.text {
			t.Errorf("%s(%s): %d %q", c.name, strings.Join(c.arguments, ", "), kind, text)
		}
	}
}

func TestKnowsOnlyBuiltins(t *testing.T) {
	if id := server().Lookup("nosuch"); id != -1 {
		t.Errorf("nosuch: %d", id)
	}
	if kind, text := ask(server(), "nosuch"); kind != Crashed || text != "no such builtin" {
		t.Errorf("nosuch: %d %q", kind, text)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	s := server()
	id := int(s.Lookup("count"))
	if answer := s.Call(id, nil, []byte("before")); string(answer[:7]) != "before\x04" {
		t.Errorf("%q", answer)
	}
	if kind, text := ask(s, "count", "[1]"); kind != Value || text != "1" {
		t.Errorf("after a panic: %d %q", kind, text)
	}
}

func TestKeepsLargeArgumentsForOneEvaluation(t *testing.T) {
	s := server()
	large := "[" + strings.Repeat("1,", 100) + "1]"
	for range 2 {
		if kind, text := ask(s, "count", large); kind != Value || text != "101" {
			t.Errorf("%d %q", kind, text)
		}
	}
	if len(s.kept) != 1 {
		t.Errorf("kept %d", len(s.kept))
	}
	if s.Start(time.Unix(1, 0)); len(s.kept) != 0 {
		t.Errorf("kept %d after the next start", len(s.kept))
	}
}

func numbers(count int) string {
	items := make([]string, count)
	for i := range items {
		items[i] = fmt.Sprint(i)
	}
	return "[" + strings.Join(items, ",") + "]"
}

// layers is a graph of 2 to the power of n paths.
func layers(n int) string {
	var members []string
	for i := range n {
		next := fmt.Sprintf(`["a%d","b%d"]`, i+1, i+1)
		members = append(members, fmt.Sprintf(`"a%d":%s,"b%d":%s`, i, next, i, next))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// doubling is a schema that checks one value 2 to the power of n times.
func doubling(n int) string {
	definitions := []string{`"d0":{"type":"string"}`}
	for i := range n {
		definitions = append(definitions, fmt.Sprintf(`"d%d":{"allOf":[{"$ref":"#/definitions/d%d"},{"$ref":"#/definitions/d%d"}]}`, i+1, i, i))
	}
	return fmt.Sprintf(`{"definitions":{%s},"$ref":"#/definitions/d%d"}`, strings.Join(definitions, ","), n)
}

// Every one of these would run for seconds or take all memory; each is refused before it begins or soon after.
func TestBounds(t *testing.T) {
	long := func(n int) string { return `"` + strings.Repeat("a", n) + `"` }
	cidrs := func(n int) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(`"10.%d.%d.0/24"`, i/256, i%256)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	for _, c := range []struct {
		name      string
		arguments []string
		say       string
	}{
		{"net.cidr_expand", []string{`"10.0.0.0/8"`}, "it would make more than 65536 addresses"},
		{"net.cidr_expand", []string{`"2001:db8::/32"`}, "it would make more than 65536 addresses"},
		{"numbers.range_step", []string{"0", "1000000000000", "1"}, "it would make more than 100000 items"},
		{"net.cidr_contains_matches", []string{cidrs(10_000), cidrs(10_000)}, "too long for each other"},
		{"regex.replace", []string{long(500_000), `"(a|aa){1000}$"`, `"x"`}, "too long for each other"},
		{"regex.replace", []string{long(200_000), `"a"`, long(200_000)}, "too long for each other"},
		{"regex.split", []string{`"(((a{10}){10}){10})"`, long(10_000)}, "too long for each other"},
		{"regex.globs_match", []string{`"` + strings.Repeat("a*", 100) + `"`, `"` + strings.Repeat("a*", 100) + `"`}, "too long for each other"},
		{"graph.reachable_paths", []string{layers(30), `["a0"]`}, "its paths have more than 200000 vertices"},
		{"semver.compare", []string{`"1.0.0-99999999999999999999"`, `"1.0.0-99999999999999999998"`}, "both versions have a number of more than 18 digits"},
		{"units.parse", []string{`"1e999999"`}, "the number is too long"},
		{"format_int", []string{"1e1000000000", "10"}, "a number has more than 100000 digits"},
		{"bits.lsh", []string{"1", "2000000000"}, "operand 2 is larger than 100000"},
		{"json.match_schema", []string{`"a"`, doubling(40)}, "the schema is too large to be checked"},
		{"json.match_schema", []string{`"a"`, `{"allOf":[{"$ref":"#"}]}`}, "the schema refers to itself without going down"},
		{"json.match_schema", []string{`"a"`, `{"definitions":{"a":{"$id":"x"}},"$ref":"x"}`}, "the schema refers by name: use a reference that begins with #/"},
		{"json.match_schema", []string{strings.Repeat("[", 60) + strings.Repeat("]", 60), `{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`}, "the schema is too large to be checked"},
		{"graphql.is_valid", []string{long(9_000), `""`}, "the query is longer than 8192 bytes"},
		{"yaml.unmarshal", []string{long(1) + `"`}, "unreadable value"},
		{"yaml.unmarshal", []string{`"` + strings.Repeat("[", 501) + `"`}, "a text has more than 500 brackets open"},
		{"rego.parse_module", []string{`"a"`, `"` + strings.Repeat("(", 501) + `"`}, "a text has more than 500 brackets open"},
		{"json.match_schema", []string{`"` + strings.Repeat("[", 501) + `"`, `{}`}, "a text has more than 500 brackets open"},
		{"graphql.parse_query", []string{long(40_000)}, "its arguments are longer than 32768 bytes"},
		{"io.jwt.decode", []string{long(40_000)}, "its arguments are longer than 32768 bytes"},
		{"yaml.unmarshal", []string{long(300_000)}, "its arguments are longer than 131072 bytes"},
		{"strings.render_template", []string{`"{{range .a}}{{range $.a}}{{range $.a}}x{{end}}{{end}}{{end}}"`, `{"a":[1]}`}, "a template may loop"},
		{"strings.render_template", []string{`"{{range .a}}{{range $.a}}x{{end}}{{end}}"`, `{"a":` + numbers(2_000) + `}`}, "too long for each other"},
		{"strings.render_template", []string{`"{{range 1000000000}}{{end}}"`, `{}`}, "a template may loop"},
		{"strings.render_template", []string{`"{{with 1000000000}}{{range .}}{{end}}{{end}}"`, `{}`}, "a template may loop"},
		{"strings.render_template", []string{`"{{$n := 1000000000}}{{range $n}}{{end}}"`, `{}`}, "a template may loop"},
		{"strings.render_template", []string{`"{{printf \"%1000000d\" 1}}"`, `{}`}, "a template may use no functions but"},
		{"strings.render_template", []string{`"{{$x := print .a .a}}"`, `{"a":"b"}`}, "a template may use no functions but"},
		{"strings.render_template", []string{`"{{define \"x\"}}{{template \"x\"}}{{end}}{{template \"x\"}}"`, `{}`}, "a template may loop"},
		{"json.unmarshal", []string{`"` + strings.Repeat("[", 2_000_000) + `"`}, "its arguments are longer than 524288 bytes"},
	} {
		begun := time.Now()
		kind, text := ask(server(), c.name, c.arguments...)
		if kind != Refused || !strings.Contains(text, c.say) {
			t.Errorf("%s: %d %.100q, want %q", c.name, kind, text, c.say)
		}
		t.Logf("%s refused after %v", c.name, time.Since(begun))
	}
}

// What is just within the bounds ends soon enough on a slow machine too; the times are only shown.
func TestWithinBounds(t *testing.T) {
	text := func(n int) string { return `"` + strings.Repeat("ab", n/2) + `"` }
	for _, c := range []struct {
		name      string
		arguments []string
	}{
		{"net.cidr_expand", []string{`"10.0.0.0/16"`}},
		{"numbers.range_step", []string{"0", "99990", "1"}},
		{"regex.replace", []string{text(100_000), `"(a|ab)*(a|b)?c|(b|ba)*d"`, `"x"`}},
		{"regex.split", []string{`"(a?){80}a{9}"`, text(400)}},
		{"regex.globs_match", []string{`"` + strings.Repeat("a*", 31) + `"`, `"` + strings.Repeat("*a", 31) + `"`}},
		{"graph.reachable_paths", []string{layers(11), `["a0"]`}},
		{"json.match_schema", []string{`"a"`, doubling(15)}},
		{"net.cidr_contains_matches", []string{`"10.0.0.0/8"`, numbers(0)}},
		{"yaml.unmarshal", []string{`"` + strings.Repeat(`- a: {b: c}\n`, 9_000) + `"`}},
		{"json.patch", []string{numbers(300), "[" + strings.Repeat(`{"op":"add","path":"/0","value":1},`, 900) + `{"op":"add","path":"/0","value":1}]`}},
		{"graphql.parse_query", []string{`"{` + strings.Repeat("a ", 15_000) + `}"`}},
		{"units.parse", []string{`"1e9999"`}},
		{"bits.lsh", []string{"1", "100000"}},
	} {
		begun := time.Now()
		kind, answer := ask(server(), c.name, c.arguments...)
		if kind != Value && kind != Failed {
			t.Errorf("%s: %d %.100q", c.name, kind, answer)
		}
		t.Logf("%s: %d %d bytes after %v", c.name, kind, len(answer), time.Since(begun))
	}
}

func TestTemplatesOfOrdinaryKind(t *testing.T) {
	for template, want := range map[string]string{
		`"hello {{.name}}"`: `"hello world"`,
		`"{{range $i, $x := .items}}{{$i}}={{$x}};{{end}}"`: `"0=1;1=2;"`,
		`"{{if eq .name \"world\"}}yes{{else}}no{{end}}"`:   `"yes"`,
		`"{{.missing}}"`:         `"<undefined>"`,
		`"{{range .n}}x{{end}}"`: ``,
	} {
		kind, text := ask(server(), "strings.render_template", template, `{"name":"world","items":[1,2],"n":1000000000}`)
		if want == "" {
			if kind == Value {
				t.Errorf("%s: %d %.50q", template, kind, text)
			}
			continue
		}
		if kind != Value || text != want {
			t.Errorf("%s: %d %q", template, kind, text)
		}
	}
}
