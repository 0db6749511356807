package main

import rego.v1

# METADATA
# custom:
#   parameters: an object
deny contains "no" if input.kind == "X"
