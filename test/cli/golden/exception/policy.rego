package main

import rego.v1

deny_image contains "bad image" if input.kind == "Pod"

deny contains "plain" if input.kind == "Pod"

exception contains ["image"] if input.metadata.name == "a"
