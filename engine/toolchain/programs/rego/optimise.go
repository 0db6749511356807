// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/util"
)

// optimised lets OPA rewrite the rules and reads what it wrote: its code generator panics over rules that have no place in a file,
// as most of those that its optimiser makes.
func optimised(asked request, parsed []parsedFile) ([]parsedFile, []problem) {
	if _, problems := prepare(asked, parsed, nil); len(problems) > 0 {
		return nil, problems
	}
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for _, p := range parsed {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: p.Name, Path: p.Name, Raw: []byte(p.Text), Parsed: p.module})
	}
	roots := rootsOf(b.Modules)
	b.Manifest.Roots = &roots
	compiler := compile.New().WithTarget(compile.TargetRego).WithEntrypoints(asked.Entrypoints...).WithBundle(b).
		WithRegoVersion(ast.RegoV1).WithCapabilities(capabilities(asked)).WithOptimizationLevel(asked.Optimise)
	if err := leavingToHost(asked, func() error { return compiler.Build(context.Background()) }); err != nil {
		return nil, problemsOf(err)
	}
	files := []file{}
	for _, module := range compiler.Bundle().Modules {
		text := module.Raw
		if text == nil {
			text = format.MustAst(module.Parsed)
		}
		files = append(files, file{Name: module.Path, Text: string(text), V0: module.Parsed.RegoVersion() == ast.RegoV0})
	}
	return parse(files)
}

// leavingToHost keeps the optimiser from answering calls itself. One that fails would be undefined for good, so that a rule that
// denies never does and nobody sees why; and what the host serves may read the clock of the decision.
func leavingToHost(asked request, run func() error) error {
	before := maps.Clone(ast.BuiltinMap)
	defer maps.Copy(ast.BuiltinMap, before)
	for _, name := range slices.Concat(asked.Fallible, asked.Served, asked.Replaced) {
		if b, ok := before[name]; ok {
			left := *b
			left.Nondeterministic = true
			ast.BuiltinMap[name] = &left
		}
	}
	return run()
}

// rootsOf are the rules themselves and no more: what lies outside a bundle's roots is unknown to the optimiser. Data is loaded later,
// and a rule that needs it would be taken for one that never holds.
func rootsOf(modules []bundle.ModuleFile) []string {
	roots := map[string]bool{}
	for _, module := range modules {
		for _, rule := range module.Parsed.Rules {
			if path, err := module.Parsed.Package.Path.Extend(rule.Head.Ref().GroundPrefix()).Ptr(); err == nil {
				roots[path] = true
			}
		}
	}
	return util.KeysSorted(roots)
}
