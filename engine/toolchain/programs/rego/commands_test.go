// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

const policy = `package main

import rego.v1

deny contains msg if {
	input.kind == "Pod"
	some c in input.containers
	not c.limits
	msg := sprintf("%s has no limits", [c.name])
}

deny contains "never" if {
	small
}

small if count(input.containers) < 1

twice(x) := x * 2
`

const tests = `package main_test

import data.main

test_good if count(main.deny) == 1 with input as {"kind": "Pod", "containers": [{"name": "a"}]}

test_bad if {
	x := main.twice(2)
	x == 5
}

test_bad if true

todo_test_later if false

test_cases[name] if {
	some name, want in {"one": 2, "two": 5}
	main.twice(1) == want
}

test_patch if json.patch({}, []) == {}
`

var nativeInTests = []string{"count", "numbers.range", "print", "internal.print", "internal.member_2", "internal.member_3", "walk"}

func ask(t *testing.T, asked request) (result, []byte) {
	t.Helper()
	asked.Served, asked.Tests = []string{"sprintf"}, []string{"json.patch"}
	for _, b := range ast.Builtins {
		if b.Infix != "" || slices.Contains(nativeInTests, b.Name) {
			asked.Native = append(asked.Native, b.Name)
		}
	}
	done, module := do(asked)
	return done, module
}

func text(s string) *string { return &s }

func same(t *testing.T, is, want any) {
	t.Helper()
	if !reflect.DeepEqual(is, want) {
		t.Fatalf("is   %#v\nwant %#v", is, want)
	}
}

func TestFormat(t *testing.T) {
	done, _ := ask(t, request{Op: "format", Files: []file{
		{Name: "a.rego", Text: "package a\np   if  {true}"}, {Name: "b.rego", Text: "package b\np { true }", V0: true},
	}})
	same(t, done.Problems, []problem(nil))
	same(t, done.Texts, []string{"package a\n\np := true\n", "package b\n\np = true\n"})
	done, _ = ask(t, request{Op: "format", Files: []file{{Name: "b.rego", Text: "package b\np { true }"}, {Name: "c.rego", Text: "package"}}})
	same(t, len(done.Problems) >= 2, true)
}

func TestExplain(t *testing.T) {
	done, _ := ask(t, request{
		Op: "eval", Files: []file{{Name: "p.rego", Text: policy}}, Eval: evalOptions{Query: "data.main.deny", Explain: true},
		Input: text(`{"kind":"Pod","containers":[{"name":"a","limits":1},{"name":"b","limits":1}]}`),
	})
	same(t, done.Problems, []problem(nil))
	same(t, done.Eval.Rules, []ruleTrace{
		{Path: "data.main.deny", File: "p.rego", Line: 5, Head: "deny contains msg if { …", Stopped: &place{8, 2, "not c.limits"}},
		{Path: "data.main.deny", File: "p.rego", Line: 12, Head: `deny contains "never" if { …`, Stopped: &place{13, 2, "small"}},
		{Path: "data.main.small", File: "p.rego", Line: 16, Head: "small if count(input.containers) < 1", Stopped: &place{16, 10, "count(input.containers) < 1"}},
	})
}

func TestExplainWithKindThatAnIndexWouldSkip(t *testing.T) {
	done, _ := ask(t, request{
		Op: "eval", Files: []file{{Name: "p.rego", Text: policy}}, Eval: evalOptions{Query: "data.main.deny", Explain: true},
		Input: text(`{"kind":"Job","containers":[{"name":"a"}]}`),
	})
	same(t, done.Eval.Rules[0].Stopped, &place{6, 2, `input.kind == "Pod"`})
}

func TestExplainInsideEvery(t *testing.T) {
	source := `package main

allow if {
	every r in input.roles {
		r in {"a", "b"}
		not r in {"z"}
	}
	count([r | some r in input.roles; r != "x"]) > 1
}`
	for input, want := range map[string]place{
		`{"roles":["a","q"]}`: {5, 3, `r in {"a", "b"}`},
		`{"roles":["a"]}`:     {8, 2, `count([r | some r in input.roles; r != "x"]) > 1`},
		`{"roles":["x"]}`:     {5, 3, `r in {"a", "b"}`},
		`{}`:                  {4, 13, "input.roles"},
	} {
		done, _ := ask(t, request{
			Op: "eval", Files: []file{{Name: "p.rego", Text: source}}, Eval: evalOptions{Query: "data.main.allow", Explain: true}, Input: text(input),
		})
		same(t, *done.Eval.Rules[0].Stopped, want)
	}
}

