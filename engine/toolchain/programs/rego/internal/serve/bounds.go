// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"fmt"
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The module's step counter cannot see into a builtin, and nothing can interrupt one: what could run for long or fill the memory
// is measured by its arguments first. Each bound keeps a call within about half a second and 64 MiB.
const (
	// maxSize is for builtins whose work is linear in their arguments, in bytes.
	maxSize = 512 << 10
	// maxProduct is for those that try every part of one argument on every part of another.
	maxProduct = 1 << 22
	// maxGrammar is for schemas and modules.
	maxGrammar = 64 << 10
	// maxQuery is for a GraphQL query that is validated: its selections are compared with each other.
	maxQuery = 8 << 10
	// maxYAML is for YAML, which takes some microseconds a byte.
	maxYAML = 128 << 10
	// maxNesting is how many brackets may be open in a text that is parsed: a parser that calls itself would exhaust the stack.
	maxNesting = 500
	// maxCrypto is for signatures: the work of an RSA key grows with the cube of its length.
	maxCrypto = 32 << 10
	// maxShift is the most that bits.lsh moves.
	maxShift = 100_000
	// maxPathItems is how many vertices the paths of graph.reachable_paths may have in all.
	maxPathItems = 200_000
)

func bound(name string, operands []*ast.Term, texts [][]byte) error {
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	if limit := limitOf(name); size > limit {
		return fmt.Errorf("its arguments are longer than %d bytes", limit)
	}
	if check := special[name]; check != nil {
		return check(operands, texts)
	}
	return nil
}

func limitOf(name string) int {
	switch {
	case strings.HasPrefix(name, "io.jwt."), strings.HasPrefix(name, "providers."), name == "crypto.x509.parse_keypair":
		return maxCrypto
	case strings.HasPrefix(name, "yaml."):
		return maxYAML
	case strings.HasPrefix(name, "graphql."):
		return maxGrammar / 2
	case name == "json.match_schema", name == "json.verify_schema", name == "rego.parse_module":
		return maxGrammar
	}
	return maxSize
}

type check = func(operands []*ast.Term, texts [][]byte) error

var special = map[string]check{
	"bits.lsh":                         func(o []*ast.Term, _ [][]byte) error { return atMost(o, 1, maxShift) },
	"graph.reachable_paths":            paths,
	"graphql.is_valid":                 query,
	"graphql.parse":                    query,
	"graphql.parse_and_verify":         query,
	"graphql.parse_query":              nesting,
	"graphql.parse_schema":             nesting,
	"graphql.schema_is_valid":          nesting,
	"json.match_schema":                matchSchema,
	"json.verify_schema":               verifySchema,
	"json.patch":                       product(0, 1),
	"json.unmarshal":                   nesting,
	"net.cidr_contains_matches":        product(0, 1),
	"net.cidr_expand":                  expand,
	"object.subset":                    product(0, 1),
	"re_match":                         pattern(0, 1),
	"regex.find_all_string_submatch_n": pattern(0, 1),
	"regex.find_n":                     pattern(0, 1),
	"regex.globs_match":                globs,
	"regex.match":                      pattern(0, 1),
	"regex.replace":                    replace,
	"regex.split":                      pattern(0, 1),
	"regex.template_match":             pattern(0, 1),
	"rego.parse_module":                nesting,
	"replace":                          growing(0, 2),
	"semver.compare":                   versions,
	"strings.any_prefix_match":         product(0, 1),
	"strings.any_suffix_match":         product(0, 1),
	"strings.render_template":          template,
	"strings.replace_n":                growing(1, 0),
	"units.parse":                      exponent,
	"units.parse_bytes":                exponent,
	"yaml.is_valid":                    nesting,
	"yaml.unmarshal":                   nesting,
}

func query(operands []*ast.Term, texts [][]byte) error {
	if len(texts[0]) > maxQuery {
		return fmt.Errorf("the query is longer than %d bytes", maxQuery)
	}
	return nesting(operands, texts)
}

// nesting counts brackets, in strings and comments too: a text with so many is refused whatever they mean.
func nesting(operands []*ast.Term, _ [][]byte) error {
	for _, operand := range operands {
		text, ok := operand.Value.(ast.String)
		if !ok {
			continue
		}
		open := 0
		for _, c := range []byte(text) {
			switch c {
			case '[', '{', '(':
				open++
			case ']', '}', ')':
				open = max(open-1, 0)
			}
			if open > maxNesting {
				return fmt.Errorf("a text has more than %d brackets open", maxNesting)
			}
		}
	}
	return nil
}

func product(a, b int) check {
	return func(_ []*ast.Term, texts [][]byte) error { return within(len(texts[a]), len(texts[b]), maxProduct<<4) }
}

