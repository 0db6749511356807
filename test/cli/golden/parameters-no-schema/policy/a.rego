package main

import rego.v1

# METADATA
# custom:
#   parameters: {type: 7}
deny contains "no" if input.kind == "X"