func TestEval(t *testing.T) {
	done, _ := ask(t, request{
		Op: "eval", Files: []file{{Name: "p.rego", Text: policy}}, Eval: evalOptions{Query: "x := data.main.twice(data.n); x > 3"},
		Data: map[string]any{"n": json.Number("21")},
	})
	same(t, done.Problems, []problem(nil))
	text, _ := json.Marshal(done.Eval.Result)
	same(t, string(text), `[{"expressions":[{"value":"true","text":"x := data.main.twice(data.n)","location":{"row":1,"col":1}},{"value":"true","text":"x \u003e 3","location":{"row":1,"col":31}}],"bindings":{"x":"42"}}]`)
}

func TestEvalFaults(t *testing.T) {
	files := []file{{Name: "p.rego", Text: policy}}
	for query, want := range map[string]problem{
		"x :=":           {"rego_parse_error", "unexpected eof token", queryName, 1, 4},
		"nosuch(1)":      {"rego_type_error", "undefined function nosuch", queryName, 1, 1},
		"time.now_ns()":  {"builtin_refused", "time.now_ns", queryName, 1, 1},
		"http.send({})":  {"builtin_refused", "http.send", queryName, 1, 1},
		"y > 1":          {"rego_unsafe_var_error", "var y is unsafe", queryName, 1, 1},
		`data.main.both`: {"eval_conflict_error", "rule data.main.both produced conflicting values:\n  1 at q.rego:2\n  2 at q.rego:3", "q.rego", 3, 1},
	} {
		both := append(files, file{Name: "q.rego", Text: "package main\nboth := 1 if input.x != 2\nboth := 2 if input.x != 3"})
		done, _ := ask(t, request{Op: "eval", Files: both, Input: text(`{"x":1}`), Eval: evalOptions{Query: query}})
		if len(done.Problems) == 0 {
			t.Fatalf("%s: no problem", query)
		}
		same(t, done.Problems[0], want)
	}
	done, _ := ask(t, request{Op: "eval", Files: files, Data: map[string]any{"main": map[string]any{"deny": 1}}, Eval: evalOptions{Query: "1"}})
	same(t, len(done.Problems) > 0, true)
}

func TestEvalModule(t *testing.T) {
	files := []file{{Name: "p.rego", Text: policy}}
	for query, want := range map[string]string{
		"data.main.deny":            `[{"text":"data.main.deny","location":{"row":1,"col":1},"captured":"countersign_value_0"}]`,
		"x := 1; x > 2":             `[{"text":"x := 1","location":{"row":1,"col":1}},{"text":"x \u003e 2","location":{"row":1,"col":9},"captured":"countersign_value_1"}]`,
		"some i; input[i]; not i":   `[{"text":"input[i]","location":{"row":1,"col":9},"captured":"countersign_value_1"},{"text":"not i","location":{"row":1,"col":19}}]`,
		"some x in [1]":             `[{"text":"some x in [1]","location":{"row":1,"col":1}}]`,
		"data.main.twice(2, x)":     `[{"text":"data.main.twice(2, x)","location":{"row":1,"col":1}}]`,
		"every x in [1] { x == 1 }": `[{"text":"every x in [1] { x == 1 }","location":{"row":1,"col":1}}]`,
	} {
		done, module := ask(t, request{Op: "eval_module", Files: files, Eval: evalOptions{Query: query}})
		same(t, done.Problems, []problem(nil))
		text, _ := json.Marshal(done.Parts)
		same(t, string(text), want)
		same(t, string(module[:4]), "\x00asm")
	}
	for query, want := range map[string]problem{
		"y > 1":         {"rego_unsafe_var_error", "var y is unsafe", queryName, 1, 1},
		"time.now_ns()": {"builtin_refused", "time.now_ns", queryName, 1, 1},
		"x := data":     {"query", "all of data is no document of a module: name a path in it", queryName, 1, 6},
		"data[x].y":     {"query", "all of data is no document of a module: name a path in it", queryName, 1, 1},
	} {
		done, module := ask(t, request{Op: "eval_module", Files: files, Eval: evalOptions{Query: query}})
		same(t, done.Problems, []problem{want})
		same(t, len(module), 0)
	}
	done, _ := ask(t, request{Op: "eval_module", Files: files, Data: map[string]any{"main": map[string]any{"deny": 1}}, Eval: evalOptions{Query: "1"}})
	same(t, len(done.Problems) > 0, true)
}

