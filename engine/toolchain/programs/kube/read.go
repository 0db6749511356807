// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"
)

// fault is one reason why strict decoding refuses an object.
type fault struct {
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// reading is what became of one object.
type reading struct {
	// Known is false for a kind that has no Go type; nothing else is said then.
	Known bool `json:"known"`
	// Error is why the object is none of its kind: a wrong type. Only the first is known.
	Error string `json:"error,omitempty"`
	// Strict are the fields that the type does not have, and those that stand twice.
	Strict []fault `json:"strict,omitempty"`
	// object is it as the types write it, as JSON.
	object []byte
}

var scheme = newScheme()

func newScheme() *runtime.Scheme {
	made := runtime.NewScheme()
	for _, add := range groups {
		must(add(made))
	}
	return made
}

var isDefaulting bool

// Defaults are asked for rarely, so their functions are registered with the first that is.
func addDefaults() {
	if isDefaulting {
		return
	}
	for _, add := range defaults {
		must(add(scheme))
	}
	isDefaulting = true
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// decode reads as the API server does with fieldValidation=Strict (apimachinery's serializer/json, for JSON).
func decode(text []byte) reading {
	_, found := typed(text)
	return found
}

// normal decodes and writes again, with nothing filled in.
func normal(text []byte) reading {
	object, found := typed(text)
	return written(object, found)
}

// filled decodes, fills in what the API server would, and writes.
func filled(text []byte) reading {
	object, found := typed(text)
	if object == nil || found.Error != "" {
		return found
	}
	addDefaults()
	scheme.Default(object)
	return written(object, found)
}

func written(object runtime.Object, found reading) reading {
	if object == nil || found.Error != "" {
		return found
	}
	out, err := json.Marshal(object)
	if err != nil {
		found.Error = err.Error()
		return found
	}
	found.object = out
	return found
}

func typed(text []byte) (runtime.Object, reading) {
	var identity struct{ APIVersion, Kind string }
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &struct {
		APIVersion *string `json:"apiVersion"`
		Kind       *string `json:"kind"`
	}{&identity.APIVersion, &identity.Kind}); err != nil {
		return nil, reading{Error: err.Error()}
	}
	version, err := schema.ParseGroupVersion(identity.APIVersion)
	if err != nil {
		return nil, reading{}
	}
	object, err := scheme.New(version.WithKind(identity.Kind))
	if err != nil {
		return nil, reading{}
	}
	strict, err := kjson.UnmarshalStrict(text, object)
	found := reading{Known: true}
	if err != nil {
		found.Error = err.Error()
	}
	for _, one := range strict {
		found.Strict = append(found.Strict, faultOf(one))
	}
	return object, found
}

func faultOf(err error) fault {
	var field kjson.FieldError
	if errors.As(err, &field) {
		return fault{Path: field.FieldPath(), Message: err.Error()}
	}
	return fault{Message: fmt.Sprint(err)}
}
