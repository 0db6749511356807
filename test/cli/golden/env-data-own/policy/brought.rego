package main
import rego.v1
deny contains sprintf("brought sees %v", [data.teams]) if data.exempt
