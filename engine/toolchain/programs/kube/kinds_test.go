// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The API server publishes where each kind is created, in the module that this program is built from.
func TestScopesAreTheAPIServers(t *testing.T) {
	directory, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(directory)), "api/openapi-spec/swagger.json"))
	if err != nil {
		t.Fatal(err)
	}
	var published struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(text, &published); err != nil {
		t.Fatal(err)
	}
	seen := map[schema.GroupKind]bool{}
	for path, operations := range published.Paths {
		var operation struct {
			Of schema.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
		}
		if err := json.Unmarshal(operations["post"], &operation); err != nil || strings.Contains(path, "{name}") || !scheme.IsGroupRegistered(operation.Of.Group) {
			continue
		}
		kind := operation.Of.GroupKind()
		seen[kind] = true
		if inNamespace := strings.Contains(path, "{namespace}"); inNamespace == clusterScoped[kind] {
			t.Errorf("%v: in a namespace %v, in the list %v", kind, inNamespace, clusterScoped[kind])
		}
	}
	if len(seen) < 60 {
		t.Fatalf("only %d kinds are published", len(seen))
	}
}

func TestTableHasNoKindTwice(t *testing.T) {
	made := newTable()
	for name := range gone {
		if _, has := made.Kinds[name]; has {
			t.Errorf("%s is not gone", name)
		}
	}
	if len(made.Kinds) < 100 {
		t.Fatalf("only %d kinds", len(made.Kinds))
	}
}
