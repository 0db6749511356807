// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/version"
)

// capabilities are those of a target that serves what is native to it and what the host names: a builtin that reads the
// world, or that nobody serves, is not known to the compiler, so its use is an error with a position.
func capabilities(served []string) *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	all.Builtins = slices.DeleteFunc(slices.Clone(all.Builtins), func(b *ast.Builtin) bool {
		return !native[b.Name] && !slices.Contains(served, b.Name)
	})
	return all
}

func build(asked request, parsed []parsedFile) (result, []byte) {
	allowed := capabilities(asked.Served)
	if refused := refusedBuiltins(parsed, allowed); len(refused) > 0 {
		return result{Problems: refused}, nil
	}
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for _, p := range parsed {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: p.Name, Path: p.Name, Raw: []byte(p.Text), Parsed: p.module})
	}
	var output bytes.Buffer
	compiler := compile.New().WithTarget(compile.TargetWasm).WithEntrypoints(asked.Entrypoints...).WithBundle(b).
		WithRegoVersion(ast.RegoV1).WithCapabilities(allowed).WithOutput(&output)
	if err := compiler.Build(context.Background()); err != nil {
		return result{Problems: problemsOf(err)}, nil
	}
	modules := compiler.Bundle().WasmModules
	if len(modules) != 1 {
		return result{Problems: []problem{{Code: "rego_compile_error", Message: "the compiler made no module"}}}, nil
	}
	return result{OPA: version.Version}, modules[0].Raw
}

// refusedBuiltins finds calls and `with` targets of OPA's builtins that are not allowed, so that the error can say so;
// the compiler would call them undefined functions.
func refusedBuiltins(parsed []parsedFile, allowed *ast.Capabilities) (problems []problem) {
	known := map[string]bool{}
	for _, b := range ast.Builtins {
		known[b.Name] = true
	}
	for _, b := range allowed.Builtins {
		delete(known, b.Name)
	}
	for _, p := range parsed {
		ast.WalkTerms(p.module, func(term *ast.Term) bool {
			ref, ok := term.Value.(ast.Ref)
			if ok && known[ref.String()] && term.Location != nil {
				problems = append(problems, problem{Code: "builtin_refused", Message: ref.String(), File: p.Name, Row: term.Location.Row, Col: term.Location.Col})
			}
			return false
		})
	}
	return problems
}
