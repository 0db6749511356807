// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/version"
)

type testOptions struct {
	// Run is a regular expression (RE2) over `data.<package>.<name>`.
	Run string `json:"run"`
	// TimeoutMs is for each test; 0 leaves the deadline to the host.
	TimeoutMs int64 `json:"timeoutMs"`
}

// testCase is one leaf of a test with cases (`test_x[name] if …`).
type testCase struct {
	Name []string `json:"name"`
	Fail bool     `json:"fail"`
}

type testResult struct {
	Package    string     `json:"package"`
	Name       string     `json:"name"`
	File       string     `json:"file"`
	Line       int        `json:"line"`
	Fail       bool       `json:"fail"`
	Skip       bool       `json:"skip"`
	Error      string     `json:"error,omitempty"`
	Output     string     `json:"output"`
	DurationNs int64      `json:"durationNs"`
	Cases      []testCase `json:"cases,omitempty"`
	Stopped    *place     `json:"stopped,omitempty"`
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

// coverTracer also lets the scheduler run now and then: this program has one thread, so no timer would fire during a test.
type coverTracer struct {
	*cover.Cover
	events uint
}

const yieldEvery = 256

func (t *coverTracer) TraceEvent(event topdown.Event) {
	t.Cover.TraceEvent(event)
	if t.events++; t.events%yieldEvery == 0 {
		runtime.Gosched()
	}
}

func test(asked request, parsed []parsedFile) result {
	if refused := refusedBuiltins(asked, parsed); len(refused) > 0 {
		return result{Problems: refused}
	}
	parsed = renameDuplicates(parsed)
	modules := modulesOf(parsed)
	tracer := &coverTracer{Cover: cover.New()}
	timeout := cmp.Or(time.Duration(asked.Test.TimeoutMs)*time.Millisecond, noTimeout)
	compiler := ast.NewCompiler().WithEnablePrintStatements(true).WithDefaultRegoVersion(ast.RegoV1)
	store := inmem.NewFromObject(documents(asked.Data))
	runner := tester.NewRunner().SetCompiler(compiler).SetStore(store).SetModules(modules).Filter(asked.Test.Run).
		CapturePrintOutput(true).SetCoverageQueryTracer(tracer).SetTimeout(timeout)
	results, err := runner.RunTests(context.Background(), nil)
	if err != nil {
		return result{Problems: problemsOf(err)}
	}
	report := &testReport{Tests: []testResult{}, Coverage: []coverageFile{}}
	for r := range results {
		report.Tests = append(report.Tests, resultOf(r, timeout))
	}
	slices.SortFunc(report.Tests, func(a, b testResult) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Name, b.Name))
	})
	for i := range report.Tests {
		explainFailure(&report.Tests[i], []func(*rego.Rego){rego.Compiler(compiler), rego.Store(store)})
	}
	covered := tracer.Report(modules)
	report.Percent = covered.Coverage
	for name, lines := range covered.Files {
		report.Coverage = append(report.Coverage, coverageFile{File: name, Covered: lines.CoveredLines, NotCovered: rows(lines.NotCovered)})
	}
	slices.SortFunc(report.Coverage, func(a, b coverageFile) int { return strings.Compare(a.File, b.File) })
	return result{Tests: report, OPA: version.Version}
}

func resultOf(r *tester.Result, timeout time.Duration) testResult {
	t := testResult{Package: strings.TrimPrefix(r.Package, "data."), Name: r.Name, Fail: r.Fail, Skip: r.Skip, Output: string(r.Output), DurationNs: r.Duration.Nanoseconds()}
	if r.Location != nil {
		t.File, t.Line = r.Location.File, r.Location.Row
	}
	if r.Error != nil {
		t.Error = r.Error.Error()
	}
	if r.Error != nil && topdown.IsCancel(r.Error) {
		t.Error = fmt.Sprintf("not done after %s", timeout)
	}
	for name, sub := range r.SubResults.Iter {
		if len(sub.SubResults) == 0 {
			t.Cases = append(t.Cases, testCase{Name: name, Fail: sub.Fail})
		}
	}
	return t
}

// explainFailure runs a failed test once more to say where its body stopped.
func explainFailure(t *testResult, options []func(*rego.Rego)) {
	if !t.Fail || t.Error != "" || len(t.Cases) > 0 {
		return
	}
	query := "data." + t.Package + "." + t.Name
	if strings.Contains(t.Name, "#") {
		query = fmt.Sprintf("data.%s[%q]", t.Package, t.Name)
	}
	_, traces, err := run(append(options, rego.Query(query)), time.Now(), true)
	if err != nil {
		return // the test did fail; there is just no more to say of it
	}
	for _, trace := range traces {
		if trace.File == t.File && trace.Line == t.Line {
			t.Stopped = trace.Stopped
		}
	}
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
