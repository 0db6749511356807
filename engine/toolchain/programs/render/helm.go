// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
)

const (
	helmVersion       = "v3.22.0"
	kubernetesVersion = "v1.37.0"
	notes             = "NOTES.txt"
)

// helmJob is a chart and what it is rendered with.
type helmJob struct {
	Archive     bool        `json:"archive"` // the only part is a .tgz; otherwise the parts are the chart's files
	Release     string      `json:"release"`
	Namespace   string      `json:"namespace"`
	KubeVersion string      `json:"kubeVersion"`
	APIVersions []string    `json:"apiVersions"`
	IncludeCRDs bool        `json:"includeCrds"`
	SkipHooks   bool        `json:"skipHooks"`
	SkipTests   bool        `json:"skipTests"`
	SkipSchema  bool        `json:"skipSchema"`
	Values      []valueStep `json:"values"`
	ValuesFiles []string    `json:"valuesFiles"` // files of the chart that stand for its values.yaml
}

func renderHelm(r *request) (a answer) {
	job := r.Helm
	chrt, err := loadChart(r)
	if err != nil {
		return answer{Error: err.Error()}
	}
	given := newGiven(r.Parts)
	values, err := mergeSteps(job.Values, given)
	if len(given.wanted) > 0 {
		return answer{Wanted: given.wanted}
	}
	if err == nil {
		err = useValuesFiles(chrt, job.ValuesFiles)
	}
	if err == nil {
		err = refuseUninstallable(chrt)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	if chrt.Metadata.Deprecated {
		a.Warnings = append(a.Warnings, "this chart is deprecated")
	}
	asked := &cluster{}
	out := &stream{}
	if err := template(chrt, values, job, asked, out); err != nil {
		return answer{Error: err.Error()}
	}
	a.Lookups = asked.list()
	a.Origins, a.stream = out.origins, out.Bytes()
	return a
}

func loadChart(r *request) (*chart.Chart, error) {
	if r.Helm.Archive {
		return loader.LoadArchive(bytes.NewReader(r.Parts[0].data))
	}
	files, err := chartFiles(r.Parts)
	if err != nil {
		return nil, err
	}
	return loader.LoadFiles(files)
}

// refuseUninstallable says what helm's own commands say before they render.
func refuseUninstallable(chrt *chart.Chart) error {
	if kind := chrt.Metadata.Type; kind != "" && kind != "application" {
		return fmt.Errorf("%s charts are not installable", kind)
	}
	var missing []string
	for _, wanted := range chrt.Metadata.Dependencies {
		if !hasDependency(chrt, wanted.Name) {
			missing = append(missing, wanted.Name)
		}
	}
	if len(missing) > 0 {
		return errors.New("missing in charts/: " + strings.Join(missing, ", "))
	}
	return nil
}

func hasDependency(chrt *chart.Chart, name string) bool {
	for _, dependency := range chrt.Dependencies() {
		if dependency.Name() == name {
			return true
		}
	}
	return false
}

// template is what `helm template` does between its flags and its output.
func template(chrt *chart.Chart, values map[string]any, job *helmJob, asked *cluster, out *stream) error {
	if err := chartutil.ValidateReleaseName(job.Release); err != nil {
		return fmt.Errorf("release name %q: %w", job.Release, err)
	}
	if err := chartutil.ProcessDependenciesWithMerge(chrt, values); err != nil {
		return err
	}
	capabilities, err := capabilitiesOf(job)
	if err != nil {
		return err
	}
	options := chartutil.ReleaseOptions{Name: job.Release, Namespace: job.Namespace, Revision: 1, IsInstall: true}
	render, err := chartutil.ToRenderValuesWithSchemaValidation(chrt, values, options, capabilities, job.SkipSchema)
	if err != nil {
		return err
	}
	if wanted := chrt.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, capabilities.KubeVersion.String()) {
		return fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", wanted, capabilities.KubeVersion.String())
	}
	files, err := engine.RenderWithClientProvider(chrt, render, asked)
	if err != nil {
		return err
	}
	for name := range files {
		if strings.HasSuffix(name, notes) {
			delete(files, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return err
	}
	print(chrt, job, manifests, hooks, out)
	return nil
}

func capabilitiesOf(job *helmJob) (*chartutil.Capabilities, error) {
	capabilities := chartutil.DefaultCapabilities.Copy()
	capabilities.KubeVersion = chartutil.KubeVersion{Version: kubernetesVersion, Major: "1", Minor: "37"}
	capabilities.HelmVersion.Version = helmVersion
	capabilities.HelmVersion.GitTreeState = "clean"
	if job.KubeVersion != "" {
		version, err := chartutil.ParseKubeVersion(job.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version %q: %w", job.KubeVersion, err)
		}
		capabilities.KubeVersion = *version
	}
	// The default set is shared by all requests, so it is never appended to in place.
	capabilities.APIVersions = append(append(chartutil.VersionSet{}, capabilities.APIVersions...), job.APIVersions...)
	return capabilities, nil
}

// print writes the stream as helm does: CRDs, manifests, hooks; white space at both ends of what comes before the hooks is cut.
func print(chrt *chart.Chart, job *helmJob, manifests []releaseutil.Manifest, hooks []*release.Hook, out *stream) {
	type piece struct{ path, text string }
	var pieces []piece
	put := func(path, text string) {
		pieces = append(pieces, piece{path, fmt.Sprintf("---\n# Source: %s\n%s\n", path, text)})
	}
	if job.IncludeCRDs {
		for _, crd := range chrt.CRDObjects() {
			put(crd.Filename, string(crd.File.Data))
		}
	}
	for _, manifest := range manifests {
		put(manifest.Name, manifest.Content)
	}
	if len(pieces) > 0 {
		last := &pieces[len(pieces)-1]
		last.text = strings.TrimSpace(last.text) + "\n"
	} else {
		pieces = append(pieces, piece{path.Join(chrt.Name(), "Chart.yaml"), "\n"})
	}
	if !job.SkipHooks {
		for _, hook := range hooks {
			if !job.SkipTests || !isTest(hook) {
				put(hook.Path, hook.Manifest)
			}
		}
	}
	for _, piece := range pieces {
		out.add(piece.path, piece.text)
	}
}

func isTest(hook *release.Hook) bool {
	for _, event := range hook.Events {
		if event == release.HookTest {
			return true
		}
	}
	return false
}
