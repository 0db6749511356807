// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
)

type testResult struct {
	Package    string `json:"package"`
	Name       string `json:"name"`
	File       string `json:"file"`
	Line       int    `json:"line"`
	Fail       bool   `json:"fail"`
	Skip       bool   `json:"skip"`
	Error      string `json:"error,omitempty"`
	Output     string `json:"output"`
	DurationNs int64  `json:"durationNs"`
}

type coverageFile struct {
	File       string `json:"file"`
	Covered    int    `json:"covered"`
	NotCovered []int  `json:"notCovered"`
}

type testReport struct {
	Tests    []testResult   `json:"tests"`
	Coverage []coverageFile `json:"coverage"`
	Percent  float64        `json:"percent"`
}

func test(asked request, parsed []parsedFile) result {
	data := asked.Data
	if data == nil {
		data = map[string]any{}
	}
	modules := modulesOf(parsed)
	tracer := cover.New()
	compiler := ast.NewCompiler().WithEnablePrintStatements(true).WithDefaultRegoVersion(ast.RegoV1)
	results, err := tester.NewRunner().SetCompiler(compiler).SetStore(inmem.NewFromObject(data)).SetModules(modules).
		CapturePrintOutput(true).SetCoverageQueryTracer(tracer).RunTests(context.Background(), nil)
	if err != nil {
		return result{Problems: problemsOf(err)}
	}
	report := &testReport{Tests: []testResult{}, Coverage: []coverageFile{}}
	for r := range results {
		report.Tests = append(report.Tests, resultOf(r))
	}
	covered := tracer.Report(modules)
	report.Percent = covered.Coverage
	for name, lines := range covered.Files {
		report.Coverage = append(report.Coverage, coverageFile{File: name, Covered: lines.CoveredLines, NotCovered: rows(lines.NotCovered)})
	}
	slices.SortFunc(report.Coverage, func(a, b coverageFile) int { return compare(a.File, b.File) })
	return result{Tests: report}
}

func resultOf(r *tester.Result) testResult {
	t := testResult{Package: r.Package, Name: r.Name, Fail: r.Fail, Skip: r.Skip, Output: string(r.Output), DurationNs: r.Duration.Nanoseconds()}
	if r.Location != nil {
		t.File, t.Line = r.Location.File, r.Location.Row
	}
	if r.Error != nil {
		t.Error = r.Error.Error()
	}
	return t
}

func rows(ranges []cover.Range) []int {
	found := []int{}
	for _, r := range ranges {
		for row := r.Start.Row; row <= r.End.Row; row++ {
			found = append(found, row)
		}
	}
	return found
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}
