// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"
)

var byteOrderMark = []byte{0xEF, 0xBB, 0xBF}

// chartFiles are the parts of a folder that helm reads: .helmignore leaves some out, a byte order mark is dropped.
func chartFiles(parts []part) ([]*loader.BufferedFile, error) {
	rules := ignore.Empty()
	for _, part := range parts {
		if part.Path == ignore.HelmIgnore && !part.Given {
			read, err := ignore.Parse(bytes.NewReader(part.data))
			if err != nil {
				return nil, err
			}
			rules = read
		}
	}
	rules.AddDefaults()
	var files []*loader.BufferedFile
	for _, part := range parts {
		if part.Given || isIgnored(rules, part.Path) {
			continue
		}
		if int64(len(part.data)) > loader.MaxDecompressedFileSize {
			return nil, fmt.Errorf("chart file %q is larger than the maximum file size %d", part.Path, loader.MaxDecompressedFileSize)
		}
		files = append(files, &loader.BufferedFile{Name: part.Path, Data: bytes.TrimPrefix(part.data, byteOrderMark)})
	}
	return files, nil
}

// isIgnored asks for each folder above too: one that is left out leaves out all it holds.
func isIgnored(rules *ignore.Rules, name string) bool {
	for at := range len(name) {
		if name[at] == '/' && rules.Ignore(name[:at], entry{name[:at], true}) {
			return true
		}
	}
	return rules.Ignore(name, entry{name, false})
}

// entry is what the rules look at of a file.
type entry struct {
	name  string
	isDir bool
}

func (e entry) Name() string       { return path.Base(strings.TrimSuffix(e.name, "/")) }
func (e entry) Size() int64        { return 0 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return e.isDir }
func (e entry) Sys() any           { return nil }
func (e entry) Mode() fs.FileMode {
	if e.isDir {
		return fs.ModeDir
	}
	return 0
}
