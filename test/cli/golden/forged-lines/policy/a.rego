package main
import rego.v1
deny contains sprintf("owner %s", [input.metadata.labels.owner])
