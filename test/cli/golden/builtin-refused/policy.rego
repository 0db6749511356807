package main

import rego.v1

deny contains "late" if time.now_ns() > 1
