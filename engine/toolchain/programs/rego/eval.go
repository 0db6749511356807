// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown"
)

type evalOptions struct {
	// Query is Rego: `data.main.deny`, `x := 1; x > 0`.
	Query string `json:"query"`
	// Explain asks which rules fired, and where the others stopped.
	Explain bool `json:"explain"`
	// Strict makes the first failing builtin an error, where it is undefined otherwise.
	Strict bool `json:"strict"`
	// TimeMs is the clock, in milliseconds since 1970.
	TimeMs int64 `json:"timeMs"`
}

type evaluation struct {
	// Result is empty where the query is undefined.
	Result  []answered  `json:"result"`
	Printed string      `json:"printed"`
	Rules   []ruleTrace `json:"rules"`
}

// answered holds values as JSON text, two spaces a level: whoever reads the answer may not lose digits of a number.
type answered struct {
	Expressions []expression      `json:"expressions"`
	Bindings    map[string]string `json:"bindings,omitempty"`
}

type expression struct {
	Value    string         `json:"value"`
	Text     string         `json:"text"`
	Location *rego.Location `json:"location"`
}

// eval answers a query with OPA's own evaluator.
func eval(asked request, parsed []parsedFile) result {
	query, problems := queryOf(asked.Eval.Query)
	problems = append(problems, worldUses(asked, parsed, query)...)
	if len(problems) > 0 {
		return result{Problems: problems}
	}
	compiler := ast.NewCompiler().WithEnablePrintStatements(true).WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modulesOf(parsed)); compiler.Failed() {
		return result{Problems: problemsOf(compiler.Errors)}
	}
	// What a rule and a document both define has two values: OPA refuses it.
	store := inmem.NewFromObject(documents(asked.Data))
	if problems := conflicts(compiler, store); len(problems) > 0 {
		return result{Problems: problems}
	}
	var printed bytes.Buffer
	options := []func(*rego.Rego){
		rego.Compiler(compiler), rego.Store(store), rego.ParsedQuery(query), rego.StrictBuiltinErrors(asked.Eval.Strict),
		rego.EnablePrintStatements(true), rego.PrintHook(topdown.NewPrintHook(&printed)),
	}
	if asked.Input != nil {
		input, err := inputOf(*asked.Input)
		if err != nil {
			return result{Problems: []problem{{Code: "input", Message: err.Error()}}}
		}
		options = append(options, rego.ParsedInput(input))
	}
	found, rules, err := run(options, time.UnixMilli(asked.Eval.TimeMs), asked.Eval.Explain)
	if err != nil {
		return result{Problems: inQuery(problemsOf(err))}
	}
	return result{Eval: &evaluation{Result: answers(found), Printed: printed.String(), Rules: rules}}
}

func run(options []func(*rego.Rego), now time.Time, explain bool) (rego.ResultSet, []ruleTrace, error) {
	ctx := context.Background()
	prepared, err := rego.New(options...).PrepareForEval(ctx)
	if err != nil {
		return nil, nil, err
	}
	if !explain {
		found, err := prepared.Eval(ctx, rego.EvalTime(now))
		return found, []ruleTrace{}, err
	}
	tracer := newExplainer()
	// Both shortcuts leave rules out that a reader asks about.
	found, err := prepared.Eval(ctx, rego.EvalTime(now), rego.EvalQueryTracer(tracer), rego.EvalRuleIndexing(false), rego.EvalEarlyExit(false))
	return found, tracer.rules(), err
}

func documents(data map[string]any) map[string]any {
	if data == nil {
		return map[string]any{}
	}
	return data
}

func conflicts(compiler *ast.Compiler, store storage.Store) []problem {
	ctx := context.Background()
	txn, err := store.NewTransaction(ctx)
	if err != nil {
		return problemsOf(err)
	}
	defer store.Abort(ctx, txn)
	if errs := ast.CheckPathConflicts(compiler, storage.NonEmpty(ctx, store, txn)); len(errs) > 0 {
		return problemsOf(errs)
	}
	return nil
}

func inputOf(text string) (ast.Value, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return ast.InterfaceToValue(value)
}

func answers(found rego.ResultSet) []answered {
	all := make([]answered, 0, len(found))
	for _, one := range found {
		answer := answered{Expressions: make([]expression, 0, len(one.Expressions)), Bindings: map[string]string{}}
		for _, e := range one.Expressions {
			answer.Expressions = append(answer.Expressions, expression{Value: textOf(e.Value), Text: e.Text, Location: e.Location})
		}
		for name, value := range one.Bindings.WithoutWildcards() {
			answer.Bindings[name] = textOf(value)
		}
		all = append(all, answer)
	}
	return all
}

func textOf(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(text.String(), "\n")
}

// worldUses are the builtins whose answer would be made up here: there is no network and no chance.
func worldUses(asked request, parsed []parsedFile, query ast.Body) []problem {
	problems := refusedBuiltins(asked, parsed)
	known := asked.known()
	ast.WalkTerms(query, func(term *ast.Term) bool {
		if name, ok := builtinName(term); ok && !known[name] {
			problems = append(problems, problem{Code: "builtin_refused", Message: name, File: queryName, Line: term.Location.Row, Column: term.Location.Col})
		}
		return false
	})
	return slices.Compact(problems)
}

// firstLine is the text of a node as written, cut at its first line's end.
func firstLine(location *ast.Location) string {
	text, _, more := strings.Cut(string(location.Text), "\n")
	if more {
		return text + " …"
	}
	return text
}
