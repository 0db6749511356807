// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
)

// formatAll lays out every file as OPA does, in the language version that it is written in. What is laid out is parsed once more:
// a formatter's fault may not reach the disk.
func formatAll(files []file) result {
	texts := make([]string, 0, len(files))
	var problems []problem
	for _, f := range files {
		text, err := formatOne(f)
		if err != nil {
			problems = append(problems, problemsOf(err)...)
			continue
		}
		texts = append(texts, text)
	}
	if len(problems) > 0 {
		return result{Problems: problems}
	}
	return result{Texts: texts}
}

func formatOne(f file) (string, error) {
	if err := refuseDepth(f); err != nil {
		return "", err
	}
	options := ast.ParserOptions{RegoVersion: f.version()}
	laidOut, err := format.SourceWithOpts(f.Name, []byte(f.Text), format.Opts{RegoVersion: f.version(), ParserOptions: &options})
	if err != nil {
		return "", err
	}
	if _, err := ast.ParseModuleWithOpts(f.Name, string(laidOut), options); err != nil {
		return "", err
	}
	return string(laidOut), nil
}
