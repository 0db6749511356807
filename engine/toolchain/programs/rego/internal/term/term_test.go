// SPDX-License-Identifier: Apache-2.0

package term

import (
	"errors"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// What OPA's parser reads, our reader reads alike, and what we write both read as the same value.
func TestReadsAsOPA(t *testing.T) {
	for _, text := range []string{
		"null", "true", "false", "0", "-0", "-1", "1.50", "1E5", "1e400", "9007199254740993", "18446744073709551617", "0.5", `""`,
		`"a"`, `"tab\tquote\" back\\ \u00e9 \ud83d\ude00 é 😀 \u0001 \/"`, "[]", "[1, 2]", "[[[]]]", "set()", "{1, 2}", "{{1}, set()}",
		"{}", `{"a": 1}`, `{1: 2, "1": 3, [1]: {2}, {3}: 4, null: true}`, `{"a": {"b": [{1, "x"}, {}]}}`, ` [ 1 , { 2 } ] `,
		`{"\u0000": "\u001f"}`,
	} {
		want := ast.MustParseTerm(text)
		got, err := Read([]byte(text))
		if err != nil || !got.Equal(want) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
			continue
		}
		written := Append(nil, got.Value)
		again, err := Read(written)
		if err != nil || !again.Equal(want) || !ast.MustParseTerm(string(written)).Equal(want) {
			t.Errorf("%s: written as %s", text, written)
		}
	}
}

func TestKeepsNumbersAsTheyAre(t *testing.T) {
	for text, want := range map[string]string{".5": "0.5", "-.5": "-0.5", "1.50": "1.50", "1E5": "1E5", "-0": "-0"} {
		got, err := Read([]byte(text))
		if err != nil || string(Append(nil, got.Value)) != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestKeepsBytesThatAreNotUTF8(t *testing.T) {
	got, err := Read([]byte("\"\xff\""))
	if err != nil || string(Append(nil, got.Value)) != "\"\xff\"" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "nul", "tru", "se()", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{1", "{1,", "{1,}", `{"a":`, `{"a":1`, `{"a":1,}`,
		`{"a":1,2}`, `{1,"a":2}`, `"`, `"\`, `"\"`, `"\q"`, "1 2", "--1", "1-", "1e", "+1", "x", "[1]]", "\x00",
	} {
		if got, err := Read([]byte(text)); err == nil {
			t.Errorf("%q: read as %v", text, got)
		}
	}
}

func TestBounds(t *testing.T) {
	for _, text := range []string{strings.Repeat("1", 100_001), "1e100001", "1e-100001", "1e99999999999999999999"} {
		if _, err := Read([]byte(text)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%.10s: %v", text, err)
		}
	}
	if _, err := Read([]byte(strings.Repeat("[", 100_000))); err == nil || !strings.Contains(err.Error(), "deeper than 1000") {
		t.Errorf("deep: %v", err)
	}
}
