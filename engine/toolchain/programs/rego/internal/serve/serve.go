// SPDX-License-Identifier: Apache-2.0

// Package serve calls OPA's own builtins for a policy's module: values go in and out as text.
package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"countersign.dev/rego/internal/term"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/metrics"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/topdown/builtins"
)

// Kind says what an answer is.
type Kind byte

const (
	// Undefined is no answer and no error.
	Undefined Kind = iota
	// Value is followed by the value's text.
	Value
	// Failed is followed by OPA's code, a line feed and OPA's message.
	Failed
	// Refused is a bound passed: it says nothing of the arguments, so it must never be read as undefined.
	Refused
	// Crashed is a panic, or an end of the evaluation that no rule may catch.
	Crashed
)

const (
	// keepFrom is the size of an argument, in bytes, from which it is kept parsed for the rest of an evaluation.
	keepFrom = 128
	// maxOutput is the largest answer, in bytes.
	maxOutput = 4 << 20
	// maxKept bounds how many arguments are kept.
	maxKept = 1024
)

// Server has the builtins that were looked up, and what lasts for one evaluation.
type Server struct {
	found   []found
	context topdown.BuiltinContext
	kept    map[string]*ast.Term
	// Without a network, so that a schema cannot even ask for another.
	closed *ast.Capabilities
}

type found struct {
	name string
	call topdown.BuiltinFunc
}

// New makes a server; Start must come before the first call.
func New() *Server {
	closed := ast.CapabilitiesForThisVersion()
	closed.AllowNet = []string{}
	return &Server{closed: closed}
}

// Start begins an evaluation at a time: what was kept of the one before is dropped.
func (s *Server) Start(now time.Time) {
	s.context = topdown.BuiltinContext{
		Context: context.Background(),
		Metrics: metrics.New(),
		Seed:    fixed{},
		Time:    ast.NumberTerm(json.Number(strconv.FormatInt(now.UnixNano(), 10))),
		Cancel:  &counter{},
		Cache:   builtins.Cache{},
	}
	s.kept = map[string]*ast.Term{}
}

// fixed are the random bytes of builtins that no policy is given; OPA's own cases call them.
type fixed struct{}

func (fixed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i*7 + 1)
	}
	return len(p), nil
}

// counter ends a builtin that asks whether it should go on too often: by count, not by time, so that it is the same everywhere.
type counter struct{ asked int }

const maxAsked = 100_000

func (c *counter) Cancel() { c.asked = maxAsked }

func (c *counter) Cancelled() bool {
	c.asked++
	return c.asked > maxAsked
}

// Lookup resolves a builtin's name to a number for Call, -1 where OPA has none.
func (s *Server) Lookup(name string) int32 {
	call := topdown.GetBuiltin(name)
	if call == nil {
		return -1
	}
	s.found = append(s.found, found{name, call})
	return int32(len(s.found) - 1)
}

// Call answers one call. It appends the answer's kind and text to out, and never panics.
func (s *Server) Call(id int, arguments [][]byte, out []byte) (answer []byte) {
	start := len(out)
	defer func() {
		if crash := recover(); crash != nil {
			answer = append(append(out[:start], byte(Crashed)), fmt.Sprint(crash)...)
		}
	}()
	kind, text := s.call(id, arguments, append(out, byte(Undefined)))
	if len(text)-start > maxOutput {
		kind, text = Refused, append(text[:start+1], fmt.Sprintf("its answer is longer than %d bytes", maxOutput)...)
	}
	text[start] = byte(kind)
	return text
}

func (s *Server) call(id int, arguments [][]byte, out []byte) (Kind, []byte) {
	if id < 0 || id >= len(s.found) {
		return Crashed, append(out, "no such builtin"...)
	}
	builtin := s.found[id]
	operands := make([]*ast.Term, len(arguments))
	for i, text := range arguments {
		operand, err := s.read(text)
		if err != nil {
			return Refused, append(out, err.Error()...)
		}
		operands[i] = operand
	}
	if err := bound(builtin.name, operands, arguments); err != nil {
		return Refused, append(out, err.Error()...)
	}
	s.context.Cancel = &counter{}
	s.context.Capabilities = s.closed
	if builtin.name == "net.lookup_ip_addr" { // only for OPA's own cases, of addresses that are numbers
		s.context.Capabilities = nil
	}
	var result *ast.Term
	err := builtin.call(s.context, operands, func(t *ast.Term) error {
		result = t
		return nil
	})
	switch {
	case err != nil:
		return failure(err, out)
	case result == nil:
		return Undefined, out
	}
	return Value, term.Append(out, result.Value)
}

func failure(err error, out []byte) (Kind, []byte) {
	var halt topdown.Halt
	var known *topdown.Error
	isHalt := errors.As(err, &halt)
	if isHalt && errors.As(halt.Err, &known) && known.Code == topdown.CancelErr {
		return Refused, append(out, fmt.Sprintf("it would make more than %d items", maxAsked)...)
	}
	if isHalt || !errors.As(err, &known) {
		return Crashed, append(out, err.Error()...)
	}
	return Failed, append(append(append(out, known.Code...), '\n'), known.Message...)
}

func (s *Server) read(text []byte) (*ast.Term, error) {
	if len(text) < keepFrom {
		return term.Read(text)
	}
	if kept, ok := s.kept[string(text)]; ok {
		return kept, nil
	}
	read, err := term.Read(text)
	if err == nil && len(s.kept) < maxKept {
		s.kept[string(text)] = read
	}
	return read, err
}
