// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
)

// kustomJob is a folder that holds a kustomization; paths are absolute. Absent are paths of which the client knows that
// there is nothing.
type kustomJob struct {
	Path   string    `json:"path"`
	Absent []string  `json:"absent"`
	Edit   *edit     `json:"edit"`
	After  *finishes `json:"after"`
}

func renderKustomize(r *request) answer {
	job := r.Kustomize
	files, err := newFolder(r.Parts, job.Absent)
	if err == nil {
		err = files.edit(job)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	isManaged := files.isManaged(job.Path)
	built, err := build(files, job)
	if len(files.wanted) > 0 {
		return answer{Wanted: files.wanted}
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	out := &stream{}
	if err := printResources(built, originsOf(files, job, built.Size()), isManaged, out); err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Origins: out.origins, stream: out.Bytes()}
}

// build is what `kustomize build` does: without a choice of order, that of its flag's default.
func build(files *folder, job *kustomJob) (resmap.ResMap, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	built, err := krusty.MakeKustomizer(options).Run(files, job.Path)
	if err != nil || job.After == nil {
		return built, err
	}
	return built, job.After.apply(built)
}

// originsOf builds once more with annotations that say where each resource came from. They are in no output but this;
// where they cannot be had all resources come from the folder itself.
func originsOf(files *folder, job *kustomJob, size int) []string {
	origins := make([]string, size)
	for i := range origins {
		origins[i] = "."
	}
	if files.annotate(job.Path) != nil {
		return origins
	}
	built, err := build(files, &kustomJob{Path: job.Path})
	if err != nil || built.Size() != size {
		return origins
	}
	for i, resource := range built.Resources() {
		origin, err := resource.GetOrigin()
		if err != nil || origin == nil {
			continue
		}
		if origin.Path != "" {
			origins[i] = origin.Path
		} else if origin.ConfiguredIn != "" {
			origins[i] = origin.ConfiguredIn
		}
	}
	return origins
}

// The label managed-by has the version of the tool, which this program is not: its api cannot tell it.
const (
	unknownTool = "app.kubernetes.io/managed-by: kustomize-(devel)\n"
	knownTool   = "app.kubernetes.io/managed-by: kustomize-v5.8.2\n"
)

func printResources(built resmap.ResMap, origins []string, isManaged bool, out *stream) error {
	for i, resource := range built.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			return fmt.Errorf("resource %d: %w", i+1, err)
		}
		if isManaged {
			text = bytes.Replace(text, []byte(unknownTool), []byte(knownTool), 1)
		}
		prefix := ""
		if i > 0 {
			prefix = "---\n"
		}
		out.add(origins[i], prefix+string(text))
	}
	return nil
}

var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func isKustomization(file string) bool {
	for _, name := range kustomizationNames {
		if path.Base(file) == name {
			return true
		}
	}
	return false
}

func isManifest(file string) bool {
	return strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml")
}

func hasMetadata(k *types.Kustomization, name string) bool {
	for _, known := range k.BuildMetadata {
		if known == name {
			return true
		}
	}
	return false
}
