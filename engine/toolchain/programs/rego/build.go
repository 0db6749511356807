// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/util"
	"github.com/open-policy-agent/opa/v1/version"
)

// capabilities are those of a target that serves what is native to it and what the host names: a builtin that reads the
// world, or that nobody serves, is not known to the compiler.
func capabilities(served []string) *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	all.Builtins = slices.DeleteFunc(slices.Clone(all.Builtins), func(b *ast.Builtin) bool {
		return !native[b.Name] && !slices.Contains(served, b.Name)
	})
	return all
}

func build(asked request, parsed []parsedFile) (result, []byte) {
	if refused := refusedBuiltins(parsed, asked.Served); len(refused) > 0 {
		return result{Problems: refused}, nil
	}
	return buildFor(parsed, asked.Entrypoints, capabilities(asked.Served), asked.Optimise)
}

func buildFor(parsed []parsedFile, entrypoints []string, able *ast.Capabilities, optimise int) (result, []byte) {
	b := bundleOf(parsed)
	if optimise > 0 {
		lighter, err := optimised(b, entrypoints, able, optimise)
		if err != nil {
			return result{Problems: problemsOf(err)}, nil
		}
		b = lighter
	}
	compiler := compile.New().WithTarget(compile.TargetWasm).WithEntrypoints(entrypoints...).WithBundle(b).
		WithRegoVersion(ast.RegoV1).WithCapabilities(able)
	if err := compiler.Build(context.Background()); err != nil {
		return result{Problems: problemsOf(err)}, nil
	}
	modules := compiler.Bundle().WasmModules
	if len(modules) != 1 {
		return result{Problems: []problem{{Code: "rego_compile_error", Message: "the compiler made no module"}}}, nil
	}
	return result{OPA: version.Version}, modules[0].Raw
}

func bundleOf(parsed []parsedFile) *bundle.Bundle {
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for _, p := range parsed {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: p.Name, Path: p.Name, Raw: []byte(p.Text), Parsed: p.module})
	}
	return b
}

// optimised lets OPA rewrite the rules and reads what it wrote: its code generator panics over rules that have no place in a file,
// as most of those that its optimiser makes.
func optimised(b *bundle.Bundle, entrypoints []string, able *ast.Capabilities, level int) (*bundle.Bundle, error) {
	roots := rootsOf(b.Modules)
	b.Manifest.Roots = &roots
	compiler := compile.New().WithTarget(compile.TargetRego).WithEntrypoints(entrypoints...).WithBundle(b).
		WithRegoVersion(ast.RegoV1).WithCapabilities(able).WithOptimizationLevel(level)
	if err := compiler.Build(context.Background()); err != nil {
		return nil, err
	}
	lighter := compiler.Bundle()
	for i, module := range lighter.Modules {
		text := module.Raw
		if text == nil {
			text = format.MustAst(module.Parsed)
		}
		options := ast.ParserOptions{RegoVersion: module.Parsed.RegoVersion(), ProcessAnnotation: true, Capabilities: able}
		read, err := ast.ParseModuleWithOpts(module.Path, string(text), options)
		if err != nil {
			return nil, err
		}
		lighter.Modules[i].Parsed = read
	}
	return lighter, nil
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
