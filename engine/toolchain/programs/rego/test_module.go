// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/util"
)

// testEntry is how one test is called on the compiled module; Missing are builtins it reaches that the module would not have.
type testEntry struct {
	Package    string   `json:"package"`
	Name       string   `json:"name"`
	Entrypoint string   `json:"entrypoint"`
	Missing    []string `json:"missing"`
	path       string
}

const (
	testsFile    = "<countersign tests>"
	testsPackage = "countersign.tests"
)

// testModule compiles the tests themselves, each as an entrypoint, so that they can be run on what will decide.
func testModule(asked request, parsed []parsedFile) (result, []byte) {
	if refused := refusedBuiltins(asked, parsed); len(refused) > 0 {
		return result{Problems: refused}, nil
	}
	filter, err := regexp.Compile(asked.Test.Run)
	if err != nil {
		return result{Problems: []problem{{Code: "filter", Message: err.Error()}}}, nil
	}
	parsed = renameDuplicates(parsed)
	compiler := ast.NewCompiler().WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modulesOf(parsed)); compiler.Failed() {
		return result{Problems: problemsOf(compiler.Errors)}, nil
	}
	entries := testEntries(compiler, filter, asked.known())
	source, entrypoints := testsSource(entries)
	if len(entrypoints) == 0 {
		return result{Entries: entries}, nil
	}
	generated, problems := parse([]file{{Name: testsFile, Text: source}})
	if len(problems) > 0 {
		return result{Problems: problems}, nil
	}
	asked.Entrypoints = entrypoints
	// What no entrypoint reaches is left out of the module; the compiler has to know it all the same.
	asked.Served = slices.Concat(asked.Served, asked.Tests)
	built, module := build(asked, append(parsed, generated...))
	built.Entries = entries
	return built, module
}

// testEntries finds what OPA's tester would run, in the order of files and lines.
func testEntries(compiler *ast.Compiler, filter *regexp.Regexp, known map[string]bool) []testEntry {
	entries := []testEntry{}
	seen := map[string]bool{}
	for _, name := range util.KeysSorted(compiler.Modules) {
		for _, rule := range compiler.Modules[name].Rules {
			ref, ok := testRef(rule)
			if !ok {
				continue
			}
			path := rule.Module.Package.Path.Extend(ref)
			if seen[path.String()] || !filter.MatchString(path.String()) {
				continue
			}
			seen[path.String()] = true
			entries = append(entries, testEntry{
				Package: strings.TrimPrefix(rule.Module.Package.Path.String(), "data."), Name: ref.String(),
				Entrypoint: fmt.Sprintf("%s/t%d", strings.ReplaceAll(testsPackage, ".", "/"), len(entries)),
				Missing:    missingBuiltins(compiler, path, known), path: path.String(),
			})
		}
	}
	return entries
}

// testRef is the part of a rule's name up to `test_…`, as OPA's tester takes it; a test marked to do is none.
func testRef(rule *ast.Rule) (ast.Ref, bool) {
	prefix := rule.Head.Ref().GroundPrefix()
	for i, term := range prefix {
		name := strings.Trim(term.Value.String(), `"`)
		if strings.HasPrefix(name, tester.SkipTestPrefix) {
			return nil, false
		}
		if strings.HasPrefix(name, tester.TestPrefix) {
			return prefix[:i+1], true
		}
	}
	return nil, false
}

// missingBuiltins walks the rules that a test can reach.
func missingBuiltins(compiler *ast.Compiler, path ast.Ref, known map[string]bool) []string {
	missing := map[string]bool{}
	visited := map[*ast.Rule]bool{}
	var visit func(rule *ast.Rule)
	visit = func(rule *ast.Rule) {
		if visited[rule] {
			return
		}
		visited[rule] = true
		ast.WalkTerms(rule, func(term *ast.Term) bool {
			if name, ok := builtinName(term); ok && !known[name] {
				missing[name] = true
			}
			return false
		})
		for reached := range compiler.Graph.Dependencies(rule) {
			if next, ok := reached.(*ast.Rule); ok {
				visit(next)
			}
		}
	}
	for _, rule := range compiler.GetRules(path) {
		visit(rule)
	}
	return util.KeysSorted(missing)
}

func testsSource(entries []testEntry) (string, []string) {
	var text strings.Builder
	fmt.Fprintf(&text, "package %s\n", testsPackage)
	entrypoints := []string{}
	for i, entry := range entries {
		if len(entry.Missing) > 0 {
			continue
		}
		entrypoints = append(entrypoints, entry.Entrypoint)
		fmt.Fprintf(&text, "\nt%d := value if value := %s\n", i, entry.path)
	}
	return text.String(), entrypoints
}

// renameDuplicates gives a second test of the same name a number, as OPA's tester does, but by the order of files: tester walks a map.
func renameDuplicates(parsed []parsedFile) []parsedFile {
	count := map[string]int{}
	ordered := slices.SortedFunc(slices.Values(parsed), func(a, b parsedFile) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range ordered {
		for _, rule := range p.module.Rules {
			ref, ok := testRef(rule)
			if !ok {
				continue
			}
			key := p.module.Package.Path.Extend(ref).String()
			if number := count[key]; number > 0 {
				rename(rule, len(ref)-1, fmt.Sprintf("#%02d", number))
			}
			count[key]++
		}
	}
	return parsed
}

func rename(rule *ast.Rule, at int, suffix string) {
	ref := rule.Head.Ref().Copy()
	switch name := ref[at].Value.(type) {
	case ast.Var:
		ref[at] = ast.VarTerm(string(name) + suffix)
	case ast.String:
		ref[at] = ast.StringTerm(string(name) + suffix)
	}
	rule.Head.SetRef(ref)
}
