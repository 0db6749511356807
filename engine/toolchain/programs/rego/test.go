// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/version"
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

// noTimeout leaves the deadline to the host, who can end this program: which test fails may not depend on the machine's speed.
const noTimeout = 24 * time.Hour

func test(asked request, parsed []parsedFile) result {
	if refused := refusedBuiltins(asked, parsed); len(refused) > 0 {
		return result{Problems: refused}
	}
	data := asked.Data
	if data == nil {
		data = map[string]any{}
	}
	modules := modulesOf(parsed)
	tracer := cover.New()
	compiler := ast.NewCompiler().WithEnablePrintStatements(true).WithDefaultRegoVersion(ast.RegoV1)
	results, err := tester.NewRunner().SetCompiler(compiler).SetStore(inmem.NewFromObject(data)).SetModules(modules).
		CapturePrintOutput(true).SetCoverageQueryTracer(tracer).SetTimeout(noTimeout).RunTests(context.Background(), nil)
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
	slices.SortFunc(report.Coverage, func(a, b coverageFile) int { return strings.Compare(a.File, b.File) })
	return result{Tests: report, OPA: version.Version}
}

func resultOf(r *tester.Result) testResult {
	t := testResult{Package: strings.TrimPrefix(r.Package, "data."), Name: r.Name, Fail: r.Fail, Skip: r.Skip, Output: string(r.Output), DurationNs: r.Duration.Nanoseconds()}
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
	slices.Sort(found)
	return slices.Compact(found)
}
