// SPDX-License-Identifier: Apache-2.0

package serve

import (
	"errors"
	"fmt"
	"text/template/parse"

	"github.com/open-policy-agent/opa/v1/ast"
)

const maxTemplate = 16 << 10

var (
	errLoops     = errors.New("a template may loop over what it is given and once inside that, and may not define others")
	errFunctions = errors.New("a template may use no functions but and, or, not, eq, ne, lt, le, gt, ge, len and index")
)

// harmless are the functions whose answer is no longer than their arguments: print and js double a text with each use.
var harmless = func() map[string]any {
	known := map[string]any{}
	for _, name := range []string{"and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index"} {
		known[name] = true
	}
	return known
}()

// growers are the others of OPA's.
var growers = map[string]any{"call": true, "html": true, "slice": true, "js": true, "print": true, "printf": true, "println": true, "urlquery": true}

// template refuses what makes a small template run for long: loops over numbers and deep in each other, recursion, widths.
func template(operands []*ast.Term, texts [][]byte) error {
	text, ok := operands[0].Value.(ast.String)
	if !ok {
		return nil
	}
	if len(text) > maxTemplate {
		return fmt.Errorf("the template is longer than %d bytes", maxTemplate)
	}
	trees, err := parse.Parse("template", string(text), "", "", harmless, growers)
	if err != nil {
		return nil // the builtin's own error
	}
	if len(trees) > 1 {
		return errLoops
	}
	loops := 0
	for _, tree := range trees {
		if loops, err = loopsOf(tree.Root, 0); err != nil {
			return err
		}
	}
	work := len(text)
	for range loops {
		work *= max(len(texts[1]), 1)
	}
	if work > maxProduct<<2 {
		return fmt.Errorf("its arguments are too long for each other: %d by %d", len(text), len(texts[1]))
	}
	return nil
}

// loopsOf is how deep loops stand in each other below a node.
func loopsOf(node parse.Node, outer int) (int, error) {
	switch node := node.(type) {
	case *parse.ListNode:
		if node == nil {
			return outer, nil
		}
		return deepest(node.Nodes, outer)
	case *parse.ActionNode:
		return outer, pipeline(node.Pipe)
	case *parse.IfNode:
		return branch(&node.BranchNode, outer)
	case *parse.WithNode:
		if !isVariable(node.Pipe) {
			return 0, errLoops
		}
		return branch(&node.BranchNode, outer)
	case *parse.RangeNode:
		if outer >= 2 || !isVariable(node.Pipe) {
			return 0, errLoops
		}
		return branch(&node.BranchNode, outer+1)
	case *parse.TemplateNode:
		return 0, errLoops
	}
	return outer, nil
}

func deepest(nodes []parse.Node, outer int) (int, error) {
	most := outer
	for _, node := range nodes {
		depth, err := loopsOf(node, outer)
		if err != nil {
			return 0, err
		}
		most = max(most, depth)
	}
	return most, nil
}

func branch(node *parse.BranchNode, depth int) (int, error) {
	if err := pipeline(node.Pipe); err != nil {
		return 0, err
	}
	nodes := []parse.Node{node.List}
	if node.ElseList != nil {
		nodes = append(nodes, node.ElseList)
	}
	return deepest(nodes, depth)
}

// isVariable is for loops over what was given, which is never a number that is looped over.
func isVariable(pipe *parse.PipeNode) bool {
	if len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return false
	}
	switch pipe.Cmds[0].Args[0].(type) {
	case *parse.DotNode, *parse.FieldNode:
		return true
	case *parse.VariableNode:
		return len(pipe.Cmds[0].Args[0].(*parse.VariableNode).Ident) > 1 || pipe.Cmds[0].Args[0].String() == "$"
	}
	return false
}

// pipeline refuses functions that can make much of little.
func pipeline(pipe *parse.PipeNode) error {
	if pipe == nil {
		return nil
	}
	for _, command := range pipe.Cmds {
		for _, argument := range command.Args {
			switch argument := argument.(type) {
			case *parse.IdentifierNode:
				if harmless[argument.Ident] == nil {
					return errFunctions
				}
			case *parse.PipeNode:
				if err := pipeline(argument); err != nil {
					return err
				}
			case *parse.ChainNode:
				return errFunctions
			}
		}
	}
	return nil
}
