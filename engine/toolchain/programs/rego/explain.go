// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

type place struct {
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Text   string `json:"text"`
}

// ruleTrace is what became of one rule body: how often it held, and where it stopped if it never did.
type ruleTrace struct {
	Path    string `json:"path"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Head    string `json:"head"`
	Fired   int    `json:"fired"`
	Stopped *place `json:"stopped,omitempty"`
}

// explainer keeps, of every rule body that is entered, the expression furthest down that failed. A body is tried for many values,
// each of which may fail earlier; the furthest is the first that none of them passed.
type explainer struct {
	bodies  map[*ast.Rule]*bodyTrace
	queries map[uint64]*bodyTrace
	// parents are of the queries inside a body: those of every, not and comprehensions.
	parents map[uint64]uint64
	// inner is what failed last inside a body, by the body's query.
	inner map[uint64]*ast.Expr
}

type bodyTrace struct {
	rule    *ast.Rule
	fired   int
	stopped *ast.Expr
	// at is where a reader looks: stopped itself, or what failed inside of it.
	at *ast.Expr
}

func newExplainer() *explainer {
	return &explainer{
		bodies: map[*ast.Rule]*bodyTrace{}, queries: map[uint64]*bodyTrace{}, parents: map[uint64]uint64{}, inner: map[uint64]*ast.Expr{},
	}
}

func (*explainer) Enabled() bool { return true }

func (*explainer) Config() topdown.TraceConfig { return topdown.TraceConfig{} }

func (x *explainer) TraceEvent(event topdown.Event) {
	switch node := event.Node.(type) {
	case *ast.Rule:
		x.traceRule(event, node)
	case *ast.Expr:
		if event.Op == topdown.FailOp {
			x.traceFail(event.QueryID, node)
		}
	}
	// A query is numbered after its parent; the first has none.
	if event.Op == topdown.EnterOp && x.queries[event.QueryID] == nil && event.ParentID < event.QueryID {
		x.parents[event.QueryID] = event.ParentID
	}
}

// traceFail keeps an expression of a body; of `every` it keeps what failed inside, which is what a reader asks about.
func (x *explainer) traceFail(query uint64, failed *ast.Expr) {
	_, isEvery := failed.Terms.(*ast.Every)
	body := x.queries[query]
	if body == nil {
		if owner, ok := x.owner(query); ok && !isEvery {
			x.inner[owner] = failed
		}
		return
	}
	if body.stopped != nil && failed.Index <= body.stopped.Index {
		return
	}
	body.stopped, body.at = failed, failed
	if inner := x.inner[query]; isEvery && inner != nil {
		body.at = inner
	}
}

// owner is the query of the body that another query is inside of.
func (x *explainer) owner(query uint64) (uint64, bool) {
	for x.queries[query] == nil {
		parent, ok := x.parents[query]
		if !ok {
			return 0, false
		}
		query = parent
	}
	return query, true
}

func (x *explainer) traceRule(event topdown.Event, rule *ast.Rule) {
	body := x.bodies[rule]
	if body == nil {
		body = &bodyTrace{rule: rule}
		x.bodies[rule] = body
	}
	switch event.Op {
	case topdown.EnterOp:
		x.queries[event.QueryID] = body
	case topdown.ExitOp:
		body.fired++
	}
}

// rules are all bodies that were entered, by file and line.
func (x *explainer) rules() []ruleTrace {
	traces := make([]ruleTrace, 0, len(x.bodies))
	for _, body := range x.bodies {
		if body.rule.Location != nil {
			traces = append(traces, body.trace())
		}
	}
	slices.SortFunc(traces, func(a, b ruleTrace) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path))
	})
	return traces
}

func (b *bodyTrace) trace() ruleTrace {
	at := b.rule.Location
	trace := ruleTrace{Path: b.rule.Ref().GroundPrefix().String(), File: at.File, Line: at.Row, Head: firstLine(at), Fired: b.fired}
	if b.fired == 0 && b.at != nil && b.at.Location != nil {
		at := b.at.Location
		text := firstLine(at)
		// The parser gives the condition of an else the place of the whole.
		if _, condition, ok := strings.Cut(text, " if "); ok && strings.HasPrefix(text, "else") {
			text = condition
		}
		trace.Stopped = &place{Line: at.Row, Column: at.Col, Text: text}
	}
	return trace
}
