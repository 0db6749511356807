// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/version"
)

type file struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

type request struct {
	Op          string         `json:"op"`
	Files       []file         `json:"files"`
	Entrypoints []string       `json:"entrypoints"`
	Data        map[string]any `json:"data"`
	// Builtins that the host serves, beyond those that are native to the target.
	Served []string `json:"served"`
}

type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Row     int    `json:"row,omitempty"`
	Col     int    `json:"col,omitempty"`
}

type result struct {
	Problems []problem    `json:"problems,omitempty"`
	Modules  []moduleInfo `json:"modules,omitempty"`
	Tests    *testReport  `json:"tests,omitempty"`
	OPA      string       `json:"opa,omitempty"`
}

func do(asked request) (result, []byte) {
	parsed, problems := parse(asked.Files)
	if len(problems) > 0 {
		return result{Problems: problems}, nil
	}
	switch asked.Op {
	case "parse":
		return describe(parsed), nil
	case "check":
		return result{Problems: check(parsed), OPA: version.Version}, nil
	case "build":
		return build(asked, parsed)
	case "test":
		return test(asked, parsed), nil
	}
	return result{Problems: []problem{{Code: "request", Message: "unknown operation " + asked.Op}}}, nil
}

type parsedFile struct {
	file
	module *ast.Module
}

// parse reads every file and collects what is wrong with any of them.
func parse(files []file) (parsed []parsedFile, problems []problem) {
	for _, f := range files {
		module, err := ast.ParseModuleWithOpts(f.Name, f.Text, ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
		if err != nil {
			problems = append(problems, problemsOf(err)...)
			continue
		}
		if module == nil {
			problems = append(problems, problem{Code: "rego_parse_error", Message: "empty module", File: f.Name, Row: 1, Col: 1})
			continue
		}
		parsed = append(parsed, parsedFile{f, module})
	}
	return parsed, problems
}

func problemsOf(err error) []problem {
	var several ast.Errors
	if !errors.As(err, &several) {
		var one *ast.Error
		if !errors.As(err, &one) {
			return []problem{{Code: "rego_error", Message: err.Error()}}
		}
		several = ast.Errors{one}
	}
	problems := make([]problem, 0, len(several))
	for _, e := range several {
		p := problem{Code: e.Code, Message: e.Message}
		if e.Location != nil {
			p.File, p.Row, p.Col = e.Location.File, e.Location.Row, e.Location.Col
		}
		problems = append(problems, p)
	}
	return problems
}

func modulesOf(parsed []parsedFile) map[string]*ast.Module {
	modules := make(map[string]*ast.Module, len(parsed))
	for _, p := range parsed {
		modules[p.Name] = p.module
	}
	return modules
}

// check compiles strictly: unused variables and imports, deprecated builtins, shadowed input.
func check(parsed []parsedFile) []problem {
	compiler := ast.NewCompiler().WithStrict(true).WithDefaultRegoVersion(ast.RegoV1).SetErrorLimit(100)
	compiler.Compile(modulesOf(parsed))
	if !compiler.Failed() {
		return nil
	}
	return problemsOf(compiler.Errors)
}
