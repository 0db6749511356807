// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// edit is what a GitOps controller changes of a kustomization before it builds it.
type edit struct {
	Generate          bool              `json:"generate"` // make one of all manifests below where there is none
	Namespace         string            `json:"namespace"`
	NamePrefix        string            `json:"namePrefix"`
	NameSuffix        string            `json:"nameSuffix"`
	Images            []types.Image     `json:"images"`
	Replicas          []types.Replica   `json:"replicas"`
	Patches           []types.Patch     `json:"patches"`
	Components        []string          `json:"components"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	// Labels leave selectors alone.
	Labels map[string]string `json:"labels"`
}

func (f *folder) edit(job *kustomJob) error {
	if job.Edit == nil {
		return nil
	}
	file, k, err := f.read(job.Path)
	if err != nil {
		return err
	}
	if file == "" {
		if !job.Edit.Generate {
			return nil
		}
		file, k = path.Join(job.Path, kustomizationNames[0]), f.generate(job.Path)
	}
	if err := job.Edit.apply(k); err != nil {
		return err
	}
	return f.write(file, k)
}

// annotate asks for the origins of resources.
func (f *folder) annotate(folder string) error {
	file, k, err := f.read(folder)
	if err != nil || file == "" {
		return fmt.Errorf("no kustomization: %w", err)
	}
	if !hasMetadata(k, types.OriginAnnotations) {
		k.BuildMetadata = append(k.BuildMetadata, types.OriginAnnotations)
	}
	return f.write(file, k)
}

func (f *folder) isManaged(folder string) bool {
	_, k, err := f.read(folder)
	return err == nil && k != nil && hasMetadata(k, types.ManagedByLabelOption)
}

// read is the kustomization of a folder; the name is empty where there is none.
func (f *folder) read(folder string) (string, *types.Kustomization, error) {
	for _, name := range kustomizationNames {
		file := path.Join(folder, name)
		if !f.FileSystem.Exists(file) {
			continue
		}
		data, err := f.FileSystem.ReadFile(file)
		if err != nil {
			return "", nil, err
		}
		k := &types.Kustomization{}
		if err := k.Unmarshal(data); err != nil {
			return "", nil, fmt.Errorf("%s: %w", file, err)
		}
		k.FixKustomization()
		return file, k, nil
	}
	return "", nil, nil
}

func (f *folder) write(file string, k *types.Kustomization) error {
	data, err := yaml.Marshal(k)
	if err != nil {
		return err
	}
	return f.WriteFile(file, data)
}

// generate lists every manifest below the folder; a folder below that has a kustomization stands for what it holds.
func (f *folder) generate(root string) *types.Kustomization {
	var nested []string
	for _, file := range f.paths {
		if strings.HasPrefix(file, root+"/") && isKustomization(file) {
			nested = append(nested, path.Dir(file))
		}
	}
	k := &types.Kustomization{TypeMeta: types.TypeMeta{APIVersion: types.KustomizationVersion, Kind: types.KustomizationKind}}
	add := func(name string) {
		if name = strings.TrimPrefix(name, root+"/"); !slices.Contains(k.Resources, name) {
			k.Resources = append(k.Resources, name)
		}
	}
	for _, file := range f.paths {
		if !strings.HasPrefix(file, root+"/") || !isManifest(file) {
			continue
		}
		if holder := outermost(nested, file); holder != "" {
			add(holder)
		} else {
			add(file)
		}
	}
	return k
}

func outermost(folders []string, file string) (found string) {
	for _, folder := range folders {
		if strings.HasPrefix(file, folder+"/") && (found == "" || len(folder) < len(found)) {
			found = folder
		}
	}
	return found
}

func (e *edit) apply(k *types.Kustomization) error {
	if e.Namespace != "" {
		k.Namespace = e.Namespace
	}
	if e.NamePrefix != "" {
		k.NamePrefix = e.NamePrefix
	}
	if e.NameSuffix != "" {
		k.NameSuffix = e.NameSuffix
	}
	for _, image := range e.Images {
		setImage(k, image)
	}
	for _, replica := range e.Replicas {
		at := slices.IndexFunc(k.Replicas, func(known types.Replica) bool { return known.Name == replica.Name })
		if at < 0 {
			k.Replicas = append(k.Replicas, replica)
		} else {
			k.Replicas[at] = replica
		}
	}
	k.Patches = append(k.Patches, e.Patches...)
	k.Components = append(k.Components, e.Components...)
	k.CommonLabels = union(k.CommonLabels, e.CommonLabels)
	k.CommonAnnotations = union(k.CommonAnnotations, e.CommonAnnotations)
	if len(e.Labels) > 0 {
		k.Labels = append(k.Labels, types.Label{Pairs: e.Labels})
	}
	return nil
}

// setImage merges into what the kustomization says of the same image; tag and digest are one choice.
func setImage(k *types.Kustomization, image types.Image) {
	at := slices.IndexFunc(k.Images, func(known types.Image) bool { return known.Name == image.Name })
	if at < 0 {
		k.Images = append(k.Images, image)
		return
	}
	if image.NewName != "" {
		k.Images[at].NewName = image.NewName
	}
	if image.NewTag != "" || image.Digest != "" {
		k.Images[at].NewTag, k.Images[at].Digest = image.NewTag, image.Digest
	}
}

func union(base, over map[string]string) map[string]string {
	if len(over) == 0 {
		return base
	}
	out := make(map[string]string, len(base)+len(over))
	for key, value := range base {
		out[key] = value
	}
	for key, value := range over {
		out[key] = value
	}
	return out
}
