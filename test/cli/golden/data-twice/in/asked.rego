package main
import rego.v1
deny contains sprintf("asked sees %v", [data.teams]) if not data.exempt
