// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/version"
)

type file struct {
	Name string `json:"name"`
	Text string `json:"text"`
	// Written in the syntax of Rego before OPA 1.0.
	V0 bool `json:"v0"`
}

func (f file) version() ast.RegoVersion {
	if f.V0 {
		return ast.RegoV0
	}
	return ast.RegoV1
}

type request struct {
	Op          string         `json:"op"`
	Files       []file         `json:"files"`
	Entrypoints []string       `json:"entrypoints"`
	Data        map[string]any `json:"data"`
	// Builtins by name, as the host's one table has them: what the target has itself (or its compiler removes), what the host serves, and
	// what only a test may call.
	Native []string `json:"native"`
	Served []string `json:"served"`
	Tests  []string `json:"tests"`
	// Of the native ones: those whose failure the host is to see, and those that the host answers instead.
	Fallible []string `json:"fallible"`
	Replaced []string `json:"replaced"`
	// Compiled in place of entrypoints, for OPA's own cases.
	Query string `json:"query"`
	// Optimise is OPA's level for build, 0 to 2.
	Optimise int          `json:"optimise"`
	Schemas  []schemaFile `json:"schemas"`
	Eval     evalOptions  `json:"eval"`
	Test     testOptions  `json:"test"`
	// Input is JSON text, absent where input is undefined: inside the request its numbers would lose digits.
	Input *string `json:"input"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

type result struct {
	Problems []problem    `json:"problems,omitempty"`
	Modules  []moduleInfo `json:"modules,omitempty"`
	Tests    *testReport  `json:"tests,omitempty"`
	OPA      string       `json:"opa,omitempty"`
	// Texts are the formatted sources, in the order of the request.
	Texts   []string    `json:"texts,omitempty"`
	Deps    *dependency `json:"deps,omitempty"`
	Eval    *evaluation `json:"eval,omitempty"`
	Entries []testEntry `json:"entries,omitempty"`
	Parts   []queryPart `json:"parts,omitempty"`
}

func do(asked request) (result, []byte) {
	if asked.Op == "format" {
		return formatAll(asked.Files), nil
	}
	parsed, problems := parse(asked.Files)
	if len(problems) > 0 {
		return result{Problems: problems}, nil
	}
	switch asked.Op {
	case "parse":
		return describe(parsed), nil
	case "check":
		return result{Problems: check(asked, parsed), OPA: version.Version}, nil
	case "build":
		return build(asked, parsed)
	case "query":
		return query(asked, parsed)
	case "test":
		return test(asked, parsed), nil
	case "test_module":
		return testModule(asked, parsed)
	case "eval":
		return eval(asked, parsed), nil
	case "eval_module":
		return evalModule(asked, parsed)
	case "deps":
		return deps(asked, parsed), nil
	}
	return result{Problems: []problem{{Code: "request", Message: "unknown operation " + asked.Op}}}, nil
}

type parsedFile struct {
	file
	module *ast.Module
}

// parse reads every file and collects what is wrong with any of them.
func parse(files []file) (parsed []parsedFile, problems []problem) {
	names := map[string]bool{}
	for _, f := range files {
		if names[f.Name] {
			problems = append(problems, problem{Code: "duplicate_file", Message: "two files have this name", File: f.Name, Line: 1, Column: 1})
			continue
		}
		names[f.Name] = true
		module, err := parseOne(f)
		if err != nil {
			problems = append(problems, problemsOf(err)...)
			continue
		}
		if module == nil {
			problems = append(problems, problem{Code: "rego_parse_error", Message: "empty module", File: f.Name, Line: 1, Column: 1})
			continue
		}
		if part, ok := ambiguousPart(module); ok {
			at := module.Package.Location
			message := "part " + strconv.Quote(part) + " of the package has a dot or a slash: rules in it could not be told apart"
			problems = append(problems, problem{Code: "package_name", Message: message, File: f.Name, Line: at.Row, Column: at.Col})
			continue
		}
		parsed = append(parsed, parsedFile{f, module})
	}
	return parsed, problems
}

// maxDepth keeps what the parser takes within the host's stack: deeper nesting would end the program, not just the request.
const maxDepth = 1000

func parseOne(f file) (*ast.Module, error) {
	if err := refuseDepth(f); err != nil {
		return nil, err
	}
	return ast.ParseModuleWithOpts(f.Name, f.Text, ast.ParserOptions{RegoVersion: f.version(), ProcessAnnotation: true})
}

// refuseDepth parses once more, to no end but the limit, which a module's parser cannot be given; few files have so many brackets.
func refuseDepth(f file) error {
	if strings.Count(f.Text, "[")+strings.Count(f.Text, "{")+strings.Count(f.Text, "(") <= maxDepth {
		return nil
	}
	parser := ast.NewParser().WithFilename(f.Name).WithReader(strings.NewReader(f.Text)).WithRegoVersion(f.version()).
		WithMaxRecursionDepth(maxDepth)
	if _, _, errs := parser.Parse(); len(errs) > 0 {
		return errs
	}
	return nil
}

// ambiguousPart finds what makes a dotted package or an entrypoint's path mean two things: data["a.b"] is not data.a.b.
func ambiguousPart(module *ast.Module) (string, bool) {
	for _, term := range module.Package.Path[1:] {
		if text, ok := term.Value.(ast.String); ok && strings.ContainsAny(string(text), "./") {
			return string(text), true
		}
	}
	return "", false
}

func problemsOf(err error) []problem {
	var several ast.Errors
	if !errors.As(err, &several) {
		var failed *topdown.Error
		if errors.As(err, &failed) {
			return []problem{evaluationProblem(failed)}
		}
		var one *ast.Error
		if !errors.As(err, &one) {
			return []problem{{Code: "rego_error", Message: err.Error()}}
		}
		several = ast.Errors{one}
	}
	// OPA orders by place; what it finds in one place comes in any order.
	slices.SortStableFunc(several, func(a, b *ast.Error) int {
		if a.Location == nil || b.Location == nil || a.Location.Compare(b.Location) != 0 {
			return 0
		}
		return strings.Compare(a.Message, b.Message)
	})
	problems := make([]problem, 0, len(several))
	for _, e := range several {
		p := problem{Code: e.Code, Message: e.Message}
		if e.Location != nil {
			p.File, p.Line, p.Column = e.Location.File, e.Location.Row, e.Location.Col
		}
		problems = append(problems, p)
	}
	return problems
}

func evaluationProblem(failed *topdown.Error) problem {
	p := problem{Code: failed.Code, Message: failed.Message}
	if failed.Location != nil {
		p.File, p.Line, p.Column = failed.Location.File, failed.Location.Row, failed.Location.Col
	}
	return p
}

func modulesOf(parsed []parsedFile) map[string]*ast.Module {
	modules := make(map[string]*ast.Module, len(parsed))
	for _, p := range parsed {
		modules[p.Name] = p.module
	}
	return modules
}

// check compiles strictly: unused variables and imports, deprecated builtins, shadowed input, builtins that are not there.
func check(asked request, parsed []parsedFile) []problem {
	problems := refusedBuiltins(asked, parsed)
	schemas, faults := schemasOf(asked.Schemas)
	if len(faults) > 0 {
		return append(problems, faults...)
	}
	compiler := ast.NewCompiler().WithStrict(true).WithDefaultRegoVersion(ast.RegoV1).SetErrorLimit(100).WithSchemas(schemas).
		WithCapabilities(offline()).WithUseTypeCheckAnnotations(true)
	compiler.Compile(modulesOf(parsed))
	if compiler.Failed() {
		problems = append(problems, problemsOf(compiler.Errors)...)
	}
	return problems
}
