// SPDX-License-Identifier: Apache-2.0

// Package strict rewrites calls of builtins so that the host sees when one fails: on WebAssembly a builtin that fails is undefined,
// and a rule that denies then silently does not.
package strict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// Names says which builtins are rewritten, and how.
type Names struct {
	// Native to the target and able to fail.
	Native []string
	// Served by the host: it knows of the failure, but not where.
	Served []string
	// Native too, but wrong there: the host's is called instead.
	Replaced []string
}

// Result is a policy that calls the functions of one more module, which call the builtins.
type Result struct {
	Modules []*ast.Module
	// Functions is nil where no builtin is called that can fail.
	Functions *ast.Module
	Query     ast.Body
	// Builtins are what the host must be declared to serve.
	Builtins []*ast.Builtin
}

// FunctionsFile names the module of functions.
const FunctionsFile = "<countersign builtins>"

const place = "countersign.place"

var path = ast.Ref{ast.DefaultRootDocument, ast.StringTerm("countersign"), ast.StringTerm("builtin")}

// Reserved says whether a package is that of the functions.
func Reserved(pkg *ast.Package) bool { return pkg.Path.HasPrefix(path) }

// Rewrite works on modules as they were parsed. Each call
//
//	count(x)
//
// becomes data.countersign.builtin.count_("file:line:column", x), which is count(x) or else, where that is undefined, asks the host
// what OPA itself makes of it. A builtin that some expression replaces using `with` stays a builtin, the host's, with its own
// parameters, so no place is known.
func Rewrite(modules []*ast.Module, query ast.Body, names Names) (*Result, error) {
	r := &rewriter{names: names, known: map[string]*ast.Builtin{}, used: map[string]bool{}, mocked: map[string]bool{}}
	for _, b := range ast.CapabilitiesForThisVersion().Builtins {
		if r.watches(b.Name) && b.Decl.Arity() > 0 && b.Decl.Result() != nil {
			r.known[b.Name] = b
		}
	}
	done := &Result{Query: query.Copy()}
	for _, module := range modules {
		done.Modules = append(done.Modules, module.Copy())
	}
	for _, module := range done.Modules {
		r.findMocks(module)
	}
	r.findMocks(done.Query)
	rules := rulesOf(done.Modules)
	for _, module := range done.Modules {
		r.hidden = hiddenIn(module, rules)
		r.rewrite(module)
	}
	r.hidden = map[string]bool{}
	r.rewrite(done.Query)
	return done, r.finish(done)
}

type rewriter struct {
	names Names
	known map[string]*ast.Builtin
	// mocked are the builtins that `with` replaces, or replaces others by.
	mocked map[string]bool
	// isShadowed: all of data is replaced somewhere, and the functions with it.
	isShadowed bool
	used       map[string]bool
	hidden     map[string]bool
}

func (r *rewriter) watches(name string) bool {
	return slices.Contains(r.names.Native, name) || slices.Contains(r.names.Served, name) || slices.Contains(r.names.Replaced, name)
}

func (r *rewriter) findMocks(x any) {
	ast.WalkWiths(x, func(with *ast.With) bool {
		if ref, ok := with.Target.Value.(ast.Ref); (ok && len(ref) == 1 && ref[0].Equal(ast.DefaultRootDocument)) || with.Target.Equal(ast.DefaultRootDocument) {
			r.isShadowed = true
		}
		for _, term := range []*ast.Term{with.Target, with.Value} {
			if name, ok := nameOf(term); ok && r.known[name] != nil {
				r.mocked[name] = true
			}
		}
		return false
	})
}

// nameOf reads a term that may refer to a builtin: count, json.patch.
func nameOf(term *ast.Term) (string, bool) {
	if name, ok := term.Value.(ast.Var); ok {
		return string(name), true
	}
	ref, ok := term.Value.(ast.Ref)
	if !ok || len(ref) == 0 {
		return "", false
	}
	head, ok := ref[0].Value.(ast.Var)
	if !ok {
		return "", false
	}
	parts := []string{string(head)}
	for _, term := range ref[1:] {
		part, ok := term.Value.(ast.String)
		if !ok {
			return "", false
		}
		parts = append(parts, string(part))
	}
	return strings.Join(parts, "."), true
}

// rulesOf are, for each package, the names of its rules: they hide builtins of the same name.
func rulesOf(modules []*ast.Module) map[string][]string {
	rules := map[string][]string{}
	for _, module := range modules {
		key := module.Package.Path.String()
		for _, rule := range module.Rules {
			if name, ok := rule.Head.Ref()[0].Value.(ast.Var); ok {
				rules[key] = append(rules[key], string(name))
			}
		}
	}
	return rules
}

