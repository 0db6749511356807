// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/types"
	"github.com/open-policy-agent/opa/v1/util"
)

// queryPart is one expression of a query. Its value is that of the variable Captured in the module's answer, or true where there is none.
type queryPart struct {
	Text     string         `json:"text"`
	Location *rego.Location `json:"location"`
	Captured string         `json:"captured,omitempty"`
}

// evalModule compiles what eval would answer: the values of the query's expressions are further variables of it.
func evalModule(asked request, parsed []parsedFile) (result, []byte) {
	query, problems := queryOf(asked.Eval.Query)
	problems = append(problems, worldUses(asked, parsed, query)...)
	problems = append(problems, wholeData(query)...)
	if len(problems) > 0 {
		return result{Problems: problems}, nil
	}
	compiler := ast.NewCompiler().WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modulesOf(parsed)); compiler.Failed() {
		return result{Problems: problemsOf(compiler.Errors)}, nil
	}
	if problems := conflicts(compiler, inmem.NewFromObject(documents(asked.Data))); len(problems) > 0 {
		return result{Problems: problems}, nil
	}
	// As it was asked, so that messages do not speak of what is added.
	asking := compiler.QueryCompiler()
	compiled, err := asking.Compile(query.Copy())
	if err != nil {
		return result{Problems: inQuery(problemsOf(err))}, nil
	}
	names := variables(compiled, asking.RewrittenVars())
	body, parts := capture(query, compiler.TypeEnv)
	done, module := compileQuery(asked, parsed, answersOf(body, names, parts), ast.RegoV1)
	done.Parts = parts
	return done, module
}

// wholeData refuses what would show the functions that calls of builtins become, which no policy has.
func wholeData(query ast.Body) (problems []problem) {
	ast.WalkTerms(query, func(term *ast.Term) bool {
		ref, ok := term.Value.(ast.Ref)
		isAll := term.Equal(ast.DefaultRootDocument)
		if ok && ref[0].Equal(ast.DefaultRootDocument) {
			isAll = len(ref) == 1 || !ref[1].IsGround()
		}
		if isAll {
			message := "all of data is no document of a module: name a path in it"
			problems = append(problems, problem{Code: "query", Message: message, File: queryName, Line: term.Location.Row, Column: term.Location.Col})
		}
		return ok
	})
	return problems
}

// variables are those that a query's answers show.
func variables(compiled ast.Body, written map[ast.Var]ast.Var) []string {
	names := map[string]bool{}
	for name := range compiled.Vars(ast.VarVisitorParams{SkipRefCallHead: true, SkipClosures: true}) {
		if before, ok := written[name]; ok {
			name = before
		}
		if !name.IsWildcard() && !name.IsGenerated() && !ast.RootDocumentNames.Contains(ast.VarTerm(string(name))) {
			names[string(name)] = true
		}
	}
	return util.KeysSorted(names)
}

// answersOf makes of a query one that is always defined: an array of its answers, each an object of variables by name.
func answersOf(body ast.Body, names []string, parts []queryPart) ast.Body {
	members := [][2]*ast.Term{}
	for _, name := range names {
		members = append(members, ast.Item(ast.StringTerm(name), ast.VarTerm(apartName(name))))
	}
	for _, part := range parts {
		if part.Captured != "" {
			members = append(members, ast.Item(ast.StringTerm(part.Captured), ast.VarTerm(part.Captured)))
		}
	}
	answers := ast.ArrayComprehensionTerm(ast.ObjectTerm(members...), apart(body))
	return ast.NewBody(ast.Equality.Expr(ast.VarTerm("result"), answers))
}

// apart keeps a variable of the query's own that is called as the one of all answers from being that one.
func apart(body ast.Body) ast.Body {
	renamed, err := ast.TransformVars(body, func(name ast.Var) (ast.Value, error) {
		return ast.Var(apartName(string(name))), nil
	})
	if err != nil {
		panic(err)
	}
	return renamed.(ast.Body)
}

func apartName(name string) string {
	if name == "result" {
		return "countersign_result"
	}
	return name
}

// capture gives each expression that has a value a variable for it, as OPA's evaluator does: a value of false is an answer where the
// query is one expression over nothing, and else makes the query undefined.
func capture(query ast.Body, known *ast.TypeEnv) (ast.Body, []queryPart) {
	body := ast.Body{}
	checks := ast.Body{}
	parts := []queryPart{}
	isChecked := len(query) > 1 || iterates(query)
	for i, expr := range query {
		body.Append(expr)
		part := queryPart{Text: string(expr.Location.Text), Location: &rego.Location{Row: expr.Location.Row, Col: expr.Location.Col}}
		if decl, ok := expr.Terms.(*ast.SomeDecl); ok && !isMembership(decl) {
			continue
		}
		if value := valueOf(expr, known); value != nil {
			part.Captured = fmt.Sprintf("countersign_value_%d", i)
			name := ast.VarTerm(part.Captured).SetLocation(expr.Location)
			expr.Terms = ast.Equality.Expr(name, value).Terms
			if isChecked {
				checks.Append(ast.NewExpr(name).SetLocation(expr.Location))
			}
		}
		parts = append(parts, part)
	}
	for _, check := range checks {
		body.Append(check)
	}
	return body, parts
}

func isMembership(decl *ast.SomeDecl) bool {
	_, ok := decl.Symbols[0].Value.(ast.Call)
	return ok
}

// valueOf is the term that an expression is, or the call; nil for what is true or not at all.
func valueOf(expr *ast.Expr, known *ast.TypeEnv) *ast.Term {
	if expr.Negated || expr.IsAssignment() || expr.IsEquality() {
		return nil
	}
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		return terms
	case []*ast.Term:
		if of := known.GetByValue(terms[0].Value); !types.Void(of) && types.Arity(of) == len(terms)-1 {
			return ast.CallTerm(terms...).SetLocation(expr.Location)
		}
	}
	return nil
}

// iterates says whether a query may have several answers: a reference with a variable in it, or a relation, outside of comprehensions.
func iterates(query ast.Body) bool {
	found := false
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Term:
			return ast.IsComprehension(x.Value)
		case ast.Ref:
			if b := ast.BuiltinMap[x.String()]; b != nil && b.Relation {
				found = true
			}
			for _, part := range x[1:] {
				if _, ok := part.Value.(ast.Var); ok {
					found = true
				}
			}
		}
		return found
	}).Walk(query)
	return found
}
