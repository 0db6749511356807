package main
import rego.v1
deny contains "no" if input.kind == "X"