func TestTests(t *testing.T) {
	files := []file{{Name: "p.rego", Text: policy}, {Name: "p_test.rego", Text: tests}}
	done, _ := ask(t, request{Op: "test", Files: files})
	same(t, done.Problems, []problem(nil))
	type short struct {
		name       string
		fail, skip bool
		stopped    *place
		cases      []testCase
	}
	is := []short{}
	for _, r := range done.Tests.Tests {
		is = append(is, short{r.Name, r.Fail, r.Skip, r.Stopped, r.Cases})
	}
	same(t, is, []short{
		{"test_good", false, false, nil, nil},
		{"test_bad", true, false, &place{9, 2, "x == 5"}, nil},
		{"test_bad#01", false, false, nil, nil},
		{"todo_test_later", false, true, nil, nil},
		{"test_cases", true, false, nil, []testCase{{[]string{"one"}, false}, {[]string{"two"}, true}}},
		{"test_patch", false, false, nil, nil},
	})
	done, _ = ask(t, request{Op: "test", Files: files, Test: testOptions{Run: "test_(good|cases)$"}})
	same(t, len(done.Tests.Tests), 2)
	done, _ = ask(t, request{Op: "test", Files: files, Test: testOptions{Run: "("}})
	same(t, len(done.Problems), 1)
}

func TestTimeoutIsOfOneTest(t *testing.T) {
	files := []file{{Name: "p_test.rego", Text: `package p_test
test_slow if {
	some i in numbers.range(1, 100000)
	some j in numbers.range(1, 100000)
	i * j < 0
}
test_fast if true`}}
	done, _ := ask(t, request{Op: "test", Files: files, Test: testOptions{TimeoutMs: 50}})
	same(t, done.Problems, []problem(nil))
	same(t, done.Tests.Tests[0].Error, "not done after 50ms")
	same(t, done.Tests.Tests[1].Fail || done.Tests.Tests[1].Error != "", false)
}

func TestModuleOfTests(t *testing.T) {
	files := []file{{Name: "p.rego", Text: policy}, {Name: "p_test.rego", Text: tests}}
	done, module := ask(t, request{Op: "test_module", Files: files})
	same(t, done.Problems, []problem(nil))
	same(t, len(module) > 10_000, true)
	type short struct {
		name, entrypoint string
		missing          []string
	}
	is := []short{}
	for _, e := range done.Entries {
		is = append(is, short{e.Name, e.Entrypoint, e.Missing})
	}
	none := []string{}
	same(t, is, []short{
		{"test_good", "countersign/tests/t0", none}, {"test_bad", "countersign/tests/t1", none}, {"test_bad#01", "countersign/tests/t2", none},
		{"test_cases", "countersign/tests/t3", none}, {"test_patch", "countersign/tests/t4", []string{"json.patch"}},
	})
}

func TestDeps(t *testing.T) {
	done, _ := ask(t, request{Op: "deps", Files: []file{{Name: "p.rego", Text: policy}}, Eval: evalOptions{Query: "data.main.deny"}})
	same(t, done.Problems, []problem(nil))
	same(t, *done.Deps, dependency{Base: []string{"input.containers", "input.kind"}, Virtual: []string{"data.main.deny", "data.main.small"}})
}

func TestSchemas(t *testing.T) {
	files := []file{{Name: "p.rego", Text: "package p\n\np if input.kin == 1"}}
	schema := schemaFile{File: "s.json", Text: json.RawMessage(`{"type":"object","properties":{"kind":{"type":"string"}},"additionalProperties":false}`)}
	done, _ := ask(t, request{Op: "check", Files: files, Schemas: []schemaFile{schema}})
	same(t, done.Problems, []problem{{"rego_type_error", "undefined ref: input.kin", "p.rego", 3, 6}})
	done, _ = ask(t, request{Op: "check", Files: files, Schemas: []schemaFile{{File: "s.json", Text: json.RawMessage(`{"$ref":"https://a.invalid/b"}`)}}})
	same(t, len(done.Problems), 1)
}

func TestOldRego(t *testing.T) {
	files := []file{{Name: "old.rego", Text: "package old\n\ndeny[msg] { msg := \"x\" }", V0: true}, {Name: "new.rego", Text: "package new\n\ndeny contains x if some x in data.old.deny"}}
	for _, op := range []string{"parse", "check", "test"} {
		done, _ := ask(t, request{Op: op, Files: files})
		same(t, done.Problems, []problem(nil))
	}
	done, module := ask(t, request{Op: "build", Files: files, Entrypoints: []string{"new/deny"}})
	same(t, done.Problems, []problem(nil))
	same(t, len(module) > 10_000, true)
}

func TestOptimisedBuildsSeeFailures(t *testing.T) {
	files := []file{{Name: "p.rego", Text: "package p\n\ndeny contains 1 if to_number(\"x\") > input.n - 1"}}
	for level := range 3 {
		done, module := ask(t, request{
			Op: "build", Files: files, Entrypoints: []string{"p/deny"}, Optimise: level, Native: []string{"to_number"}, Fallible: []string{"to_number", "minus"},
		})
		same(t, done.Problems, []problem(nil))
		for _, name := range []string{"to_number", "minus"} {
			same(t, bytes.Contains(module, []byte("countersign.error."+name+"_")), true)
		}
	}
	same(t, ast.BuiltinMap["to_number"].Nondeterministic, false)
}
