package main

import rego.v1

deny contains sprintf("namespace %v", [input.metadata.namespace])
