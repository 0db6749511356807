// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strconv"

	"countersign.dev/rego/internal/patterns"
	"countersign.dev/rego/internal/strict"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/compile"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/version"
)

// capabilities are those of a target that has what is native to it and what the host serves: another builtin is not known to the
// compiler.
func capabilities(asked request) *ast.Capabilities {
	known := asked.known()
	all := ast.CapabilitiesForThisVersion()
	all.Builtins = slices.DeleteFunc(slices.Clone(all.Builtins), func(b *ast.Builtin) bool { return !known[b.Name] })
	return all
}

func build(asked request, parsed []parsedFile) (result, []byte) {
	if asked.Optimise > 0 {
		lighter, problems := optimised(asked, parsed)
		if len(problems) > 0 {
			return result{Problems: problems}, nil
		}
		parsed = lighter
	}
	rewritten, problems := prepare(asked, parsed, nil)
	if len(problems) > 0 {
		return result{Problems: problems}, nil
	}
	b := &bundle.Bundle{Data: map[string]any{}}
	b.Manifest.Init()
	for i, p := range parsed {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: p.Name, Path: p.Name, Raw: []byte(p.Text), Parsed: rewritten.Modules[i]})
	}
	if rewritten.Functions != nil {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: strict.FunctionsFile, Path: strict.FunctionsFile, Parsed: rewritten.Functions})
	}
	entrypoints := asked.Entrypoints
	if ready := patterns.Module(asWritten(parsed)); ready != nil {
		b.Modules = append(b.Modules, bundle.ModuleFile{URL: patterns.File, Path: patterns.File, Parsed: ready})
		entrypoints = append(slices.Clone(entrypoints), patterns.Entrypoint)
	}
	known := capabilities(asked)
	known.Builtins = append(known.Builtins, rewritten.Builtins...)
	compiler := compile.New().WithTarget(compile.TargetWasm).WithEntrypoints(entrypoints...).WithBundle(b).
		WithRegoVersion(ast.RegoV1).WithCapabilities(known)
	if err := compiler.Build(context.Background()); err != nil {
		return result{Problems: problemsOf(err)}, nil
	}
	modules := compiler.Bundle().WasmModules
	if len(modules) != 1 {
		return result{Problems: []problem{{Code: "rego_compile_error", Message: "the compiler made no module"}}}, nil
	}
	return result{OPA: version.Version}, modules[0].Raw
}

// prepare checks modules as they were written, so that messages and places are those of the source, and then rewrites them.
func prepare(asked request, parsed []parsedFile, query ast.Body) (*strict.Result, []problem) {
	if problems := append(refusedBuiltins(asked, parsed), reservedPackages(parsed)...); len(problems) > 0 {
		return nil, problems
	}
	compiler := ast.NewCompiler().WithCapabilities(capabilities(asked)).WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modulesOf(parsed)); compiler.Failed() {
		return nil, problemsOf(compiler.Errors)
	}
	rewritten, err := strict.Rewrite(asWritten(parsed), query, strict.Names{Native: asked.Fallible, Served: asked.Served, Replaced: asked.Replaced})
	if err != nil {
		return nil, problemsOf(err)
	}
	return rewritten, nil
}

func asWritten(parsed []parsedFile) []*ast.Module {
	modules := make([]*ast.Module, len(parsed))
	for i, p := range parsed {
		modules[i] = p.module
	}
	return modules
}

// reservedPackages are those that would add rules to the functions that calls of builtins are rewritten to.
func reservedPackages(parsed []parsedFile) (problems []problem) {
	for _, p := range parsed {
		if strict.Reserved(p.module.Package) {
			at := p.module.Package.Location
			message := "package " + strconv.Quote(dotted(p.module.Package.Path)) + " is reserved"
			problems = append(problems, problem{Code: "package_name", Message: message, File: p.Name, Line: at.Row, Column: at.Col})
		}
	}
	return problems
}

// query compiles a query to a module of one entrypoint whose results are its bindings, as OPA's own cases ask.
func query(asked request, parsed []parsedFile) (result, []byte) {
	syntax := ast.RegoV1
	if len(parsed) > 0 {
		syntax = parsed[0].version()
	}
	body, err := ast.ParseBodyWithOpts(asked.Query, ast.ParserOptions{RegoVersion: syntax})
	if err != nil {
		return result{Problems: problemsOf(err)}, nil
	}
	return compileQuery(asked, parsed, body, syntax)
}

func compileQuery(asked request, parsed []parsedFile, body ast.Body, syntax ast.RegoVersion) (result, []byte) {
	rewritten, problems := prepare(asked, parsed, body)
	if len(problems) > 0 {
		return result{Problems: problems}, nil
	}
	options := []func(*rego.Rego){rego.ParsedQuery(rewritten.Query), rego.SetRegoVersion(syntax), rego.Capabilities(capabilities(asked))}
	for i := range parsed {
		options = append(options, rego.ParsedModule(rewritten.Modules[i]))
	}
	if rewritten.Functions != nil {
		options = append(options, rego.ParsedModule(rewritten.Functions))
	}
	for _, b := range rewritten.Builtins {
		options = append(options, rego.FunctionDecl(&rego.Function{Name: b.Name, Decl: b.Decl}))
	}
	compiled, err := rego.New(options...).Compile(context.Background())
	if err != nil {
		return result{Problems: problemsOf(err)}, nil
	}
	return result{OPA: version.Version}, compiled.Bytes
}
