// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/dependencies"
)

type dependency struct {
	Base    []string `json:"base"`
	Virtual []string `json:"virtual"`
}

// deps are the documents that a query reads: base ones come from outside, virtual ones from rules.
func deps(asked request, parsed []parsedFile) result {
	query, problems := queryOf(asked.Eval.Query)
	if len(problems) > 0 {
		return result{Problems: problems}
	}
	compiler := ast.NewCompiler().WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modulesOf(parsed)); compiler.Failed() {
		return result{Problems: problemsOf(compiler.Errors)}
	}
	base, err := dependencies.Base(compiler, query)
	if err != nil {
		return result{Problems: problemsOf(err)}
	}
	virtual, err := dependencies.Virtual(compiler, query)
	if err != nil {
		return result{Problems: problemsOf(err)}
	}
	return result{Deps: &dependency{Base: refTexts(base), Virtual: refTexts(virtual)}}
}

func refTexts(refs []ast.Ref) []string {
	texts := make([]string, 0, len(refs))
	for _, ref := range refs {
		texts = append(texts, ref.String())
	}
	return texts
}

// queryName is what a query is called where it is at fault.
const queryName = "<query>"

func queryOf(text string) (ast.Body, []problem) {
	if err := refuseDepth(file{Name: queryName, Text: text}); err != nil {
		return nil, problemsOf(err)
	}
	body, err := ast.ParseBodyWithOpts(text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	if err != nil {
		return nil, inQuery(problemsOf(err))
	}
	return body, nil
}

// inQuery names the query where no file is at fault, and leaves out the variable that OPA itself makes for the query's result.
func inQuery(problems []problem) []problem {
	if len(problems) > 1 {
		problems = slices.DeleteFunc(problems, func(p problem) bool { return p.Message == "var _ is unsafe" })
	}
	for i := range problems {
		if problems[i].File == "" {
			problems[i].File = queryName
		}
	}
	return problems
}
