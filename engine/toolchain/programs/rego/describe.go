// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/version"
)

type ruleInfo struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Line int    `json:"line"`
}

type annotation struct {
	Scope       string         `json:"scope"`
	Path        string         `json:"path"`
	Title       string         `json:"title,omitempty"`
	Description string         `json:"description,omitempty"`
	Custom      map[string]any `json:"custom,omitempty"`
	Line        int            `json:"line"`
	Entrypoint  bool           `json:"entrypoint,omitempty"`
}

type moduleInfo struct {
	File        string       `json:"file"`
	Package     string       `json:"package"`
	Rules       []ruleInfo   `json:"rules"`
	Annotations []annotation `json:"annotations"`
	Imports     []string     `json:"imports"`
	Builtins    []builtinUse `json:"builtins"`
}

func describe(parsed []parsedFile) result {
	modules := make([]moduleInfo, 0, len(parsed))
	var problems []problem
	defined := definedNames(parsed)
	for _, p := range parsed {
		info := moduleInfo{
			File: p.Name, Package: dotted(p.module.Package.Path), Rules: []ruleInfo{}, Annotations: []annotation{},
			Imports: []string{}, Builtins: builtinsOf(p.module, defined),
		}
		for _, imported := range p.module.Imports {
			info.Imports = append(info.Imports, imported.Path.String())
		}
		for _, rule := range p.module.Rules {
			info.Rules = append(info.Rules, ruleInfo{Name: nameOf(rule), Kind: kindOf(rule), Line: rule.Location.Row})
		}
		set, errs := ast.BuildAnnotationSet([]*ast.Module{p.module})
		if len(errs) > 0 {
			problems = append(problems, problemsOf(errs)...)
			continue
		}
		for _, ref := range set.Flatten() {
			if ref.Annotations != nil {
				info.Annotations = append(info.Annotations, annotationOf(ref))
			}
		}
		modules = append(modules, info)
	}
	if len(problems) > 0 {
		return result{Problems: problems}
	}
	return result{Modules: modules, OPA: version.Version}
}

func annotationOf(ref *ast.AnnotationsRef) annotation {
	a := annotation{
		Scope: ref.Annotations.Scope, Path: ref.Path.String(), Title: ref.Annotations.Title,
		Description: ref.Annotations.Description, Custom: ref.Annotations.Custom,
		Entrypoint: ref.Annotations.Entrypoint,
	}
	if ref.Annotations.Location != nil {
		a.Line = ref.Annotations.Location.Row
	}
	return a
}

// dotted is a package path without data: main, countersign.rules.pod.privileged.
func dotted(path ast.Ref) string {
	parts := make([]string, 0, len(path))
	for _, term := range path[1:] {
		if text, ok := term.Value.(ast.String); ok {
			parts = append(parts, string(text))
		}
	}
	return strings.Join(parts, ".")
}

// nameOf is the first part of the head's reference: `deny` of `deny contains x`, `deny[x]` and `deny.y := 1`.
func nameOf(rule *ast.Rule) string {
	if ref := rule.Head.Ref(); len(ref) > 0 {
		if name, ok := ref[0].Value.(ast.Var); ok {
			return string(name)
		}
	}
	return string(rule.Head.Name)
}

func kindOf(rule *ast.Rule) string {
	switch {
	case len(rule.Head.Args) > 0:
		return "function"
	case rule.Head.RuleKind() == ast.MultiValue:
		return "set"
	case len(rule.Head.Ref()) > 1:
		return "object"
	}
	return "complete"
}