func hiddenIn(module *ast.Module, rules map[string][]string) map[string]bool {
	hidden := map[string]bool{}
	for _, name := range rules[module.Package.Path.String()] {
		hidden[name] = true
	}
	for _, imported := range module.Imports {
		hidden[string(imported.Name())] = true
	}
	return hidden
}

func (r *rewriter) rewrite(x any) {
	ast.NewGenericVisitor(func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if terms, ok := x.Terms.([]*ast.Term); ok {
				x.Terms = r.call(terms, x.Location)
			}
		case *ast.Term:
			if call, ok := x.Value.(ast.Call); ok {
				x.Value = ast.Call(r.call(call, x.Location))
			}
		case *ast.With:
			r.with(x.Target)
			r.with(x.Value)
		}
		return false
	}).Walk(x)
}

// builtin is the name of a watched builtin that a term refers to in this module.
func (r *rewriter) builtin(term *ast.Term) (string, bool) {
	name, ok := nameOf(term)
	if !ok || r.known[name] == nil || r.hidden[strings.Split(name, ".")[0]] {
		return "", false
	}
	return name, !r.isDirect(name) || !slices.Contains(r.names.Served, name)
}

// isDirect is for builtins that may not become functions.
func (r *rewriter) isDirect(name string) bool { return r.isShadowed || r.mocked[name] }

func (r *rewriter) call(terms []*ast.Term, at *ast.Location) []*ast.Term {
	name, ok := r.builtin(terms[0])
	if !ok {
		return terms
	}
	r.used[name] = true
	rewritten := []*ast.Term{ast.NewTerm(r.function(name)).SetLocation(terms[0].Location)}
	if !r.isDirect(name) {
		text := ""
		if at != nil {
			text = fmt.Sprintf("%s:%d:%d", at.File, at.Row, at.Col)
		}
		rewritten = append(rewritten, ast.StringTerm(text).SetLocation(at))
	}
	return append(rewritten, terms[1:]...)
}

func (r *rewriter) with(term *ast.Term) {
	if name, ok := r.builtin(term); ok {
		r.used[name] = true
		term.Value = r.function(name)
	}
}

// function is what is called in place of a builtin.
func (r *rewriter) function(name string) ast.Ref {
	if r.isDirect(name) {
		return ast.Ref{ast.VarTerm("countersign"), ast.StringTerm("call"), ast.StringTerm(flat(name))}
	}
	return path.Append(ast.StringTerm(flat(name)))
}

// flat makes one word of a name; the last stroke is for names that are keywords, such as contains.
func flat(name string) string { return strings.ReplaceAll(name, ".", "__") + "_" }

func (r *rewriter) finish(done *Result) error {
	used := make([]string, 0, len(r.used))
	for name := range r.used {
		used = append(used, name)
	}
	slices.Sort(used)
	if len(used) == 0 {
		return nil
	}
	var text strings.Builder
	for _, name := range used {
		done.Builtins = append(done.Builtins, r.declare(name)...)
		if !r.isDirect(name) {
			text.WriteString(r.define(name))
		}
	}
	if text.Len() == 0 {
		return nil
	}
	done.Builtins = append(done.Builtins, &ast.Builtin{Name: place, Decl: types.NewFunction(types.Args(types.S, types.S), types.A)})
	// The old syntax still has the builtins that the new one does not.
	functions, err := ast.ParseModuleWithOpts(FunctionsFile, "package countersign.builtin\n"+text.String(), ast.ParserOptions{RegoVersion: ast.RegoV0})
	done.Functions = functions
	return err
}

func (r *rewriter) declare(name string) []*ast.Builtin {
	decl := r.known[name].Decl
	switch {
	case r.isDirect(name) || slices.Contains(r.names.Replaced, name):
		return []*ast.Builtin{{Name: "countersign.call." + flat(name), Decl: decl}}
	case slices.Contains(r.names.Served, name):
		return nil
	}
	args := []types.Type{types.S}
	for range decl.Arity() {
		args = append(args, types.A)
	}
	return []*ast.Builtin{{Name: "countersign.error." + flat(name), Decl: types.NewFunction(args, types.A)}}
}

func (r *rewriter) define(name string) string {
	params := make([]string, r.known[name].Decl.Arity())
	for i := range params {
		params[i] = fmt.Sprintf("x%d", i)
	}
	called, given := name, strings.Join(params, ", ")
	if slices.Contains(r.names.Replaced, name) {
		called = "countersign.call." + flat(name)
	}
	with := strings.Join(append([]string{"at"}, params...), ", ")
	failed := fmt.Sprintf("countersign.error.%s(%s)", flat(name), with)
	if !slices.Contains(r.names.Native, name) || slices.Contains(r.names.Replaced, name) {
		failed = fmt.Sprintf("%s(at, %q)", place, name)
	}
	return fmt.Sprintf("\n%s(%s) = y { y = %s(%s) } else = y { y = %s }\n", flat(name), with, called, given, failed)
}
