package main

import rego.v1

warn contains "careful" if input.kind == "Pod"
