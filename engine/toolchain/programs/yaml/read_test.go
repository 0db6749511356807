// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
)

type section struct {
	kind             kind
	line, start, end int
	payload          string
}

func sections(data []byte) (list []section) {
	var a answer
	read(data, &a)
	for b := a.buffer; len(b) > 0; {
		n := func(i int) int { return int(binary.LittleEndian.Uint32(b[1+4*i:])) }
		list = append(list, section{kind(b[0]), n(0), n(1), n(2), string(b[header : header+n(3)])})
		b = b[header+n(3):]
	}
	return
}

// asKubectl reads as kubectl's builder does: YAMLOrJSONDecoder into raw JSON, then sigs.k8s.io/json.
func asKubectl(data []byte) (values []any, failed error) {
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), sniffBytes)
	for {
		var raw rawExtension
		if err := decoder.Decode(&raw); err == io.EOF {
			return values, nil
		} else if err != nil {
			return values, err
		}
		if text := bytes.TrimSpace(raw); len(text) > 0 && string(text) != "null" {
			var value any
			if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &value); err != nil {
				return values, err
			}
			// kubectl sends what it read as JSON, where 1.0 is 1.
			sent, err := json.Marshal(value)
			if err != nil {
				return values, err
			}
			if err := kjson.UnmarshalCaseSensitivePreserveInts(sent, &value); err != nil {
				return values, err
			}
			values = append(values, value)
		}
	}
}

// rawExtension behaves as k8s.io/apimachinery/pkg/runtime's.
type rawExtension []byte

func (r *rawExtension) UnmarshalJSON(in []byte) error {
	if !bytes.Equal(in, []byte("null")) {
		*r = append((*r)[:0], in...)
	}
	return nil
}

// check says whether the file was read, and fails when it was read differently from kubectl.
func check(t *testing.T, data []byte) bool {
	t.Helper()
	var values []any
	for _, s := range sections(data) {
		if s.kind != document {
			return false
		}
		var value any
		if err := kjson.UnmarshalCaseSensitivePreserveInts([]byte(s.payload), &value); err != nil {
			t.Fatalf("%q: not JSON: %q", data, s.payload)
		}
		values = append(values, value)
	}
	want, err := asKubectl(data)
	if err != nil {
		// kubectl stops there too: what it refuses can only be content that is no object.
		t.Logf("%q: read as %v, kubectl: %v", data, values, err)
		return true
	}
	if !reflect.DeepEqual(values, want) {
		t.Fatalf("%q\n got %#v\nwant %#v", data, values, want)
	}
	return true
}

var pieces = []string{
	"a", "b", "key", ": ", ":", "- ", "-", "\n", "\n", "\n", "  ", " ", "    ", "\t", "\r\n", "\r", "---", "\n---\n", "\n--- # c\n", "...", "\n...\n",
	"# c", "yes", "No", "on", "y", "null", "~", "true", "0o17", "0644", "0x1F", "0b101", "1_000", "1:30", "1e3", "-0", "1.0", ".5", "1e400", "9223372036854775807",
	"9223372036854775808", "-9223372036854775808", "18446744073709551616", ".inf", ".nan", "2001-12-14", "2001-12-14T21:59:43.10Z", "{", "}", "[", "]", ", ",
	"\"", "'", "\"x\"", "'y'", "\\n", "\\ud83d\\ude00", "|", "|-", "|+", ">", ">2", "&a ", "*a", "<<: *a", "!!str ", "!!int ", "!!binary ", "!!timestamp ", "!foo ",
	"%YAML 1.1\n", "? ", "\uFEFF", "é", "\u2028", "\u0085", "__proto__", "{\"a\":1}", "{\"a\": 1.0, \"b\": [1, -0]}", "a: 1\n", "b: 2\n", "- c\n",
}

func TestNeverReadsDifferentlyFromKubectl(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 300_000 {
		var text []byte
		for range 1 + random.IntN(12) {
			text = append(text, pieces[random.IntN(len(pieces))]...)
		}
		if check(t, text) {
			accepted++
		}
	}
	t.Logf("%d accepted", accepted)
}

func TestCorpus(t *testing.T) {
	for _, path := range corpus(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		check(t, data)
	}
}

// With COUNTERSIGN_RECORD=1 the corpus' expectations are written: what kubectl's own packages give, not what we give.
func TestRecord(t *testing.T) {
	if os.Getenv("COUNTERSIGN_RECORD") != "1" {
		t.Skip("COUNTERSIGN_RECORD is not 1")
	}
	for _, path := range corpus(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		values, failed := asKubectl(data)
		record := struct {
			Documents []string `json:"documents"`
			Error     string   `json:"error,omitempty"`
		}{Documents: []string{}}
		for _, value := range values {
			record.Documents = append(record.Documents, strings.TrimSpace(encode(t, value, "")))
		}
		if failed != nil {
			record.Error = failed.Error()
		}
		if err := os.WriteFile(strings.TrimSuffix(path, "in")+"json", []byte(encode(t, record, "  ")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func encode(t *testing.T, value any, indent string) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func corpus(t *testing.T) []string {
	paths, err := filepath.Glob("../../../../test/engine/manifest/corpus/*.in")
	if err != nil || len(paths) == 0 {
		t.Fatal("the corpus is missing", err)
	}
	return paths
}
