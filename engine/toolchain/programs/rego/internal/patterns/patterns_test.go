// SPDX-License-Identifier: Apache-2.0

package patterns

import (
	"fmt"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

func parse(t *testing.T, texts ...string) (modules []*ast.Module) {
	t.Helper()
	for i, text := range texts {
		module, err := ast.ParseModuleWithOpts(fmt.Sprintf("%d.rego", i), text, ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			t.Fatal(err)
		}
		modules = append(modules, module)
	}
	return modules
}

func TestModule(t *testing.T) {
	module := Module(parse(t, `package p.q

import data.lib.names
import data.lib

word := "^w+$"
several := {"^a", "^b"}
more contains "^c"

a if regex.match("^\\d<", input.a)
b if not regex.match(word, input.b)
c := [x | some x in input.c; regex.match(several[_], x)]
d if glob.match("*.example.com", ["/", "."], input.d)
e if glob.match(names.host, null, input.e)
f if regex.match(data.lib.names.tag, input.f)
g := regex.find_all_string_submatch_n(lib.names.found, input.g, -1)
h if regex.match(more[_], input.h)
i if regex.match(input.pattern, input.i)
j(x) if regex.match(x, input.j)
k if glob.match("*", input.delimiters, input.k)
l if regex.match("^\\d<", input.l)
`, `package lib.names

host := "*.host"
tag := "^t" if input.one
else := "^u"
found := "^f"
function(_) := "^no"
`))
	got := module.String()
	for _, want := range []string{
		`regex.match("^\\d<", `, `regex.match("^w+$", `, `regex.match("^a", `, `regex.match("^b", `, `regex.match("^c", `,
		`glob.match("*.example.com", ["/", "."], `, `glob.match("*.host", null, `, `regex.match("^t", `, `regex.match("^f", `,
	} {
		if strings.Count(got, want) != 2 {
			t.Errorf("%s stands %d times in\n%s", want, strings.Count(got, want), got)
		}
	}
	if calls := strings.Count(got, "match("); calls != 18 {
		t.Errorf("%d calls in\n%s", calls, got)
	}
}

func TestSamples(t *testing.T) {
	got := Module(parse(t, "package p\na if regex.match(`(?i)(password|to_?ken)-ab`, input.x)\n")).String()
	if want := `"passwor to ke -a PASSWOR TO KE -A"`; !strings.Contains(got, want) {
		t.Errorf("no %s in\n%s", want, got)
	}
}

func TestNone(t *testing.T) {
	if module := Module(parse(t, "package p\na if regex.match(input.p, input.x)\n")); module != nil {
		t.Errorf("a module for nothing: %s", module)
	}
}

func TestCaps(t *testing.T) {
	var text strings.Builder
	text.WriteString("package p\n")
	for i := range 2 * most {
		fmt.Fprintf(&text, "r%d if regex.match(\"^%d\", input.x)\n", i, i)
	}
	fmt.Fprintf(&text, "long if regex.match(%q, input.x)\n", strings.Repeat("a", mostBytes+1))
	got := Module(parse(t, text.String())).String()
	if calls := strings.Count(got, "regex.match("); calls != 2*most || strings.Contains(got, "aaaa") {
		t.Errorf("%d calls in\n%s", calls, got)
	}
}
