// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// named are the builtins that a policy calls by name; operators (eq, plus, internal.member_2 for `in`) are always there.
var named = func() map[string]bool {
	names := map[string]bool{}
	for _, b := range ast.Builtins {
		isSyntax := b.Infix != "" || (strings.HasPrefix(b.Name, "internal.") && b.Name != "internal.test_case")
		names[b.Name] = !isSyntax
	}
	return names
}()

type builtinUse struct {
	Name   string `json:"name"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// refusedBuiltins are the uses of OPA's builtins that are neither native nor served, each with its position; the compiler
// would call them undefined functions. A test may use a few more.
func refusedBuiltins(asked request, parsed []parsedFile) (problems []problem) {
	defined := definedNames(parsed)
	known := asked.known()
	for _, p := range parsed {
		for _, use := range builtinsOf(p.module, defined) {
			if known[use.Name] || (isTest(p) && slices.Contains(asked.Tests, use.Name)) {
				continue
			}
			problems = append(problems, problem{Code: "builtin_refused", Message: use.Name, File: p.Name, Line: use.Line, Column: use.Column})
		}
	}
	return problems
}

// known are the builtins that a policy may call.
func (asked request) known() map[string]bool {
	known := map[string]bool{}
	for _, names := range [][]string{asked.Native, asked.Served} {
		for _, name := range names {
			known[name] = true
		}
	}
	return known
}

func isTest(p parsedFile) bool {
	return strings.HasSuffix(p.Name, "_test.rego") || strings.HasSuffix(dotted(p.module.Package.Path), "_test")
}

// definedNames are, for each package, the names of its rules: they hide builtins of the same name.
func definedNames(parsed []parsedFile) map[string]map[string]bool {
	defined := map[string]map[string]bool{}
	for _, p := range parsed {
		path := p.module.Package.Path.String()
		if defined[path] == nil {
			defined[path] = map[string]bool{}
		}
		for _, rule := range p.module.Rules {
			defined[path][nameOf(rule)] = true
		}
	}
	return defined
}

// builtinsOf finds where a module calls builtins by name or replaces them using `with`, in the order of the text.
func builtinsOf(module *ast.Module, defined map[string]map[string]bool) []builtinUse {
	hidden := map[string]bool{}
	for name := range defined[module.Package.Path.String()] {
		hidden[name] = true
	}
	for _, imported := range module.Imports {
		hidden[string(imported.Name())] = true
	}
	uses := []builtinUse{}
	ast.WalkTerms(module, func(term *ast.Term) bool {
		if name, ok := builtinName(term); ok && !hidden[strings.Split(name, ".")[0]] {
			uses = append(uses, builtinUse{Name: name, Line: term.Location.Row, Column: term.Location.Col})
		}
		return false
	})
	slices.SortStableFunc(uses, func(a, b builtinUse) int { return (a.Line-b.Line)*100_000 + a.Column - b.Column })
	return slices.Compact(uses)
}

// builtinName reads what a term refers to.
func builtinName(term *ast.Term) (string, bool) {
	ref, ok := term.Value.(ast.Ref)
	if !ok || term.Location == nil || !isNames(ref) {
		return "", false
	}
	name := ref.String()
	return name, named[name]
}

func isNames(ref ast.Ref) bool {
	if _, ok := ref[0].Value.(ast.Var); !ok {
		return false
	}
	for _, part := range ref[1:] {
		if _, ok := part.Value.(ast.String); !ok {
			return false
		}
	}
	return true
}
