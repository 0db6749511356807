package main

import rego.v1

deny contains x if { y == 1 }

warn contains x if { x := foo(1) }
