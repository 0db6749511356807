// SPDX-License-Identifier: Apache-2.0

// Package patterns finds the patterns that stand in a policy's text and writes a rule that matches each once. The runtime of
// WebAssembly forgets compiled patterns with each evaluation, and compiling them can be most of one; a host that asks this rule when
// it loads the module, before it takes the state that evaluations begin with, has them compiled for good.
package patterns

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

const (
	// File names the module that Module makes.
	File = "<countersign patterns>"
	// Entrypoint is its rule, below the reserved package.
	Entrypoint = "countersign/builtin/patterns/ready"

	most      = 64
	mostBytes = 1000
)

// samples bring a pattern's automaton into the states that it is mostly in: names, images, addresses, code.
var samples = []string{
	"",
	"shop-api",
	"registry.example.org:5000/team/shop_api:v1.20.3-rc.1@sha256:0123456789abcdef",
	"Name.Surname+x@Example.com",
	"A_Z 0 = \"-\" ; $x {y} [z] (w)\n",
}

// Module calls the builtins of all patterns that are known from the text; nil where there are none. More than are kept, or longer ones, are
// left out: they work as before.
func Module(modules []*ast.Module) *ast.Module {
	f := &finder{constants: constantsOf(modules), calls: map[string]string{}}
	for _, module := range modules {
		f.find(module)
	}
	calls := slices.Sorted(maps.Keys(f.calls))
	if len(calls) == 0 {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "package countersign.builtin.patterns\nsamples := %s\n", quoted(samples))
	for i, call := range calls[:min(len(calls), most)] {
		fmt.Fprintf(&text, "ready contains %d if %ssamples[_])\nready contains %d if %s%s)\n", i, call, i, call, quoted(f.calls[call]))
	}
	module, err := ast.ParseModuleWithOpts(File, text.String(), ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil
	}
	return module
}

type finder struct {
	// constants are the strings of rules that are nothing else, by path.
	constants map[string][]string
	// names are what a module's own words stand for.
	names map[string]string
	pkg   string
	// calls are the beginnings of calls, each with one more sample.
	calls map[string]string
}

func (f *finder) find(module *ast.Module) {
	f.pkg = module.Package.Path.String()
	f.names = map[string]string{"data": "data"}
	for _, imported := range module.Imports {
		if path, ok := imported.Path.Value.(ast.Ref); ok {
			f.names[string(imported.Name())] = path.String()
		}
	}
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if terms, ok := x.Terms.([]*ast.Term); ok {
				f.call(terms)
			}
		case *ast.Term:
			if call, ok := x.Value.(ast.Call); ok {
				f.call(call)
			}
		}
		return false
	}).Walk(module)
}

// call notes a call of a builtin that compiles its first argument. All of regex share one cache.
func (f *finder) call(terms []*ast.Term) {
	switch terms[0].String() {
	case "regex.match", "re_match", "regex.find_all_string_submatch_n":
		for _, pattern := range f.strings(terms, 1) {
			f.note(pattern, "regex.match("+quoted(pattern)+", ")
		}
	case "glob.match":
		if len(terms) < 4 || !terms[2].IsGround() {
			return
		}
		delimiters, err := ast.JSON(terms[2].Value)
		if err != nil {
			return
		}
		for _, pattern := range f.strings(terms, 1) {
			f.note(pattern, "glob.match("+quoted(pattern)+", "+quoted(delimiters)+", ")
		}
	}
}

func (f *finder) note(pattern, call string) {
	if len(pattern) <= mostBytes {
		f.calls[call] = nearly(pattern)
	}
}

var words = regexp.MustCompile(`[A-Za-z0-9_-]{2,}`)

// nearly is what a pattern's own words begin with: a text that nearly matches takes it further than others.
func nearly(pattern string) string {
	found := words.FindAllString(pattern, -1)
	for i, word := range found {
		found[i] = word[:len(word)-1]
	}
	text := strings.Join(found, " ")
	return strings.ToLower(text) + " " + strings.ToUpper(text)
}

// strings are what a term can be, as far as that stands in the text.
func (f *finder) strings(terms []*ast.Term, index int) []string {
	if index >= len(terms) {
		return nil
	}
	ref := ast.Ref{terms[index]}
	switch value := terms[index].Value.(type) {
	case ast.String:
		return []string{string(value)}
	case ast.Ref:
		ref = value
	}
	head, ok := ref[0].Value.(ast.Var)
	if !ok {
		return nil
	}
	path, ok := f.names[string(head)]
	if !ok {
		path = f.pkg + "." + string(head)
	}
	for _, term := range ref[1:] {
		if found, ok := f.constants[path]; ok {
			return found
		}
		part, ok := term.Value.(ast.String)
		if !ok {
			return nil
		}
		path += "." + string(part)
	}
	return f.constants[path]
}

// constantsOf are the rules without arguments whose value is a string, or a collection with strings in it, under every condition.
func constantsOf(modules []*ast.Module) map[string][]string {
	constants := map[string][]string{}
	for _, module := range modules {
		for _, rule := range module.Rules {
			if len(rule.Head.Args) > 0 {
				continue
			}
			path := module.Package.Path.String() + "." + rule.Head.Ref().String()
			for _, term := range []*ast.Term{rule.Head.Key, rule.Head.Value} {
				if term == nil {
					continue
				}
				ast.WalkTerms(term, func(term *ast.Term) bool {
					if text, ok := term.Value.(ast.String); ok {
						constants[path] = append(constants[path], string(text))
					}
					_, isRef := term.Value.(ast.Ref)
					return isRef
				})
			}
		}
	}
	return constants
}

// quoted is Rego's text of plain values. Go's own quotes have escapes that Rego does not know.
func quoted(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "null"
	}
	return string(text)
}