// growing is for answers as long as one argument times another.
func growing(a, b int) check {
	return func(_ []*ast.Term, texts [][]byte) error { return within(len(texts[a]), len(texts[b]), maxProduct<<2) }
}

func pattern(p, text int) check {
	return func(operands []*ast.Term, texts [][]byte) error {
		return within(weight(operands[p], len(texts[p])), len(texts[text]), maxProduct)
	}
}

func within(a, b, limit int) error {
	if a*b > limit {
		return fmt.Errorf("its arguments are too long for each other: %d by %d", a, b)
	}
	return nil
}

var repeats = regexp.MustCompile(`\{(\d*),?(\d*)\}`)

// weight is the length of a pattern with its repetitions written out, from above; Go refuses more than 1000.
func weight(pattern *ast.Term, length int) int {
	text, ok := pattern.Value.(ast.String)
	if !ok {
		return length
	}
	times := 1
	for _, match := range repeats.FindAllStringSubmatch(string(text), -1) {
		for _, digits := range match[1:] {
			if n, err := strconv.Atoi(digits); err == nil && n > 1 {
				times = min(times*n, 1000)
			}
		}
	}
	return length * times
}

func replace(operands []*ast.Term, texts [][]byte) error {
	if err := pattern(1, 0)(operands, texts); err != nil {
		return err
	}
	return growing(0, 2)(operands, texts)
}

func globs(_ []*ast.Term, texts [][]byte) error { return within(len(texts[0]), len(texts[1]), 1<<12) }

func expand(operands []*ast.Term, _ [][]byte) error {
	text, ok := operands[0].Value.(ast.String)
	if !ok {
		return nil
	}
	_, network, err := net.ParseCIDR(string(text))
	if err != nil {
		return nil
	}
	if ones, bits := network.Mask.Size(); bits-ones > 16 {
		return fmt.Errorf("it would make more than %d addresses", 1<<16)
	}
	return nil
}

func atMost(operands []*ast.Term, index int, limit int64) error {
	number, ok := operands[index].Value.(ast.Number)
	if !ok {
		return nil
	}
	if value, ok := new(big.Int).SetString(string(number), 10); ok && value.CmpAbs(big.NewInt(limit)) > 0 {
		return fmt.Errorf("operand %d is larger than %d", index+1, limit)
	}
	return nil
}

func matchSchema(operands []*ast.Term, texts [][]byte) error {
	if err := nesting(operands, texts); err != nil {
		return err
	}
	return schema(operands[1], len(texts[0]))
}

func verifySchema(operands []*ast.Term, texts [][]byte) error {
	if err := nesting(operands, texts); err != nil {
		return err
	}
	return schema(operands[0], 0)
}

var exponents = regexp.MustCompile(`[eE][+-]?(\d+)`)

// exponent bounds numbers that are written out in full; OPA itself refuses more than six digits of exponent.
func exponent(operands []*ast.Term, texts [][]byte) error {
	text, ok := operands[0].Value.(ast.String)
	if !ok {
		return nil
	}
	isLong := len(texts[0]) > 10_000
	for _, match := range exponents.FindAllStringSubmatch(string(text), -1) {
		isLong = isLong || len(match[1]) == 5 || len(match[1]) == 6
	}
	if isLong {
		return fmt.Errorf("the number is too long")
	}
	return nil
}

var longNumber = regexp.MustCompile(`\d{19}`)

// versions refuses what OPA 1.22.2 never returns from: two pre-releases that differ only in numbers beyond 63 bits.
func versions(operands []*ast.Term, _ [][]byte) error {
	for _, operand := range operands {
		if text, ok := operand.Value.(ast.String); !ok || !longNumber.MatchString(string(text)) {
			return nil
		}
	}
	return fmt.Errorf("both versions have a number of more than 18 digits")
}

// paths walks a graph as the builtin will, only counting.
func paths(operands []*ast.Term, _ [][]byte) error {
	graph, ok := operands[0].Value.(ast.Object)
	if !ok {
		return nil
	}
	left := maxPathItems
	var walk func(node *ast.Term, length int, on map[string]bool)
	walk = func(node *ast.Term, length int, on map[string]bool) {
		if left -= length; left < 0 {
			return
		}
		key := node.String()
		if on[key] {
			return
		}
		on[key] = true
		each(graph.Get(node), func(next *ast.Term) { walk(next, length+1, on) })
		delete(on, key)
	}
	each(operands[1], func(node *ast.Term) { walk(node, 1, map[string]bool{}) })
	if left < 0 {
		return fmt.Errorf("its paths have more than %d vertices", maxPathItems)
	}
	return nil
}

func each(collection *ast.Term, visit func(*ast.Term)) {
	if collection == nil {
		return
	}
	switch value := collection.Value.(type) {
	case *ast.Array:
		value.Foreach(visit)
	case ast.Set:
		value.Foreach(visit)
	}
}
