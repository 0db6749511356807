// SPDX-License-Identifier: Apache-2.0

package strict

import (
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

var names = Names{
	Native:   []string{"count", "to_number", "minus", "contains", "json.remove"},
	Served:   []string{"json.patch", "sprintf"},
	Replaced: []string{"format_int"},
}

func rewrite(t *testing.T, bodies ...string) *Result {
	t.Helper()
	modules := []*ast.Module{}
	for i, body := range bodies {
		module, err := ast.ParseModuleWithOpts(string(rune('a'+i))+".rego", body, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		modules = append(modules, module)
	}
	before := modules[0].String()
	done, err := Rewrite(modules, nil, names)
	if err != nil {
		t.Fatal(err)
	}
	if modules[0].String() != before {
		t.Error("the module that was given is changed")
	}
	return done
}

func text(done *Result) string {
	texts := []string{}
	for _, module := range done.Modules {
		texts = append(texts, module.String())
	}
	return strings.ReplaceAll(strings.Join(texts, "\n"), "data.countersign.builtin.", "B.")
}

func TestCalls(t *testing.T) {
	done := rewrite(t, `package p

a := count(input) - 1

b if {
	to_number(input.x) > 5
	contains("a", "b")
	not json.patch(input, []) == {}
	x := [count(y) | some y in input]
	every z in x { count(z) == to_number("1") }
} else := count([])

f(x) := format_int(x, 10)
`)
	got := text(done)
	for _, want := range []string{
		`B.minus_("a.rego:3:6", B.count_("a.rego:3:6", input), 1)`,
		`B.to_number_("a.rego:6:2", input.x)`,
		`B.contains_("a.rego:7:2", "a", "b")`,
		`B.json__patch_("a.rego:8:6", input, [])`,
		`[B.count_("a.rego:9:8", y) |`,
		`B.count_("a.rego:10:17", z)`,
		`B.to_number_("a.rego:10:29", "1")`,
		`B.count_("a.rego:11:11", [])`,
		`B.format_int_("a.rego:13:9", x, 10)`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	functions := done.Functions.String()
	for _, want := range []string{
		"count_(at, x0) = y { y = count(x0) } else = y { y = countersign.error.count_(at, x0) }",
		"json__patch_(at, x0, x1) = y { y = json.patch(x0, x1) } else = y { y = countersign.place(at, \"json.patch\") }",
		"format_int_(at, x0, x1) = y { y = countersign.call.format_int_(x0, x1) } else = y { y = countersign.place(at, \"format_int\") }",
	} {
		if !strings.Contains(strings.Join(strings.Fields(functions), " "), want) {
			t.Errorf("no %s in\n%s", want, functions)
		}
	}
	declared := []string{}
	for _, b := range done.Builtins {
		declared = append(declared, b.Name)
	}
	slices.Sort(declared)
	want := "countersign.call.format_int_ countersign.error.contains_ countersign.error.count_ countersign.error.minus_ countersign.error.to_number_ countersign.place"
	if strings.Join(declared, " ") != want {
		t.Errorf("declared %v", declared)
	}
}

func TestLeavesWhatIsHidden(t *testing.T) {
	got := text(rewrite(t,
		"package p\n\nimport data.lib.json\n\na := json.patch(1, 2)\n\nb := count(1)\n\nc := to_number(1)",
		"package p\n\ncount(x) := x",
		"package q\n\na := count([])",
	))
	if strings.Count(got, "B.") != 2 || !strings.Contains(got, `B.to_number_("a.rego:9:6", 1)`) || !strings.Contains(got, `B.count_("c.rego:3:6", [])`) {
		t.Error(got)
	}
}

func TestCallsTheHostWhereWithReplaces(t *testing.T) {
	done := rewrite(t, "package p\n\na := count(1)\n\nf(x) := x\n\nb if a with count as f\n\nc if f(1) with f as to_number\n\nd if a with json.patch as 1\n\ne := json.patch(1, 2)")
	got := text(done)
	for _, want := range []string{"countersign.call.count_(1)", "with countersign.call.count_ as f", "with f as countersign.call.to_number_", "with json.patch as 1", "json.patch(1, 2)"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if done.Functions != nil {
		t.Error(done.Functions)
	}
}

func TestCallsTheHostWhereAllOfDataIsReplaced(t *testing.T) {
	done := rewrite(t, "package p\n\na := count(1)\n\nb := json.patch(1, [])\n\nc if a with data as {}")
	if got := text(done); done.Functions != nil || !strings.Contains(got, "countersign.call.count_(1)") || !strings.Contains(got, "json.patch(1, [])") {
		t.Error(got)
	}
}

func TestNothingToDo(t *testing.T) {
	if done := rewrite(t, "package p\n\na := input.x == 1"); done.Functions != nil || len(done.Builtins) != 0 {
		t.Error(done)
	}
}
