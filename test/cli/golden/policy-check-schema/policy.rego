package main

import rego.v1

deny contains "x" if input.knd == "Pod"

warn contains "y" if input.kind == 1
