// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path"
	"path/filepath"
	"slices"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// folder is the files that were handed over. What else is asked for it notes, so that the client can look for it.
type folder struct {
	filesys.FileSystem
	paths  []string // of files, in the order of the request
	absent map[string]bool
	wanted []string
}

const maxWanted = 1000

func newFolder(parts []part, absent []string) (*folder, error) {
	f := &folder{FileSystem: filesys.MakeFsInMemory(), absent: map[string]bool{}}
	for _, path := range absent {
		f.absent[path] = true
	}
	for _, part := range parts {
		if err := f.WriteFile(part.Path, part.data); err != nil {
			return nil, err
		}
		f.paths = append(f.paths, part.Path)
	}
	return f, nil
}

func (f *folder) note(name string) {
	name = path.Clean(name)
	if len(f.wanted) < maxWanted && path.IsAbs(name) && !f.absent[name] && !f.FileSystem.Exists(name) && !slices.Contains(f.wanted, name) {
		f.wanted = append(f.wanted, name)
	}
}

func (f *folder) IsDir(path string) bool {
	f.note(path)
	return f.FileSystem.IsDir(path)
}

func (f *folder) Exists(path string) bool {
	f.note(path)
	return f.FileSystem.Exists(path)
}

func (f *folder) ReadFile(path string) ([]byte, error) {
	f.note(path)
	return f.FileSystem.ReadFile(path)
}

func (f *folder) Open(path string) (filesys.File, error) {
	f.note(path)
	return f.FileSystem.Open(path)
}

func (f *folder) ReadDir(path string) ([]string, error) {
	f.note(path)
	return f.FileSystem.ReadDir(path)
}

func (f *folder) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	f.note(path)
	return f.FileSystem.CleanedAbs(path)
}

func (f *folder) Walk(path string, walk filepath.WalkFunc) error {
	f.note(path)
	return f.FileSystem.Walk(path, walk)
}
