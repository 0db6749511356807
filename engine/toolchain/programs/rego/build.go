// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
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
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for _, p := range parsed {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: p.Name, Path: p.Name, Raw: []byte(p.Text), Parsed: p.module})
	}
	compiler := compile.New().WithTarget(compile.TargetWasm).WithEntrypoints(entrypoints...).WithBundle(b).
		WithRegoVersion(ast.RegoV1).WithCapabilities(able).WithOptimizationLevel(optimise)
	if err := compiler.Build(context.Background()); err != nil {
		return result{Problems: problemsOf(err)}, nil
	}
	modules := compiler.Bundle().WasmModules
	if len(modules) != 1 {
		return result{Problems: []problem{{Code: "rego_compile_error", Message: "the compiler made no module"}}}, nil
	}
	return result{OPA: version.Version}, modules[0].Raw
}
