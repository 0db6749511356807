// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// maxChecks is how many checks of a schema one document may need, from above.
const maxChecks = 1_000_000

// below are the keywords whose schemas are of members and items, one level down.
var below = map[string]bool{
	"properties": true, "patternProperties": true, "additionalProperties": true, "items": true, "additionalItems": true, "contains": true,
	"propertyNames": true,
}

// beside are the keywords whose schemas are of the same value.
var beside = map[string]bool{
	"allOf": true, "anyOf": true, "oneOf": true, "not": true, "if": true, "then": true, "else": true, "dependencies": true, "extends": true,
	"disallow": true, "type": true,
}

// measure counts the checks that a schema can ask for, with every reference written out; the count is exponential for a few lines of
// schema, and nothing can interrupt the validation.
type measure struct {
	root  any
	names bool
	memo  map[place]int
	open  map[place]bool
}

type place struct {
	reference string
	depth     int
}

var (
	errSchema    = errors.New("the schema is too large to be checked")
	errItself    = errors.New("the schema refers to itself without going down")
	errReference = errors.New("the schema refers by name: use a reference that begins with #/")
)

// schema bounds the validation of a document of some bytes.
func schema(operand *ast.Term, size int) error {
	root, ok := decode(operand)
	if !ok {
		return nil
	}
	m := measure{root: root, names: hasNames(root), memo: map[place]int{}, open: map[place]bool{}}
	checks, err := m.count(root, depthFor(size))
	if err != nil {
		return err
	}
	if checks*max(size/8, 1) > maxChecks*16 {
		return errSchema
	}
	return nil
}

// depthFor is how deep a document of this size can be, from above, as far as a schema is followed.
func depthFor(size int) int { return min(size/2, 64) }

// decode reads a schema that is an object or JSON text; anything else is an error of the builtin's own.
func decode(operand *ast.Term) (any, bool) {
	text := operand.String()
	if given, ok := operand.Value.(ast.String); ok {
		text = string(given)
	}
	var root any
	err := json.Unmarshal([]byte(text), &root)
	return root, err == nil
}

func hasNames(node any) bool {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if _, isText := value.(string); isText && (key == "$id" || key == "id") || hasNames(value) {
				return true
			}
		}
	case []any:
		for _, item := range node {
			if hasNames(item) {
				return true
			}
		}
	}
	return false
}

func (m *measure) count(node any, depth int) (int, error) {
	switch node := node.(type) {
	case []any:
		return m.all(node, depth)
	case map[string]any:
		return m.object(node, depth)
	}
	return 0, nil
}

func (m *measure) all(nodes []any, depth int) (total int, err error) {
	for _, node := range nodes {
		one, err := m.count(node, depth)
		if total += one; err != nil || total > maxChecks {
			return total, errors.Join(err, tooMany(total))
		}
	}
	return total, nil
}

func tooMany(total int) error {
	if total > maxChecks {
		return errSchema
	}
	return nil
}

func (m *measure) object(node map[string]any, depth int) (int, error) {
	total := 1
	for keyword, value := range node {
		one, err := 0, error(nil)
		switch {
		case keyword == "$ref":
			one, err = m.reference(value, depth)
		case below[keyword] && depth > 0:
			one, err = m.members(keyword, value, depth-1)
		case beside[keyword]:
			one, err = m.members(keyword, value, depth)
		}
		if total += one; err != nil || total > maxChecks {
			return total, errors.Join(err, tooMany(total))
		}
	}
	return total, nil
}

// members are schemas by name for some keywords, a schema or several for the others.
func (m *measure) members(keyword string, value any, depth int) (int, error) {
	named, ok := value.(map[string]any)
	if !ok || (keyword != "properties" && keyword != "patternProperties" && keyword != "dependencies") {
		return m.count(value, depth)
	}
	schemas := make([]any, 0, len(named))
	for _, schema := range named {
		schemas = append(schemas, schema)
	}
	return m.all(schemas, depth)
}

func (m *measure) reference(value any, depth int) (int, error) {
	text, ok := value.(string)
	if !ok {
		return 0, nil
	}
	target, ok := m.resolve(text)
	if !ok {
		if m.names {
			return 0, errReference
		}
		return 0, nil // the builtin's own error: there is nothing of that name, and no network
	}
	at := place{text, depth}
	if known, ok := m.memo[at]; ok {
		return known, nil
	}
	if m.open[at] {
		return 0, errItself
	}
	m.open[at] = true
	total, err := m.count(target, depth)
	delete(m.open, at)
	m.memo[at] = total
	return total, err
}

func (m *measure) resolve(text string) (any, bool) {
	if text == "#" {
		return m.root, true
	}
	rest, ok := strings.CutPrefix(text, "#/")
	node := m.root
	for ok && rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, "/")
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch parent := node.(type) {
		case map[string]any:
			node, ok = parent[part]
		case []any:
			index := -1
			_, err := fmt.Sscanf(part, "%d", &index)
			if ok = err == nil && index >= 0 && index < len(parent); ok {
				node = parent[index]
			}
		default:
			ok = false
		}
	}
	return node, ok
}
