// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"regexp"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"
)

// finishes is what Flux changes of what was built: variables in the text of each resource, then labels and annotations.
type finishes struct {
	Substitute  map[string]string `json:"substitute"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

const (
	substituteKey = "kustomize.toolkit.fluxcd.io/substitute"
	disabled      = "disabled"
)

var variableName = regexp.MustCompile(`^[_[:alpha:]][_[:alpha:][:digit:]]*$`)

func (f *finishes) apply(built resmap.ResMap) error {
	for name := range f.Substitute {
		if !variableName.MatchString(name) {
			return fmt.Errorf("variable %q has no valid name", name)
		}
	}
	for _, one := range built.Resources() {
		if err := f.substitute(one); err != nil {
			return fmt.Errorf("variables of %s: %w", one.CurId(), err)
		}
		if err := setMetadata(one, f); err != nil {
			return err
		}
	}
	return nil
}

// substitute does nothing where there are no variables, as Flux does: then a `${name}` stays as it is.
func (f *finishes) substitute(one *resource.Resource) error {
	if len(f.Substitute) == 0 || one.GetLabels()[substituteKey] == disabled || one.GetAnnotations()[substituteKey] == disabled {
		return nil
	}
	text, err := one.AsYAML()
	if err != nil {
		return err
	}
	value := func(name string) (string, bool) { return f.Substitute[name], true }
	replaced, err := envsubst.Eval(string(text), value)
	if err != nil {
		return err
	}
	data, err := yaml.YAMLToJSON([]byte(replaced))
	if err != nil {
		return err
	}
	return one.UnmarshalJSON(data)
}

func setMetadata(one *resource.Resource, f *finishes) error {
	if len(f.Labels) > 0 {
		if err := one.SetLabels(union(one.GetLabels(), f.Labels)); err != nil {
			return err
		}
	}
	if len(f.Annotations) > 0 {
		return one.SetAnnotations(union(one.GetAnnotations(), f.Annotations))
	}
	return nil
}
