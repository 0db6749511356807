package main

import rego.v1

deny := x if some x in [{"a"}, {"b"}]
