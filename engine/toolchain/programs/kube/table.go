// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// table is what the types say, as engine/schema/table.ts reads it.
type table struct {
	// Kinds by `<apiVersion> <kind>`, lists and what is only an option of a request left out.
	Kinds map[string]kind `json:"kinds"`
	// Types are the structs: the names and the types of their fields by turns, ordered by name.
	Types [][]string `json:"types"`
	// Gone are kinds that have no Go type any more.
	Gone map[string]life `json:"gone"`
}

type kind struct {
	Type       int  `json:"type"`
	Namespaced bool `json:"namespaced,omitempty"`
	life
}

// life is when a kind is served, as versions `1.<minor>`; an absent one is not known, or never.
type life struct {
	Introduced  int    `json:"introduced,omitempty"`
	Deprecated  int    `json:"deprecated,omitempty"`
	Removed     int    `json:"removed,omitempty"`
	Replacement string `json:"replacement,omitempty"`
}

// A type is written as letters: `*` a pointer, `[` a list and `{` a map of what follows, then one of the letters below, or `#` and the
// index of a struct. Before it stand `?` for omitempty and `!` for omitzero.
var special = map[reflect.Type]string{
	reflect.TypeFor[resource.Quantity]():         "Q",
	reflect.TypeFor[intstr.IntOrString]():        "I",
	reflect.TypeFor[metav1.Time]():               "T",
	reflect.TypeFor[metav1.MicroTime]():          "M",
	reflect.TypeFor[metav1.Duration]():           "D",
	reflect.TypeFor[metav1.FieldsV1]():           "R",
	reflect.TypeFor[runtime.RawExtension]():      "R",
	reflect.TypeFor[apiextensionsv1.JSON]():      "R",
	reflect.TypeFor[apiextensionsv1beta1.JSON](): "R",
	reflect.TypeFor[[]byte]():                    "Y",
}

// Schemas of CustomResourceDefinitions: a schema, or else a boolean, a list of schemas, a list of names.
var alternatives = map[reflect.Type]string{
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrBool]():             "o",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrArray]():            "a",
	reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrStringArray]():      "n",
	reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrBool]():        "o",
	reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrArray]():       "a",
	reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrStringArray](): "n",
}

var basic = map[reflect.Kind]string{
	reflect.String: "s", reflect.Bool: "b", reflect.Int32: "i", reflect.Int64: "l", reflect.Int: "l",
	reflect.Uint8: "c", reflect.Uint16: "w", reflect.Uint32: "u", reflect.Float64: "f",
}

type builder struct {
	table
	known map[reflect.Type]int
}

func newTable() table {
	b := builder{table: table{Kinds: map[string]kind{}, Gone: gone}, known: map[reflect.Type]int{}}
	all := scheme.AllKnownTypes()
	kinds := make([]schema.GroupVersionKind, 0, len(all))
	for gvk := range all {
		kinds = append(kinds, gvk)
	}
	slices.SortFunc(kinds, func(x, y schema.GroupVersionKind) int { return cmp.Compare(x.String(), y.String()) })
	for _, gvk := range kinds {
		if found := all[gvk]; isObject(found) {
			b.Kinds[nameOf(gvk)] = kind{b.structOf(found), !clusterScoped[gvk.GroupKind()], lifeOf(gvk)}
		}
	}
	return b.table
}

func nameOf(gvk schema.GroupVersionKind) string {
	return gvk.GroupVersion().String() + " " + gvk.Kind
}

// isObject says whether a type has the metadata of an object; lists and options have not.
func isObject(t reflect.Type) bool {
	metadata, has := t.FieldByName("ObjectMeta")
	return has && metadata.Type == reflect.TypeFor[metav1.ObjectMeta]() && t.PkgPath() != reflect.TypeFor[metav1.ObjectMeta]().PkgPath()
}

func lifeOf(gvk schema.GroupVersionKind) (found life) {
	object, err := scheme.New(gvk)
	must(err)
	if o, is := object.(interface{ APILifecycleIntroduced() (int, int) }); is {
		_, found.Introduced = o.APILifecycleIntroduced()
	}
	if o, is := object.(interface{ APILifecycleDeprecated() (int, int) }); is {
		_, found.Deprecated = o.APILifecycleDeprecated()
	}
	if o, is := object.(interface{ APILifecycleRemoved() (int, int) }); is {
		_, found.Removed = o.APILifecycleRemoved()
	}
	if o, is := object.(interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}); is {
		// Some name the list of the kind.
		found.Replacement = strings.TrimSuffix(nameOf(o.APILifecycleReplacement()), "List")
	}
	return found
}

func (b *builder) structOf(t reflect.Type) int {
	if at, is := b.known[t]; is {
		return at
	}
	at := len(b.Types)
	b.known[t] = at
	b.Types = append(b.Types, nil)
	fields := map[string]string{}
	b.fields(t, fields)
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	row := make([]string, 0, 2*len(names))
	for _, name := range names {
		row = append(row, name, fields[name])
	}
	b.Types[at] = row
	return at
}

// fields follows encoding/json: a struct that is embedded without a name gives its fields to the outer one.
func (b *builder) fields(t reflect.Type, into map[string]string) {
	for field := range fieldsOf(t) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" && field.Anonymous && field.Type.Kind() == reflect.Struct:
			b.fields(field.Type, into)
		case name == "" || into[name] != "":
			panic(fmt.Sprintf("field %s of %s has no name of its own", field.Name, t))
		default:
			into[name] = flags(options) + b.expression(field.Type)
		}
	}
}

func fieldsOf(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if field := t.Field(i); field.IsExported() && !yield(field) {
				return
			}
		}
	}
}

func flags(options string) (text string) {
	for _, option := range strings.Split(options, ",") {
		switch option {
		case "omitempty":
			text += "?"
		case "omitzero":
			text += "!"
		}
	}
	return text
}

func (b *builder) expression(t reflect.Type) string {
	if letter, is := special[t]; is {
		return letter
	}
	if letter, is := alternatives[t]; is {
		schemaType, _ := t.FieldByName("Schema")
		return fmt.Sprintf("%s%d", letter, b.structOf(schemaType.Type.Elem()))
	}
	if t.Kind() != reflect.Pointer && isCustom(t) {
		panic(fmt.Sprintf("%s reads JSON in a way of its own", t))
	}
	switch t.Kind() {
	case reflect.Pointer:
		return "*" + b.expression(t.Elem())
	case reflect.Slice:
		return "[" + b.expression(t.Elem())
	case reflect.Map:
		if t.Key().Kind() != reflect.String || isCustom(t.Key()) {
			panic(fmt.Sprintf("%s has keys that are no strings", t))
		}
		return "{" + b.expression(t.Elem())
	case reflect.Struct:
		return fmt.Sprintf("#%d", b.structOf(t))
	}
	letter, is := basic[t.Kind()]
	if !is {
		panic(fmt.Sprintf("%s has no letter", t))
	}
	return letter
}

// isCustom says whether a type has methods that encoding/json would call.
func isCustom(t reflect.Type) bool {
	for _, method := range []reflect.Type{
		reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[json.Marshaler](),
		reflect.TypeFor[encoding.TextUnmarshaler](), reflect.TypeFor[encoding.TextMarshaler](),
	} {
		if reflect.PointerTo(t).Implements(method) {
			return true
		}
	}
	return false
}
