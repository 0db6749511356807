// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// valueStep is one change of the values, in the order in which they are given: kind is yaml (text merges over what is
// there), set, string, file (as helm's flags --set, --set-string, --set-file).
type valueStep struct {
	Kind string `json:"kind"`
	Name string `json:"name"` // how errors call it
	Text string `json:"text"`
}

// given has the files that --set-file names; those it lacks it remembers.
type given struct {
	files  map[string][]byte
	wanted []string
}

func newGiven(parts []part) *given {
	g := &given{files: map[string][]byte{}}
	for _, part := range parts {
		if part.Given {
			g.files[part.Path] = part.data
		}
	}
	return g
}

func (g *given) read(path []rune) (any, error) {
	name := string(path)
	if data, ok := g.files[name]; ok {
		return string(data), nil
	}
	if !slices.Contains(g.wanted, name) {
		g.wanted = append(g.wanted, name)
	}
	return "", nil
}

func mergeSteps(steps []valueStep, g *given) (map[string]any, error) {
	values := map[string]any{}
	for _, step := range steps {
		var err error
		switch step.Kind {
		case "yaml":
			over := map[string]any{}
			if err = yaml.Unmarshal([]byte(step.Text), &over); err == nil {
				values = merge(values, over)
			}
		case "set":
			err = strvals.ParseInto(step.Text, values)
		case "string":
			err = strvals.ParseIntoString(step.Text, values)
		case "file":
			err = strvals.ParseIntoFile(step.Text, values, g.read)
		default:
			err = fmt.Errorf("unknown kind %q", step.Kind)
		}
		if err != nil {
			return nil, fmt.Errorf("values of %s: %w", step.Name, err)
		}
	}
	return values, nil
}

// merge lays over on top of base: maps are merged, anything else is replaced.
func merge(base, over map[string]any) map[string]any {
	out := make(map[string]any, len(base)+len(over))
	for key, value := range base {
		out[key] = value
	}
	for key, value := range over {
		upper, isMap := value.(map[string]any)
		lower, wasMap := out[key].(map[string]any)
		if isMap && wasMap {
			value = merge(lower, upper)
		}
		out[key] = value
	}
	return out
}

// useValuesFiles puts the merged files of the chart in the place of its values.yaml, as Flux packs a chart.
func useValuesFiles(chrt *chart.Chart, names []string) error {
	if len(names) == 0 {
		return nil
	}
	values := map[string]any{}
	for _, name := range names {
		index := slices.IndexFunc(chrt.Raw, func(file *chart.File) bool { return file.Name == name })
		if index < 0 {
			return fmt.Errorf("the chart has no values file %q", name)
		}
		over := map[string]any{}
		if err := yaml.Unmarshal(chrt.Raw[index].Data, &over); err != nil {
			return fmt.Errorf("values file %q: %w", name, err)
		}
		values = merge(values, over)
	}
	chrt.Values = values
	return nil
}
