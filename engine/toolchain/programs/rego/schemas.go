// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"

	"github.com/open-policy-agent/opa/v1/ast"
)

// schemaFile is a JSON Schema; Path is empty for the one that `input` has everywhere, else the parts of the name below `schema`
// that METADATA refers to.
type schemaFile struct {
	File string          `json:"file"`
	Path []string        `json:"path"`
	Text json.RawMessage `json:"schema"`
}

// schemasOf is nil where there are none: an empty set would make every reference to a schema an error.
func schemasOf(files []schemaFile) (*ast.SchemaSet, []problem) {
	if len(files) == 0 {
		return nil, nil
	}
	set := ast.NewSchemaSet()
	var problems []problem
	for _, f := range files {
		var schema any
		if err := json.Unmarshal(f.Text, &schema); err != nil {
			problems = append(problems, problem{Code: "schema_error", Message: err.Error(), File: f.File, Line: 1, Column: 1})
			continue
		}
		ref := ast.Ref{ast.SchemaRootDocument}
		for _, part := range f.Path {
			ref = append(ref, ast.StringTerm(part))
		}
		set.Put(ref, schema)
	}
	return set, problems
}

// offline are OPA's capabilities where a schema that refers to another host is an error: there is no network.
func offline() *ast.Capabilities {
	able := ast.CapabilitiesForThisVersion()
	able.AllowNet = []string{}
	return able
}
